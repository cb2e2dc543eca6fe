"""A monitor that threads share, and copies of one."""

from __future__ import annotations

import copy
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor

EPOCHS = range(1, 11)


def monitor() -> Monitor:
    return Monitor(LastValueForecaster(), horizon=EPOCHS[-1], keep=0)


def test_threads_may_share_a_monitor() -> None:
    watch = monitor()

    def train(run: str) -> None:
        watch.start(run)
        for epoch in EPOCHS:
            watch.report(run, epoch, {"seg/miou": 0.5 + epoch / 100, "depth/abs_err": 1.2})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(train, [f"r{i}" for i in range(24)]))
    assert Counter(verdict.run for verdict in watch.log) == {f"r{i}": len(EPOCHS) for i in range(24)}


def test_a_copied_monitor_goes_on_by_itself() -> None:
    watch = monitor()
    watch.report("a", 1, {"seg/miou": 0.5})
    copied = copy.deepcopy(watch)
    assert copied.report("a", 2, {"seg/miou": 0.6}) == watch.report("a", 2, {"seg/miou": 0.6})

"""A monitor, a stopper or a model that is sent to another process decides there as here."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode import EarlyStopper, Monitor
from lcode.table import Metric, RunTable

T = TypeVar("T")
HORIZON = 8
COPIES: dict[str, Callable[[T], T]] = {"pickle": lambda one: pickle.loads(pickle.dumps(one)), "copy": copy.deepcopy}


def curve(rate: float) -> list[float]:
    return [0.6 - abs(rate - 0.3) - 0.4 * 0.6**epoch for epoch in range(1, HORIZON + 1)]


def sweep(count: int) -> RunTable:
    rates = np.linspace(0.1, 0.6, count)
    rows = [
        (f"h{i}", epoch, "seg/miou", value)
        for i, rate in enumerate(rates)
        for epoch, value in enumerate(curve(rate), 1)
    ]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        [Metric("seg", "miou", "max")],
        configs=pd.DataFrame({"lr": rates}, index=[f"h{i}" for i in range(count)]),
    )


def report(monitor: Monitor, name: str, rate: float, epochs: int = HORIZON) -> list[object]:
    monitor.start(name, config={"lr": rate}, horizon=HORIZON)
    return [monitor.report(name, epoch, {"seg/miou": value}) for epoch, value in enumerate(curve(rate)[:epochs], 1)]


@pytest.mark.parametrize("way", COPIES)
def test_a_model_that_has_learned_a_context(way: str) -> None:
    model, seen = lcode.load().in_context(sweep(16)), sweep(6).prefix(2)
    expected = model.predict(seen).quantiles  # what is learned late is learned by now
    np.testing.assert_array_equal(COPIES[way](model).predict(seen).quantiles, expected)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("options", [{"history": sweep(8)}, {"final": "best"}, {}], ids=["history", "best", "bare"])
def test_a_monitor_in_the_middle_of_a_sweep(options: dict[str, object], way: str) -> None:
    monitor = Monitor(min_epochs=2, **options)  # type: ignore[arg-type]
    for place, rate in enumerate((0.3, 0.35, 0.2, 0.6)):
        report(monitor, f"r{place}", rate)
    report(monitor, "open", 0.5, epochs=3)
    again = COPIES[way](monitor)
    assert report(again, "next", 0.9) == report(monitor, "next", 0.9)
    assert again.state_dict() == monitor.state_dict()


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_knows_nothing_of_what_comes_later(way: str) -> None:
    monitor = Monitor(min_epochs=2)
    report(monitor, "r0", 0.3)
    again, before = COPIES[way](monitor), monitor.state_dict()
    again.start("r1", config={"lr": 0.2}, horizon=HORIZON)
    for epoch, value in enumerate(curve(0.2), 1):
        again.report("r1", epoch, {"seg/miou": value, "depth/abs_err": 1 / epoch})
    assert monitor.state_dict() == before


@pytest.mark.parametrize("way", COPIES)
def test_an_early_stopper(way: str) -> None:
    stopper = EarlyStopper({"seg/miou": "max"}, max_epochs=HORIZON, history=sweep(8))
    values = curve(0.9)
    stopper.update(1, {"seg/miou": values[0]})
    again = COPIES[way](stopper)
    for epoch, value in enumerate(values[1:], 2):
        assert again.update(epoch, {"seg/miou": value}) == stopper.update(epoch, {"seg/miou": value})
    assert again.told() == stopper.told()

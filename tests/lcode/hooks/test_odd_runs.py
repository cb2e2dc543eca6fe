"""A run that counts steps among epochs, or is in per cent among shares, is told of; one unit at any length is not."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from lcode.decisions import Verdict
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.hooks.shared import SharedMonitor
from lcode.readers import read_logs


def train(
    monitor: Monitor, run: str, *, best: float = 0.8, horizon: int = 20, every: int = 1, until: int = 1_000_000
) -> list[Verdict]:
    """An accuracy that rises to its best, by reports every so many epochs."""
    monitor.start(run, horizon=horizon)
    told = []
    for epoch in range(every, min(horizon, until) + 1, every):
        told.append(monitor.report(run, epoch, {"a/acc": best * (1 - 0.8 ** (20 * epoch / horizon))}))
        if told[-1].stop:
            break
    return told


def sweep(trend: Forecaster, number: int = 4) -> Monitor:
    monitor = Monitor(trend, min_epochs=3, keep=0, dry_run=True)
    for n in range(number):
        train(monitor, f"run{n}", best=0.7 + 0.02 * n)
    return monitor


def test_a_run_that_counts_steps_among_epochs_is_told_of_once_and_not_compared(trend: Forecaster) -> None:
    monitor = sweep(trend)
    with pytest.warns(
        UserWarning, match="run 'steps': compared with no other run: it reports every 100 of 2000"
    ) as one:
        told = train(monitor, "steps", horizon=2000, every=100)
    assert len(one) == 1 and one[0].filename == __file__
    assert {verdict.action for verdict in told} == {"continue"} and all(v.probability is None for v in told)
    assert "most others every 1 of 20" in told[2].reason
    with pytest.warns(UserWarning, match="run 'more': compared with no other run"):  # one odd run makes no unit
        train(monitor, "more", best=0.1, horizon=2000, every=100, until=300)
    assert train(monitor, "late", best=0.1)[3].action == "stop"  # the others go on as before


def test_a_run_that_counts_epochs_among_steps_is_told_of_as_well(trend: Forecaster) -> None:
    monitor = Monitor(trend, min_epochs=300, keep=0)
    for n in range(3):
        train(monitor, f"run{n}", horizon=2000, every=100)
    with pytest.warns(UserWarning, match="it reports every 1 of 20, most others every 100 of 2000"):
        assert not train(monitor, "epochs", best=0.1)[-1].stop


def test_an_odd_run_is_compared_once_there_are_others_of_its_kind(trend: Forecaster) -> None:
    monitor = sweep(trend, 1)
    monitor.start("first", horizon=2000)
    with pytest.warns(UserWarning, match="compared with no other run") as told:
        train(monitor, "first", horizon=2000, every=50, until=1000)
    train(monitor, "second", horizon=2000, every=50)  # as many count like it as do not
    assert len(told) == 1
    assert monitor.report("first", 1050, {"a/acc": 0.1}).probability is not None


def test_lengths_and_spacings_of_one_unit_are_no_other_unit(trend: Forecaster) -> None:
    monitor = Monitor(trend, min_epochs=1, keep=0, dry_run=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n, horizon in enumerate((1, 1, 1, 3, 3, 9, 27, 81, 243)):  # successive halving
            train(monitor, f"run{n}", best=0.7 + 0.01 * n, horizon=horizon)
        train(monitor, "rare", horizon=240, every=9)  # evaluated rarely
        train(monitor, "rarely", horizon=80, every=20)
        told = train(monitor, "bad", best=0.1, horizon=300)
    assert told[5].action == "stop"


def test_runs_that_are_evaluated_as_often_whatever_their_length_count_alike(trend: Forecaster) -> None:
    monitor = Monitor(trend, min_epochs=3, keep=0)
    for n in range(4):
        train(monitor, f"run{n}", horizon=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(monitor, "long", best=0.1, horizon=100, every=10)[-1].action == "stop"


def test_a_late_first_report_and_reports_at_the_end_only_are_no_pace(trend: Forecaster) -> None:
    halving, resumed = (Monitor(trend, min_epochs=3, keep=0, dry_run=True) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n, horizon in enumerate((1, 1, 1, 1, 1, 3, 3, 9, 27, 81)):
            train(halving, f"run{n}", best=0.7 + 0.01 * n, horizon=horizon, every=horizon)
        for n in range(3):
            train(resumed, f"run{n}", horizon=10)
        resumed.start("late", horizon=600)
        told = [resumed.report("late", epoch, {"a/acc": 0.1}) for epoch in (301, 302, 303)]
    assert "compared with no other run before its second report" in told[0].reason
    assert told[2].action == "stop"


def test_the_history_counts_among_the_others(trend: Forecaster, tmp_path: Path) -> None:
    with SharedMonitor(tmp_path, trend, min_epochs=3) as before:
        for n in range(3):
            train(before, f"run{n}", best=0.8 + 0.01 * n)
    monitor = Monitor(trend, read_logs(tmp_path), min_epochs=3, keep=0)
    with pytest.warns(UserWarning, match="it reports every 50 of 1000, most others every 1 of 20"):
        assert not train(monitor, "steps", best=0.1, horizon=1000, every=50)[-1].stop


@pytest.mark.parametrize(
    ("usual", "odd", "text"), [(0.8, 62.0, "about 100 times"), (80.0, 0.62, "about a hundredth of")]
)
def test_a_share_in_per_cent_among_parts_of_one_is_told_of_once(
    usual: float, odd: float, text: str, trend: Forecaster
) -> None:
    monitor = Monitor(trend, min_epochs=3, dry_run=True)
    for n in range(3):
        train(monitor, f"run{n}", best=usual)
    with pytest.warns(UserWarning, match=f"a/acc of run 'odd' is {text} that of all others") as told:
        train(monitor, "odd", best=odd)
        train(monitor, "again", best=odd)
    assert len(told) == 1


def test_what_may_be_any_number_and_runs_that_learn_nothing_are_not_told_of(trend: Forecaster) -> None:
    monitor = Monitor(trend, min_epochs=3, dry_run=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n, (acc, loss) in enumerate(((70.0, 0.5), (60.0, 0.4), (1.0, 50.0), (0.1, np.inf))):  # chance of 100, 1000
            monitor.start(f"run{n}", horizon=5)
            for epoch in range(1, 6):
                monitor.report(f"run{n}", epoch, {"a/acc": acc, "b/loss": loss})


def test_runs_in_per_cent_may_begin_below_one(trend: Forecaster) -> None:
    first, second = (Monitor(trend, min_epochs=3, dry_run=True) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(3):
            train(first, f"run{n}", best=50.0)
        for epoch, acc in enumerate((0.4, 0.5, 0.7, 0.9, 12.0), start=1):  # ImageNet after a warm-up
            first.report("new", epoch, {"a/acc": acc})
        second.report("young", 1, {"a/acc": 0.5}, horizon=90)
        train(second, "old", best=50.0)

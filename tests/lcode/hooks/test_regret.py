"""A budget of regret in the live monitor: its ledger, and that it survives a resume."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.errors import UsageError
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.table import Metric, RunTable

ACC = {"acc": 1.0}


class Wide(LastValueForecaster):
    """The last value, give or take 0.2."""

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        forecast = super().predict(table, at)
        quantiles = forecast.quantiles
        quantiles += np.linspace(-0.2, 0.2, quantiles.shape[-1])
        return forecast


def monitor(regret: float | str = 1.0, *, dry_run: bool = False) -> lcode.Monitor:
    return lcode.Monitor(
        Wide(),
        regret=regret,
        baseline=ACC,
        directions={"acc": "max"},
        horizon=10,
        dry_run=dry_run,
        min_epochs=1,
        keep=1,
    )


def train(watch: lcode.Monitor, run: str, value: float, *, first: int = 1) -> lcode.Verdict:
    for epoch in range(first, 11):
        verdict = watch.report(run, epoch, {"acc": value})
        if verdict.stop:
            break
    return verdict


def test_each_stop_is_entered_in_the_ledger_and_told() -> None:
    watch = monitor("0.1 spread")
    train(watch, "best", 0.9)
    first = train(watch, "poor", 0.3)
    assert first.stop and first.epoch == 1 and first.price == 0 and "spent 0 of 0.1" in first.reason
    close = train(watch, "close", 0.8)
    assert "spent" in close.reason or "finished" in close.reason
    watch.report("next", 1, {"acc": 0.75})
    assert watch.log[-1].price is not None and watch.log[-1].price > 0


def test_a_small_budget_stops_less_than_a_large_one() -> None:
    epochs = {}
    for regret in (0.01, 1000.0):
        watch = monitor(regret)
        train(watch, "best", 0.9)
        epochs[regret] = [train(watch, f"r{i}", 0.84).epoch for i in range(5)]
    assert sum(epochs[1000.0]) == 5 and sum(epochs[0.01]) > 5


def test_it_decides_the_same_after_a_resume() -> None:
    whole, values = monitor(0.3), np.random.default_rng(0).uniform(0.6, 0.95, 12)
    for i, value in enumerate(values):
        train(whole, f"r{i}", float(value))
    first = monitor(0.3)
    for i, value in enumerate(values[:7]):
        train(first, f"r{i}", float(value))
    first.report("r7", 1, {"acc": float(values[7])})
    second = monitor(0.3)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    train(second, "r7", float(values[7]), first=2)
    for i, value in enumerate(values[8:], start=8):
        train(second, f"r{i}", float(value))
    assert second.log == whole.log


def test_what_is_no_budget_is_told() -> None:
    with pytest.raises(UsageError, match="regret is 'much'"):
        monitor("much")
    with pytest.raises(UsageError, match="give regret as well"):
        lcode.Monitor(Wide(), alpha=0.2)


def test_a_dry_run_spends_nothing() -> None:
    watch = monitor(1000.0, dry_run=True)
    train(watch, "best", 0.9)
    train(watch, "poor", 0.8)
    assert all("spent 0 of" in verdict.reason for verdict in watch.log if "spent" in verdict.reason)


def test_deviations_between_seeds_come_from_repeats_in_the_history() -> None:
    rows = [(f"h{i}", epoch, "acc", value) for i, value in enumerate((0.8, 0.82, 0.5, 0.52)) for epoch in (1, 10)]
    configs = pd.DataFrame({"lr": [0.1, 0.1, 0.2, 0.2]}, index=[f"h{i}" for i in range(4)])
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    history = RunTable.from_points(points, [Metric("main", "acc", "max")], configs=configs)
    watch = lcode.Monitor(Wide(), history, regret="2 sd", baseline=ACC, min_epochs=1)
    verdict = watch.report("new", 1, {"acc": 0.3})
    assert "more than 2.8 is lost" in verdict.reason  # 2 points apart: a deviation of 1.41, twice

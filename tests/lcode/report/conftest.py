from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import Ranking, rank
from lcode.forecast import Forecast
from lcode.forecasters import forecaster
from lcode.table import Metric, RunTable

HORIZON = 20
METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))


@dataclass(frozen=True)
class Case:
    """A sweep cut at its cutoffs, with the forecast, the ranking and the truth that belong to it."""

    table: RunTable
    forecast: Forecast
    ranking: Ranking
    truth: RunTable


def full_table(names: Sequence[str], metrics: Sequence[Metric] = METRICS, horizon: int = HORIZON) -> RunTable:
    generator = np.random.default_rng(0)
    epochs = np.arange(1, horizon + 1)
    points = []
    for run in names:
        for metric in metrics:
            level, noise = generator.random(), 0.02 * generator.standard_normal(horizon)
            values = level + metric.sign * -0.5 / epochs + noise
            points.append(pd.DataFrame({"run": run, "epoch": epochs, "metric": metric.key, "value": values}))
    configs = pd.DataFrame({"lr": generator.random(len(names)), "width": 64}, index=list(names))
    return RunTable.from_points(pd.concat(points, ignore_index=True), metrics, configs=configs)


def forecast_case(full: RunTable, cutoffs: dict[str, int], *, name: str = "drift", objective: str = "mean") -> Case:
    """Forecast the runs at their cutoffs, learning from all others; runs without a cutoff are left whole."""
    table = full.prefix(cutoffs)
    learned = forecaster(name).fit(full.select([run for run in full.run_ids if run not in cutoffs]))
    forecast = learned.predict(table, "full")
    return Case(table, forecast, rank(forecast, objective, table=table), full)


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """`make_case(names, cutoffs)` -> a case of two metrics, or the given ones, over 20 epochs."""

    def make(
        names: Sequence[str], cutoffs: dict[str, int], metrics: Sequence[Metric] = METRICS, **options: str
    ) -> Case:
        return forecast_case(full_table(names, metrics), cutoffs, **options)

    return make


@pytest.fixture
def sweep(make_case: Callable[..., Case]) -> Case:
    """50 runs, the last 20 of them seen up to epoch 5."""
    names = [f"run-{i:02d}" for i in range(50)]
    return make_case(names, dict.fromkeys(names[30:], 5))


@pytest.fixture
def odd_sweep() -> Case:
    """A finished, a running, a diverged and a never started run."""
    full = full_table(["done", "live", "blown", "silent", "past"])
    points = full.points.astype({"run": object, "metric": object})
    points.loc[(points["run"] == "blown") & (points["epoch"] >= 3), "value"] = np.nan
    full = RunTable.from_points(points, full.metrics, runs=full.runs, configs=full.configs)
    return forecast_case(full, {"live": 6, "silent": 0, "blown": 8})

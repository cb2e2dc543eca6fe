"""A family of two-task runs whose configuration tells how they end, and a small model fitted on some of them.

For what is shown to people: sweeps of noisy curves, cut at their cutoffs, with a quick forecast and its ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from lcode.graphs import ArchGraph
from lcode.table import Metric, RunTable

if TYPE_CHECKING:
    from lcode.decisions import Ranking
    from lcode.forecast import Forecast
    from lcode.forecasters.lcgode import LCGODEForecaster

HORIZON = 16
METRICS = (Metric("seg", "err", "min"), Metric("depth", "miou", "max"))
GRAPHS = {
    "small": ArchGraph.build(
        ["input", "linear", "linear", "linear"],
        [[0, 1], [1, 2], [1, 3]],
        params=[0, 10, 5, 5],
        roles=["trunk", "trunk", "head:seg", "head:depth"],
    ),
    "large": ArchGraph.build(["input", "conv", "relu", "linear"], [[0, 1], [1, 2], [2, 3]], params=[0, 100, 0, 20]),
}

Family = Callable[..., RunTable]


def make_family(
    runs: int = 20, *, seed: int = 0, prefix: str = "r", horizon: int = HORIZON, graphs: bool = True
) -> RunTable:
    """Whole runs a + b·t^-c of two tasks; the learning rate tells c, the width tells a, `large` nets end lower."""
    generator = np.random.default_rng(seed)
    epochs = np.arange(1, horizon + 1)
    points, signals = [], []
    configs: dict[str, dict[str, object]] = {}
    table_runs: dict[str, dict[str, object]] = {}
    schedules: dict[str, np.ndarray] = {}
    for i in range(runs):
        name = f"{prefix}{i:02d}"
        rate, width = 10 ** generator.uniform(-3, -1), float(generator.uniform(0, 1))
        arch = str(generator.choice(["small", "large"]))
        end = 0.1 + 0.3 * width - (0.05 if arch == "large" else 0.0)
        fall = (0.9 - end) * epochs ** -(0.2 + 8 * rate)
        noise = 0.003 * generator.standard_normal((2, horizon))
        for metric, values in zip(METRICS, (end + fall + noise[0], 1 - end - fall + noise[1]), strict=True):
            points.append(pd.DataFrame({"run": name, "epoch": epochs, "metric": metric.key, "value": values}))
        for key, values in (("seg/train_loss", end + fall), ("seg|depth/cosine", np.full(horizon, width - 0.5))):
            signals.append(pd.DataFrame({"run": name, "epoch": epochs, "metric": key, "value": values}))
        configs[name] = {"lr": rate, "width": width, "balancer": str(generator.choice(["equal", "cagrad"]))}
        configs[name] |= {"weight.seg": 1.0, "weight.depth": float(generator.choice([0.5, 2.0]))}
        table_runs[name] = {"horizon": horizon, "arch": arch}
        schedules[name] = rate * np.linspace(1, 0, horizon)
    return RunTable.from_points(
        pd.concat(points),
        METRICS,
        runs=pd.DataFrame.from_dict(table_runs, orient="index"),
        configs=pd.DataFrame.from_dict(configs, orient="index"),
        signals=pd.concat(signals),
        schedules=schedules,
        graphs=GRAPHS if graphs else None,
    )


@pytest.fixture(scope="session")
def family() -> Family:
    """Makes tables of the family; see `make_family`."""
    return make_family


@pytest.fixture(scope="session")
def history() -> RunTable:
    """Twenty finished runs."""
    return make_family(20)


@pytest.fixture(scope="session")
def fresh() -> RunTable:
    """Eight other runs of the same family, whole."""
    return make_family(8, seed=1, prefix="n")


def search_briefly(patch: pytest.MonkeyPatch) -> None:
    """Hyper-parameters of the Gaussian processes are searched for a few steps, which takes half of a small fit else."""
    patch.setattr("lcode.regressors.multi_output_gp.STEPS", 4)


@pytest.fixture
def brief_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test to which it is all one how good a fit is."""
    search_briefly(monkeypatch)


@pytest.fixture(scope="module")
def brief_searches() -> Iterator[None]:
    """The same for all tests of a module; `small`, which other modules share, is not to be asked under it."""
    with pytest.MonkeyPatch.context() as patch:
        search_briefly(patch)
        yield


@pytest.fixture(scope="session")
def tiny() -> Callable[..., LCGODEForecaster]:
    """Makes an unfitted forecaster that fits in about a second."""
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.network.loop import FitSettings

    def make(seed: int = 0, steps: int = 60, **options: object) -> LCGODEForecaster:
        sizes: dict[str, object] = {"hidden": 16, "latent": 4, "members": 3, "nodes": 4}
        return LCGODEForecaster(seed=seed, settings=FitSettings(steps=steps, batch=16), **{**sizes, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def small(tiny: Callable[..., LCGODEForecaster], history: RunTable) -> LCGODEForecaster:
    """A small model fitted on `history`."""
    return tiny().fit(history)


SWEEP_HORIZON = 20
SWEEP_METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))


@dataclass(frozen=True)
class Case:
    """A sweep cut at its cutoffs, with the forecast, the ranking and the truth that belong to it."""

    table: RunTable
    forecast: Forecast
    ranking: Ranking
    truth: RunTable


def full_table(
    names: Sequence[str], metrics: Sequence[Metric] = SWEEP_METRICS, horizon: int = SWEEP_HORIZON
) -> RunTable:
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
    from lcode.decisions import rank
    from lcode.forecasters import forecaster

    table = full.prefix(cutoffs)
    learned = forecaster(name).fit(full.select([run for run in full.run_ids if run not in cutoffs]))
    forecast = learned.predict(table, "full")
    return Case(table, forecast, rank(forecast, objective, table=table), full)


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """`make_case(names, cutoffs)` -> a case of two metrics, or the given ones, over 20 epochs."""

    def make(
        names: Sequence[str], cutoffs: dict[str, int], metrics: Sequence[Metric] = SWEEP_METRICS, **options: str
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

"""A small multi-task table with everything a table may hold, and runs in every state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lcode.graphs import ArchGraph
from lcode.table import Metric, RunTable

HORIZON = 20
METRICS = (Metric("seg", "err", "min"), Metric("depth", "miou", "max"))


def make_table(names: list[str], seed: int = 0) -> RunTable:
    """Whole runs of two tasks whose speed depends on the learning rate."""
    generator = np.random.default_rng(seed)
    epochs = np.arange(1, HORIZON + 1)
    points, signals = [], []
    configs: dict[str, dict[str, object]] = {}
    schedules: dict[str, np.ndarray] = {}
    runs: dict[str, dict[str, object]] = {}
    for name in names:
        rate = 10 ** generator.uniform(-3, -1)
        level = 0.2 + 0.05 * generator.standard_normal()
        fall = 0.7 * epochs ** -(0.3 + 5 * rate)
        noise = 0.005 * generator.standard_normal((2, HORIZON))
        configs[name] = {"lr": rate, "balancer": generator.choice(["equal", "cagrad"]), "seed": len(configs)}
        schedules[name] = rate * np.linspace(1, 0, HORIZON)
        runs[name] = {"arch": generator.choice(["small", "large"]), "horizon": HORIZON}
        for metric, values in zip(METRICS, (level + fall + noise[0], 0.9 - level - fall + noise[1]), strict=True):
            points.append(pd.DataFrame({"run": name, "epoch": epochs, "metric": metric.key, "value": values}))
        norm = {"run": name, "epoch": epochs, "metric": "seg/grad_norm", "value": 1 / epochs}
        signals.append(pd.DataFrame(norm))
    return RunTable.from_points(
        pd.concat(points),
        METRICS,
        runs=pd.DataFrame.from_dict(runs, orient="index"),
        configs=pd.DataFrame.from_dict(configs, orient="index"),
        signals=pd.concat(signals),
        schedules=schedules,
        graphs={
            "small": ArchGraph.build(["input", "linear"], [[0, 1]], params=[0, 10]),
            "large": ArchGraph.build(["input", "linear", "linear"], [[0, 1], [1, 2]], params=[0, 100, 10]),
        },
    )


@pytest.fixture(scope="session")
def finished() -> RunTable:
    """Sixteen finished runs; one lacks a metric, one diverged."""
    table = make_table([f"f{i}" for i in range(16)])
    points = table.points.copy()
    points.loc[(points["run"] == "f3") & (points["epoch"] > 12), "value"] = np.nan
    points = points[~((points["run"] == "f4") & (points["metric"] == "depth/miou"))]
    return RunTable(**{**vars(table), "points": points.reset_index(drop=True)})


@pytest.fixture(scope="session")
def whole() -> RunTable:
    """The futures of the running runs."""
    return make_table(["running", "one_epoch", "diverged", "no_miou", "unseen", "nothing", "done"], seed=1)


@pytest.fixture(scope="session")
def running(whole: RunTable) -> RunTable:
    """Runs in every state: cut at epoch 5 and 1, diverged, without a metric, without a point, finished."""
    return hide(whole)


def hide(whole: RunTable) -> RunTable:
    """What is known of the runs by now."""
    cut = whole.prefix({"running": 5, "one_epoch": 1, "diverged": 5, "no_miou": 5, "unseen": 5, "nothing": 0})
    points = cut.points.copy()
    points.loc[(points["run"] == "diverged") & (points["epoch"] >= 4), "value"] = np.inf
    points = points[~((points["run"] == "no_miou") & (points["metric"] == "depth/miou"))]
    configs = cut.configs.copy()
    configs["new_column"] = 1.0
    configs.loc["unseen", "balancer"] = "never_seen"
    return RunTable(**{**vars(cut), "points": points.reset_index(drop=True), "configs": configs})


@pytest.fixture(scope="session")
def hidden() -> Callable[[RunTable], RunTable]:
    """Hides the future of `whole`, or of a variant of it."""
    return hide

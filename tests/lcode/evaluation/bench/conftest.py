"""Small benchmarks of one family that share their configurations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from lcode.benchmarks import BENCHMARKS
from lcode.evaluation.bench import Source
from lcode.table import MAIN_TASK, Metric, RunTable

HORIZON = 12
LOSS = Metric(MAIN_TASK, "loss", "min")


def toy_table(level: float, *, runs: int = 24, metric: Metric = LOSS, twins: int = 0) -> RunTable:
    """Falling curves whose `width` says where they end; the last `twins` runs repeat the first ones with noise."""
    widths = [i / runs for i in [*range(runs - twins), *range(twins)]]
    generator = np.random.default_rng(runs)
    epochs = np.arange(1, HORIZON + 1)
    frames, configs = [], {}
    for i, width in enumerate(widths):
        values = level + width + 1 / epochs + 0.01 * generator.standard_normal(HORIZON)
        frames.append(pd.DataFrame({"run": f"r{i}", "epoch": epochs, "metric": metric.key, "value": values}))
        configs[f"r{i}"] = {"width": width, "seed": int(i >= runs - twins)}
    return RunTable.from_points(pd.concat(frames), [metric], configs=pd.DataFrame.from_dict(configs, orient="index"))


@dataclass(frozen=True)
class Toy:
    """A benchmark made on the spot."""

    level: float
    metric: Metric = LOSS
    twins: int = 0

    def load(self) -> RunTable:
        return toy_table(self.level, metric=self.metric, twins=self.twins)


TOYS = {
    "toys/low": Toy(0.1),
    "toys/high": Toy(0.4),
    "toys/other": Toy(0.1, Metric(MAIN_TASK, "acc", "max")),
    "twinned/only": Toy(0.2, twins=10),
}


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys are benchmarks."""
    for name, toy in TOYS.items():
        monkeypatch.setitem(BENCHMARKS, name, toy)


@pytest.fixture
def low() -> Source:
    return Source("toys/low")

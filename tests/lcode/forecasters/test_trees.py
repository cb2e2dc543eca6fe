from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.forecasters import forecaster, trees
from lcode.regressors.extra_trees import QuantileForest
from lcode.table import Metric, RunTable

HORIZON = 8


def repeated(configurations: int, repeats: int) -> RunTable:
    """Runs of which so many have the same configuration; the metric falls to a level that the configuration names."""
    generator = np.random.default_rng(0)
    epochs = np.arange(1, HORIZON + 1)
    points, configs = [], {}
    for i, level in enumerate(generator.uniform(1, 2, configurations)):
        for seed in range(repeats):
            values = level + 1 / epochs + 0.05 * generator.standard_normal(HORIZON)
            points.append(pd.DataFrame({"run": f"r{i}-{seed}", "epoch": epochs, "metric": "loss", "value": values}))
            configs[f"r{i}-{seed}"] = {"level": level, "seed": seed}
    frame = pd.DataFrame.from_dict(configs, orient="index")
    return RunTable.from_points(pd.concat(points), [Metric("main", "loss", "min")], configs=frame)


def test_the_repeats_of_a_run_do_not_help_to_judge_it(monkeypatch: pytest.MonkeyPatch) -> None:
    learned_from: list[np.ndarray] = []

    class Spy(QuantileForest):
        def __init__(self, features: np.ndarray, targets: np.ndarray, *, seed: int, trees: int = 150) -> None:
            learned_from.append(features)
            super().__init__(features, targets, seed=seed, trees=trees)

    monkeypatch.setattr(trees, "QuantileForest", Spy)
    table = repeated(10, 3)
    # Before the first epoch a run is its configuration: repeats have equal features, but for their seed.
    forecaster("trees").fit(table).predict(table.prefix(0))
    judged = [features for features in learned_from if len(features) < len(table)]
    assert len(judged) == 2 * trees.FOLDS
    levels = int(np.argmax([len(np.unique(column)) == 10 for column in learned_from[-1].T]))
    for features in judged:
        assert set(np.unique(features[:, levels], return_counts=True)[1].tolist()) == {3}

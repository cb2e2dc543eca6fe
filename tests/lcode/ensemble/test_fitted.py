from __future__ import annotations

import numpy as np
import pandas as pd

from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.table import Metric, RunTable


def annealed(count: int, seed: int) -> RunTable:
    """Trainings of 16 and of 96 epochs by turns, each down a cosine over its own horizon to where its level says."""
    generator = np.random.default_rng(seed)
    names, horizons = [f"{seed}-{i}" for i in range(count)], [16, 96] * (count // 2)
    parts = []
    for name, horizon in zip(names, horizons, strict=True):
        level, epochs = generator.uniform(0.1, 0.3), np.arange(1, horizon + 1)
        values = 1.5 * level * (1 + np.cos(np.pi * epochs / horizon)) + 3 * level**2
        noise = 0.005 * generator.standard_normal(horizon)
        parts.append(pd.DataFrame({"run": name, "epoch": epochs, "metric": "seg/loss", "value": values + noise}))
    runs = pd.DataFrame({"horizon": horizons}, index=names)
    return RunTable.from_points(pd.concat(parts), [Metric("seg", "loss", "min")], runs=runs)


def test_trainings_of_different_lengths_teach_each_other_at_equal_shares() -> None:
    model, new = LCGODEForecaster.load(SHIPPED).in_context(annealed(16, seed=0)), annealed(12, seed=1)
    seen = new.prefix({str(run): int(0.2 * horizon) for run, horizon in new.runs["horizon"].items()})
    ends = new.points.sort_values("epoch").groupby("run", observed=True)["value"].last()
    middle = model.predict(seen).quantiles[:, 0, 0, 10]
    # At equal epochs alone a long training that stands where short ones have nearly ended is .5 off.
    assert np.abs(middle - ends[list(new.run_ids)]).max() < 0.05

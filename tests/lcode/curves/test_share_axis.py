from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.curves.share_axis import HORIZON, ShareAxis
from lcode.table import Metric, RunTable


def table(*horizons: int) -> RunTable:
    """Runs that fall from 1 to 0 over their horizons, a value and a signal at each epoch."""
    rows = [(f"r{i}", e, "seg/loss", 1 - e / end) for i, end in enumerate(horizons) for e in range(1, end + 1)]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    signals = points.assign(metric="norm", value=points["epoch"].astype(float))
    runs = pd.DataFrame({"horizon": horizons}, index=[f"r{i}" for i in range(len(horizons))])
    return RunTable.from_points(points, [Metric("seg", "loss", "min")], runs=runs, signals=signals)


def test_runs_of_about_equal_length_need_none() -> None:
    assert ShareAxis.of(table(6, 10)) is None
    assert ShareAxis.of(table(5, 10)) == ShareAxis(10)


def test_the_same_share_of_a_training_is_the_same_tick() -> None:
    on_axis = ShareAxis(8).table(table(4, 8, 16))
    assert on_axis.runs["horizon"].tolist() == [8, 8, 8]
    assert on_axis.configs[HORIZON].tolist() == [4.0, 8.0, 16.0]
    by_run = {run: rows.set_index("epoch")["value"] for run, rows in on_axis.points.groupby("run", observed=True)}
    assert by_run["r0"].index.tolist() == [2, 4, 6, 8]
    for run in ("r1", "r2"):  # of two points in a tick the last
        assert by_run[run].index.tolist() == list(range(1, 9))
        np.testing.assert_allclose(by_run[run], 1 - by_run[run].index / 8)
    assert on_axis.signals.loc[on_axis.signals["run"] == "r2", "value"].tolist() == list(range(2, 17, 2))


def test_epochs_are_asked_for_in_ticks() -> None:
    asked = ShareAxis(100).epochs(np.array([[10.0, 20.0], [10.0, 40.0]]), np.array([20, 40]))
    assert asked == pytest.approx(np.array([[50.0, 100.0], [25.0, 100.0]]))

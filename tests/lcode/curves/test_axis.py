from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.arrays import curve_arrays
from lcode.curves.axis import LONGEST, PLACES, curve_gaps, spread_out, table_gap, ticks
from lcode.table import Metric, RunTable


def table_of(curves: dict[str, list[int]], horizon: int = 100) -> RunTable:
    rows = [(run, epoch, "loss", 1.0) for run, epochs in curves.items() for epoch in epochs]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    runs = pd.DataFrame({"horizon": horizon}, index=list(curves))
    return RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs)


def test_the_gap_is_that_between_evaluations() -> None:
    arrays = curve_arrays(table_of({"a": [100, 200, 300], "b": [1, 251, 501, 751], "c": [400]}, 1000))
    np.testing.assert_allclose(curve_gaps(arrays)[:, 0], [100, 250, np.nan])
    assert table_gap(arrays) == 175


def test_with_one_evaluation_each_the_first_epoch_is_the_gap() -> None:
    assert table_gap(curve_arrays(table_of({"a": [400], "b": [500]}, 1000))) == 400
    assert table_gap(curve_arrays(table_of({"a": [0]}))) == 1


def test_a_long_horizon_is_read_as_the_longest_one() -> None:
    np.testing.assert_allclose(ticks(5.0, np.array([50.0, 100 * LONGEST])), [5, 100])


@settings(max_examples=30)
@given(st.integers(1, 5000), st.integers(1, 10**6))
def test_of_long_curves_some_points_are_read_the_last_among_them(count: int, step: int) -> None:
    epochs = step * np.arange(1, count + 1)
    kept = spread_out(np.zeros(count, np.int64), epochs, np.array([float(epochs[-1])]))
    assert kept[-1] and kept.sum() <= PLACES + 1
    if count <= PLACES // 2:
        assert kept.all()

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.arrays import curve_arrays
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "err", "min"))
NAN, INF = float("nan"), float("inf")


def table(points: list[tuple[str, int, str, float]]) -> RunTable:
    return RunTable.from_points(pd.DataFrame(points, columns=["run", "epoch", "metric", "value"]), METRICS)


GAPPY = table(
    [
        ("a", 2, "seg/miou", 0.2),
        ("a", 7, "seg/miou", 0.7),
        ("a", 4, "seg/miou", 0.4),
        ("a", 4, "depth/err", 1.0),
        ("b", 0, "seg/miou", 0.5),
        ("b", 1, "seg/miou", INF),
        ("b", 2, "seg/miou", 0.6),
    ]
)


def test_curves_are_packed_to_the_left() -> None:
    arrays = curve_arrays(GAPPY)
    assert arrays.lengths.tolist() == [[3, 1], [2, 0]]
    assert arrays.epochs.tolist() == [[[2, 4, 7], [4, 4, 4]], [[0, 2, 2], [0, 0, 0]]]
    np.testing.assert_array_equal(arrays.values[0], [[0.2, 0.4, 0.7], [1.0, NAN, NAN]])
    assert arrays.present.tolist() == [[[True] * 3, [True, False, False]], [[True, True, False], [False] * 3]]
    assert arrays.last_epochs.tolist() == [[7, 4], [2, -1]]
    np.testing.assert_array_equal(arrays.last_values, [[0.7, 1.0], [0.6, NAN]])


def test_a_curve_has_diverged_where_no_finite_value_follows() -> None:
    late = table([("a", 1, "seg/miou", 0.1), ("a", 2, "seg/miou", NAN), ("a", 3, "seg/miou", NAN)])
    assert curve_arrays(late).diverged_at.tolist() == [[2, -1]]
    assert curve_arrays(late).lengths.tolist() == [[1, 0]]


def test_values_that_are_finite_again_later_leave_a_gap() -> None:
    arrays = curve_arrays(GAPPY)
    assert arrays.diverged_at.tolist() == [[-1, -1], [-1, -1]]
    # Known only up to the gap, the run has diverged; a finite value lifts it.
    cut = [arrays.before(np.array([9, cutoff])).diverged_at[1, 0] for cutoff in range(3)]
    assert cut == [-1, 1, -1]


def test_metrics_may_be_chosen_and_ordered() -> None:
    turned = curve_arrays(GAPPY, metrics=METRICS[::-1])
    np.testing.assert_array_equal(turned.values[:, ::-1, 0], curve_arrays(GAPPY).values[..., 0])
    unknown = curve_arrays(GAPPY, metrics=(Metric("normal", "err", "min"),))
    assert unknown.lengths.tolist() == [[0], [0]] and unknown.values.shape == (2, 1, 0)


def test_prefixes_hide_what_comes_after() -> None:
    cut = curve_arrays(GAPPY).before(np.array([4, 0]))
    assert cut.lengths.tolist() == [[2, 1], [1, 0]]
    np.testing.assert_array_equal(cut.values[0, 0], [0.2, 0.4, NAN])
    assert cut.diverged_at.tolist() == [[-1, -1], [-1, -1]]
    np.testing.assert_array_equal(cut.last_values[0], [0.4, 1.0])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 9), st.sampled_from([0.1, 0.2, NAN, INF, -INF]), max_size=9),
        min_size=1,
        max_size=4,
    )
)
def test_prefixes_are_those_of_the_cut_table(curves: list[dict[int, float]]) -> None:
    runs = table([(f"r{i // 2}", e, METRICS[i % 2].key, v) for i, c in enumerate(curves) for e, v in c.items()])
    for cutoff in range(-1, 11):
        shorter = runs.prefix(cutoff)
        whole, cut = curve_arrays(runs).before(np.full(len(runs), cutoff)), curve_arrays(shorter)
        np.testing.assert_array_equal(whole.lengths, cut.lengths)
        np.testing.assert_array_equal(whole.diverged_at, cut.diverged_at)
        np.testing.assert_array_equal(whole.last_values, cut.last_values)
        for (r, run), (k, metric) in itertools.product(enumerate(runs.run_ids), enumerate(METRICS)):
            one, same = runs.curve(run, metric.key).prefix(cutoff), shorter.curve(run, metric.key)
            assert (
                one.diverged_at == same.diverged_at == (cut.diverged_at[r, k] if cut.diverged_at[r, k] >= 0 else None)
            )
            assert one.gaps == same.gaps
            assert one.epochs.tolist() == same.epochs.tolist() == cut.epochs[r, k, : cut.lengths[r, k]].tolist()


def test_rows() -> None:
    arrays = curve_arrays(GAPPY)
    np.testing.assert_array_equal(arrays.rows(np.array([1])).values, arrays.values[1:])


def test_a_table_without_a_point() -> None:
    empty = curve_arrays(table([]))
    assert empty.values.shape == (0, 2, 0)
    nothing = curve_arrays(GAPPY.prefix(-1))
    assert nothing.lengths.tolist() == [[0, 0], [0, 0]] and np.isnan(nothing.last_values).all()
    assert np.isnan(nothing.interpolate(np.array([[1, 2], [3, 4]]))).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 40), st.floats(-1e3, 1e3), max_size=8),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.integers(0, 60), min_size=1, max_size=9),
)
def test_interpolation_is_numpys(curves: list[dict[int, float]], at: list[int]) -> None:
    metric = Metric("main", "loss", "min")
    names = [f"r{i}" for i in range(len(curves))]
    rows = [(n, e, "loss", v) for n, curve in zip(names, curves, strict=True) for e, v in curve.items()]
    runs = RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]).astype({"epoch": int, "value": float}),
        [metric],
        runs=pd.DataFrame({"horizon": [60] * len(names)}, index=names),
    )
    result = curve_arrays(runs).interpolate(np.tile(at, (len(names), 1)))
    for i, curve in enumerate(curves):
        known = sorted(curve)
        expected = np.interp(at, known, [curve[e] for e in known]) if known else np.full(len(at), NAN)
        assert result[i, 0] == pytest.approx(expected, abs=1e-9, nan_ok=True)

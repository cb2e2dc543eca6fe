from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_runs.studies.imbalance import (
    best_of,
    bootstrap_interval,
    correlation,
    mean_interval,
    norm_ratio,
    partial_correlation,
    permutation_p_value,
    ranks_within,
)

TASKS = pd.DataFrame(
    {
        "run": ["r", "r", "r", "q", "q", "q"],
        "weight": [0.5, 0.25, 0.25, 1 / 3, 1 / 3, 1 / 3],
        "norm": [1.0, 10.0, 10.0, 5.0, 5.0, 5.0],
    }
)


def test_the_norm_ratio_compares_a_task_with_the_mean_of_the_others() -> None:
    ratio = norm_ratio(TASKS, "norm", weighted=False)
    assert list(ratio) == pytest.approx([-1.0, np.log10(10 / 5.5), np.log10(10 / 5.5), 0.0, 0.0, 0.0])


def test_weights_count_where_they_are_asked_for() -> None:
    assert norm_ratio(TASKS, "norm", weighted=True)[0] == pytest.approx(np.log10(0.5 / 2.5))


def test_a_mean_has_students_interval() -> None:
    interval = mean_interval([1.0, 2.0, 3.0])
    assert interval.estimate == 2.0
    assert interval.high - 2.0 == pytest.approx(4.302653 / np.sqrt(3))
    assert interval.low == pytest.approx(4.0 - interval.high)
    assert str(interval) == "+2.00 [-0.48, +4.48]"


def test_one_value_has_no_interval() -> None:
    assert np.isnan(mean_interval([1.0]).low)


def test_correlations() -> None:
    x = pd.Series([1.0, 2.0, 3.0, 4.0])
    assert correlation(x, x**3, "spearman") == pytest.approx(1.0)
    assert correlation(x, -2 * x, "pearson") == pytest.approx(-1.0)
    assert np.isnan(correlation(x, 0 * x, "spearman"))


def test_ranks_are_taken_inside_each_group() -> None:
    ranks = ranks_within(pd.Series([1.0, 3.0, 200.0, 100.0]), pd.Series(["a", "a", "b", "b"]))
    assert list(ranks) == [-0.25, 0.25, 0.25, -0.25]


def test_the_bootstrap_draws_whole_clusters() -> None:
    frame = pd.DataFrame({"cluster": ["a"] * 50 + ["b"] * 50, "value": [0.0] * 50 + [1.0] * 50})
    interval = bootstrap_interval(frame, lambda drawn: float(drawn["value"].mean()), "cluster", n_draws=200)
    assert (interval.estimate, interval.low, interval.high) == (0.5, 0.0, 1.0)


def test_the_bootstrap_repeats_itself() -> None:
    frame = pd.DataFrame({"cluster": list("abcdef"), "value": np.arange(6.0)})
    one, two = (bootstrap_interval(frame, lambda d: float(d["value"].mean()), "cluster", n_draws=50) for _ in range(2))
    assert one == two


def test_the_permutation_test_tells_related_from_unrelated() -> None:
    frame = pd.DataFrame({"group": np.repeat(np.arange(8), 4), "x": np.tile(np.arange(4.0), 8)})
    frame["y"] = frame["x"] + 10 * frame["group"]
    frame["none"] = np.random.default_rng(0).normal(size=32)

    def against(column: str) -> float:
        def statistic(drawn: pd.DataFrame) -> float:
            return correlation(drawn["x"], ranks_within(drawn[column], drawn["group"]), "pearson")

        return permutation_p_value(frame, statistic, column, "group", n_draws=200)

    assert against("y") == pytest.approx(1 / 201)
    assert against("none") > 0.05


@given(
    scores=st.lists(
        st.tuples(st.integers(0, 99), st.integers(-5, 5)), min_size=1, max_size=7, unique_by=lambda t: t[0]
    ),
    data=st.data(),
)
def test_the_best_of_n_is_the_mean_over_all_draws(scores: list[tuple[int, int]], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(scores)))
    expected = np.mean([max(drawn)[1] for drawn in combinations(scores, n)])
    criterion, score = zip(*scores, strict=True)
    assert best_of(n, criterion, score) == pytest.approx(expected)


def test_what_others_tell_is_taken_out_of_a_partial_coefficient() -> None:
    a, b, c = (np.random.default_rng(seed).normal(size=200) for seed in range(3))
    frame = pd.DataFrame({"x": a + b, "y": a - 3 * c, "a": a, "b": b})
    assert correlation(frame["x"], frame["y"], "spearman") > 0.15
    assert abs(partial_correlation(frame["x"], frame["y"], frame[["a"]])) < 0.1
    assert partial_correlation(frame["x"], frame["y"], frame[[]]) == pytest.approx(
        correlation(frame["x"], frame["y"], "spearman")
    )
    # Nothing is left of a column that is given.
    assert np.isnan(partial_correlation(frame["x"], frame["y"], frame[["x", "b"]]))


def test_a_partial_coefficient_by_hand() -> None:
    x, y, z = (pd.Series(values) for values in ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0], [2.0, 1.0, 3.0, 4.0]))
    xy, xz, yz = (correlation(*pair, "spearman") for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_correlation(x, y, z.to_frame("z")) == pytest.approx(expected)

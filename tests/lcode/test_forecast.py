from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, pearsonr, spearmanr

from lcode.forecast import (
    FULL_EPOCHS,
    GRID,
    LEVELS,
    NO_EPOCH,
    Q05,
    Q50,
    Q95,
    Forecast,
    grid_note,
    query_epochs,
    sample_quantiles,
)
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("main", "loss", "min"))


def make(quantiles: np.ndarray, *, metrics: int = 1, **changes: Any) -> Forecast:
    """One run, `metrics` metrics, quantiles of shape [Q, 21]."""
    queries = len(quantiles)
    return Forecast(
        **{
            "run_ids": ("a",),
            "metrics": METRICS[:metrics],
            "epochs": np.arange(1, queries + 1)[None],
            "quantiles": np.broadcast_to(quantiles, (1, metrics, queries, len(LEVELS))).copy(),
            "status": np.full((1, metrics), "ok"),
            "observed": np.zeros((1, metrics), dtype=np.int64),
            "horizons": np.array([queries]),
            **changes,
        }
    )


NORMAL = make(norm.ppf(LEVELS)[None])


def table(epochs: dict[str, list[int]], horizons: dict[str, int]) -> RunTable:
    rows = [(run, epoch, "loss", 1.0) for run, at in epochs.items() for epoch in at]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        [Metric("main", "loss", "min")],
        runs=pd.DataFrame({"horizon": horizons}),
    )


def test_places_of_the_median_and_of_the_ends_of_the_interval() -> None:
    assert LEVELS[[Q05, Q50, Q95]].tolist() == [0.05, 0.5, 0.95]


@given(st.floats(-100, 100), st.floats(0.01, 50))
def test_moments_of_a_uniform_distribution(low: float, width: float) -> None:
    forecast = make(low + width * LEVELS[None])
    np.testing.assert_allclose(forecast.mean(), low + width / 2, atol=1e-9 * (abs(low) + width))
    # The tails beyond 1 % and 99 % are taken as constant, which costs a little of the spread.
    np.testing.assert_allclose(forecast.std(), width / np.sqrt(12), rtol=1e-3)


def test_moments_of_a_normal_distribution() -> None:
    forecast = make(3 + 2 * norm.ppf(LEVELS)[None])
    np.testing.assert_allclose(forecast.mean(), 3, atol=1e-12)
    np.testing.assert_allclose(forecast.std(), 2, rtol=0.03)


def test_a_certain_value_has_no_spread() -> None:
    forecast = make(np.full((1, len(LEVELS)), 0.7))
    np.testing.assert_allclose(forecast.mean(), 0.7)
    np.testing.assert_allclose(forecast.std(), 0, atol=1e-12)
    np.testing.assert_allclose(forecast.sample(5), 0.7)
    for value in np.random.default_rng(0).normal(size=200):
        certain = make(np.full((1, len(LEVELS)), value))
        assert certain.std().item() == 0 and certain.mean().item() == value  # to the last bit


def test_quantiles_are_exact_at_the_levels_and_linear_between() -> None:
    values = np.sort(np.random.default_rng(0).standard_normal(len(LEVELS)))
    forecast = make(values[None])
    for level, value in zip(LEVELS, values, strict=True):
        np.testing.assert_allclose(forecast.quantile(float(level)), value)
    np.testing.assert_allclose(forecast.quantile(0.075), (values[1] + values[2]) / 2)
    np.testing.assert_allclose(forecast.quantile(0.001), values[0])
    np.testing.assert_allclose(forecast.quantile(0.999), values[-1])


def test_samples_follow_the_quantiles() -> None:
    values = np.exp(norm.ppf(LEVELS))
    drawn = make(values[None]).sample(20_000, seed=1)[:, 0, 0, 0]
    np.testing.assert_allclose(np.quantile(drawn, LEVELS[1:-1]), values[1:-1], rtol=0.06)


def test_metrics_are_joined_by_the_correlation() -> None:
    for rho in (-0.8, 0.0, 0.8):
        joined = make(norm.ppf(LEVELS)[None], metrics=2, correlation=np.array([[[1, rho], [rho, 1]]]))
        drawn = joined.sample(8000, seed=2)[:, 0, :, 0]
        assert pearsonr(*drawn.T).statistic == pytest.approx(rho, abs=0.05)
    unknown = make(norm.ppf(LEVELS)[None], metrics=2).sample(8000)[:, 0, :, 0]
    assert abs(pearsonr(*unknown.T).statistic) < 0.05


def test_epochs_are_joined_by_the_persistence() -> None:
    for persistence in (0.0, 0.5, 0.95):
        curve = make(np.tile(norm.ppf(LEVELS), (2, 1)), persistence=persistence)
        drawn = curve.sample(8000, seed=3)[:, 0, 0]
        assert spearmanr(drawn[:, 0], drawn[:, 1]).statistic == pytest.approx(persistence, abs=0.05)


def test_correlation_and_persistence_keep_the_marginals() -> None:
    both = make(
        np.tile(norm.ppf(LEVELS), (3, 1)), metrics=2, persistence=0.4, correlation=np.array([[[1, 0.7], [0.7, 1]]])
    )
    drawn = both.sample(20_000, seed=4)
    assert drawn.shape == (20_000, 1, 2, 3)
    np.testing.assert_allclose(drawn.std(0), both.std()[0][None], rtol=0.04)


def test_the_same_seed_gives_the_same_samples_and_leaves_the_global_state_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    np.testing.assert_array_equal(NORMAL.sample(9, seed=5), NORMAL.sample(9, seed=5))
    assert not np.array_equal(NORMAL.sample(9, seed=5), NORMAL.sample(9, seed=6))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


def test_equal_curves_have_the_same_samples_each_in_its_own_order() -> None:
    values = np.broadcast_to(norm.ppf(LEVELS), (2, 2, 3, len(LEVELS))).copy()
    joined = np.broadcast_to([[1, 0.6], [0.6, 1]], (2, 2, 2)).copy()
    two = replace(make(values[0, 0], metrics=2), run_ids=("a", "b"), quantiles=values, correlation=joined)
    first, second = np.moveaxis(two.sample(64), 1, 0)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first, axis=0), np.sort(second, axis=0))


def test_quantiles_of_samples_are_those_of_the_forecast() -> None:
    drawn = NORMAL.sample(510)
    np.testing.assert_allclose(
        sample_quantiles(drawn, (0.05, 0.5, 0.95)).ravel(), norm.ppf([0.05, 0.5, 0.95]), atol=1e-4
    )


def test_where_there_is_no_forecast_everything_is_missing() -> None:
    nothing = make(np.full((1, len(LEVELS)), np.nan))
    for values in (nothing.mean(), nothing.std(), nothing.quantile(0.5), nothing.sample(3)):
        assert np.isnan(values).all()


def test_the_frame_has_a_row_per_run_metric_and_epoch() -> None:
    quantiles = np.broadcast_to(norm.ppf(LEVELS), (3, 2, 3, len(LEVELS))).copy()
    quantiles[2] = np.nan
    forecast = Forecast(
        run_ids=("a", "b", "c"),
        metrics=METRICS,
        epochs=np.array([[4, 5, 6], [6, NO_EPOCH, NO_EPOCH], [NO_EPOCH] * 3]),
        quantiles=quantiles,
        status=np.array([["ok", "ok"], ["finished", "ok"], ["diverged", "too_short"]]),
        observed=np.array([[3, 3], [6, 5], [2, -1]]),
        horizons=np.array([6, 6, 6]),
    )
    frame = forecast.to_frame()
    assert frame.columns.tolist() == (
        ["run", "task", "metric", "observed", "epoch", "mean", "std", "q05", "q25", "q50", "q75", "q95", "status"]
    )
    assert frame.groupby(["run", "task"]).size().to_dict() == {
        ("a", "main"): 3, ("a", "seg"): 3, ("b", "main"): 1, ("b", "seg"): 1, ("c", "main"): 1, ("c", "seg"): 1,
    }  # fmt: skip
    first = frame.iloc[0]
    assert (first["run"], first["task"], first["metric"], first["observed"], first["epoch"]) == (
        "a",
        "seg",
        "miou",
        3,
        4,
    )
    assert first["q95"] == pytest.approx(norm.ppf(0.95))
    assert frame[frame["run"] == "c"]["status"].tolist() == ["diverged", "too_short"]
    assert frame[frame["run"] == "c"]["q50"].isna().all()


def test_the_final_forecast_is_that_of_each_runs_last_epoch() -> None:
    quantiles = np.arange(4 * len(LEVELS), dtype=float).reshape(2, 1, 2, len(LEVELS))
    forecast = Forecast(
        ("a", "b"), METRICS[:1], np.array([[5, 6], [6, NO_EPOCH]]), quantiles, np.full((2, 1), "ok"),
        np.zeros((2, 1), dtype=np.int64), np.array([6, 6]),
    )  # fmt: skip
    final = forecast.final()
    assert final.epochs.tolist() == [[6], [6]]
    np.testing.assert_array_equal(final.quantiles[:, 0, 0], quantiles[[0, 1], 0, [1, 0]])


def test_asked_epochs() -> None:
    runs = table({"a": [1, 2, 3], "b": [1, 5], "c": [1, 2, 3, 4, 5, 6]}, {"a": 6, "b": 6, "c": 6})
    assert query_epochs(runs, "horizon").tolist() == [[6], [6], [6]]
    assert query_epochs(runs, "full").tolist() == [[4, 5, 6], [6, 0, 0], [6, 0, 0]]
    asked = query_epochs(runs, {"a": np.array([2, 4]), "c": np.array([6])})
    assert asked.tolist() == [[2, 4], [0, 0], [6, 0]]


def test_asked_epochs_of_runs_that_count_from_0() -> None:
    runs = table({"a": [0, 1], "b": [0]}, {"a": 3, "b": 0})
    assert query_epochs(runs, "full").tolist() == [[2, 3], [1, 0]]
    assert query_epochs(runs, "horizon").tolist() == [[3], [1]]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.data())
def test_full_covers_everything_between_the_prefix_and_the_horizon(horizons: list[int], data: st.DataObject) -> None:
    names = [f"r{i}" for i in range(len(horizons))]
    last = [data.draw(st.integers(1, horizon)) for horizon in horizons]
    runs = table(
        {name: list(range(1, end + 1)) for name, end in zip(names, last, strict=True)},
        dict(zip(names, horizons, strict=True)),
    )
    for row, end, horizon in zip(query_epochs(runs, "full"), last, horizons, strict=True):
        expected = list(range(end + 1, horizon + 1)) or [horizon]
        assert row[row != NO_EPOCH].tolist() == expected


def test_of_a_far_horizon_a_full_forecast_is_a_grid_that_ends_there() -> None:
    seen = {"far": [1], "edge": [1], "near": [7], "done": [9]}
    epochs = query_epochs(table(seen, {"far": 10**9, "edge": 1 + FULL_EPOCHS, "near": 9, "done": 9}), "full")
    far, edge, near, done = (row[row != NO_EPOCH] for row in epochs)
    assert len(far) == GRID and far[0] == 2 and far[-1] == 10**9 and np.ptp(np.diff(far)) <= 1
    assert edge.tolist() == list(range(2, FULL_EPOCHS + 2))
    assert near.tolist() == [8, 9] and done.tolist() == [9]
    assert f"a grid of {GRID} epochs" in grid_note(epochs)[0] and not grid_note(epochs[1:])
    beyond = query_epochs(table({"a": [1]}, {"a": 2 + FULL_EPOCHS}), "full")
    assert beyond.shape == (1, GRID) and (np.diff(beyond) > 0).all()


def test_the_frame_is_in_the_users_epochs() -> None:
    forecast = make(np.zeros((3, len(LEVELS))), epochs=np.array([[3, 4, 6]]), observed=np.array([[2]]), epoch_unit=0.5)
    frame = forecast.to_frame()
    assert frame["epoch"].tolist() == [1.5, 2.0, 3.0] and frame["observed"].tolist() == [1.0] * 3
    nothing = make(np.zeros((1, len(LEVELS))), observed=np.array([[-1]]), epoch_unit=0.5)
    assert nothing.to_frame()["observed"].tolist() == [0]  # a candidate
    assert NORMAL.to_frame()["epoch"].dtype == np.int64

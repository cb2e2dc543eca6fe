"""Exact values of the forecasters that have a formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.arrays import curve_arrays
from lcode.curves.continuation import at_epochs, continuation_grid, share_epochs
from lcode.curves.power_fit import fit_power_laws
from lcode.forecast import LEVELS
from lcode.forecasters import forecaster
from lcode.table import Metric, RunTable

MEDIAN = int(np.argmin(np.abs(LEVELS - 0.5)))


def table_of(
    curves: dict[str, list[float]], *, horizon: int | None = None, direction: str = "min", first: int = 1
) -> RunTable:
    frames = [
        pd.DataFrame({"run": run, "epoch": range(first, first + len(values)), "metric": "loss", "value": values})
        for run, values in curves.items()
    ]
    runs = None if horizon is None else pd.DataFrame({"horizon": horizon}, index=list(curves))
    metric = Metric("main", "loss", "max" if direction == "max" else "min")
    return RunTable.from_points(pd.concat(frames), [metric], runs=runs)


def test_last_value() -> None:
    forecast = forecaster("last").predict(table_of({"a": [3.0, 1.0, 2.0]}, horizon=5), "full")
    np.testing.assert_array_equal(forecast.quantiles, np.full((1, 1, 2, 21), 2.0))


@pytest.mark.parametrize(("direction", "best"), [("min", 1.0), ("max", 3.0)])
def test_best_so_far(direction: str, best: float) -> None:
    forecast = forecaster("best").predict(table_of({"a": [3.0, 1.0, 2.0]}, horizon=5, direction=direction))
    np.testing.assert_array_equal(forecast.quantiles, np.full((1, 1, 1, 21), best))


def test_drift_adds_the_median_change_since_the_same_epoch() -> None:
    known = table_of({"a": [5.0, 4, 3, 2], "b": [5.0, 4, 4, 4], "c": [9.0, 4, 2, 3]})
    forecast = forecaster("drift").fit(known).predict(table_of({"r": [20.0, 10.0]}, horizon=4), "full")
    # Changes since epoch 2: -1, 0, -2 at epoch 3 and -2, 0, -1 at epoch 4.
    np.testing.assert_allclose(forecast.quantiles[0, 0, :, MEDIAN], [9.0, 9.0])
    np.testing.assert_allclose(forecast.quantile(0.95)[0, 0], [9.9, 9.9])


def test_drift_aligns_runs_of_different_horizons_at_their_end() -> None:
    short = table_of({"a": [4.0, 4, 3, 2], "b": [4.0, 4, 3, 2], "c": [4.0, 4, 3, 2]})
    long = table_of({"r": [10.0, 10.0]}, horizon=6)
    forecast = forecaster("drift").fit(short).predict(long, "full")
    np.testing.assert_allclose(forecast.quantiles[0, 0, :, MEDIAN], [9.5, 9.0, 8.5, 8.0])


def test_power_law_is_recovered_and_errors_of_the_finished_runs_are_its_spread() -> None:
    time = np.arange(1, 41)
    exact = {f"f{i}": list(0.1 * i + 2.0 * time**-0.5) for i in range(1, 6)}
    forecast = forecaster("power").fit(table_of(exact)).predict(table_of({"r": exact["f2"][:8]}, horizon=40))
    np.testing.assert_allclose(forecast.quantiles[0, 0, 0], exact["f2"][-1], rtol=0.02)


def test_power_law_needs_three_points() -> None:
    table = table_of({"two": [3.0, 2.0], "flat": [1.0, 1.0, 1.0]}, horizon=9)
    forecast = forecaster("power").fit(table.select([])).predict(table)
    np.testing.assert_allclose(forecast.quantiles[:, 0, 0, 0], [2.0, 1.0])


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(0.0, 1e3), min_size=1, max_size=90),
    first=st.integers(0, 5),
)
def test_power_laws_stay_within_reach(values: list[float], first: int) -> None:
    arrays = curve_arrays(table_of({"a": values}, horizon=500, first=first))
    fit = fit_power_laws(arrays)
    spread = max(values) - min(values)
    future = fit.at(np.array([[500]]))
    assert np.isfinite(future).all()
    assert fit.asymptote[0, 0] >= min(0.0, values[-1] - 3 * spread) - 1e-6 * max(values)
    assert fit.asymptote[0, 0] <= values[-1] + 3 * spread + 1e-6 * max(values)


def test_trees_use_the_configuration_before_the_first_epoch() -> None:
    rates = np.linspace(0.1, 1.0, 24)
    table = table_of({f"f{i}": list(rate + 1 / np.arange(1, 11)) for i, rate in enumerate(rates)})
    table = RunTable(**{**vars(table), "configs": pd.DataFrame({"lr": rates}, index=table.runs.index)})
    fresh = table.select(["f3", "f20"]).prefix(0)
    rest = table.select([run for run in table.run_ids if run not in ("f3", "f20")])
    forecast = forecaster("trees").fit(rest).predict(fresh)
    assert forecast.status.tolist() == [["ok"], ["ok"]]
    np.testing.assert_allclose(forecast.quantiles[:, 0, 0, MEDIAN], rates[[3, 20]] + 0.1, atol=0.1)


def test_trees_keep_losses_positive_and_their_spread_covers() -> None:
    generator = np.random.default_rng(0)
    time = np.arange(1, 21)
    curves = {f"f{i}": list(np.exp(-generator.uniform(0.05, 0.4) * time)) for i in range(60)}
    table = table_of(curves)
    model = forecaster("trees").fit(table.select(table.run_ids[:40]))
    test = table.select(table.run_ids[40:])
    forecast = model.predict(test.prefix(4))
    truth = np.array([curves[run][-1] for run in test.run_ids])
    assert (forecast.quantiles > 0).all()
    inside = (forecast.quantile(0.05)[:, 0, 0] <= truth) & (truth <= forecast.quantile(0.95)[:, 0, 0])
    assert inside.mean() >= 0.8
    assert np.corrcoef(np.log(forecast.quantiles[:, 0, 0, MEDIAN]), np.log(truth))[0, 1] > 0.98


@settings(max_examples=30, deadline=None)
@given(cutoff=st.integers(-1, 70), horizon=st.integers(2, 120))
def test_a_path_given_on_the_grid_is_read_back_at_the_grid(cutoff: int, horizon: int) -> None:
    horizons = np.array([max(horizon, cutoff + 1)])
    grid = continuation_grid(horizons, cutoff)
    epochs = share_epochs(horizons, cutoff, grid)
    assert epochs[0, -1] == horizons[0] and (np.diff(epochs) > 0).all() and grid[-1] == 1
    path = epochs[:, None, :, None].astype(float)
    start = np.array([[float(max(cutoff, 0))]])
    np.testing.assert_allclose(
        at_epochs(path, grid, start, cutoff, horizons, epochs)[..., 0], epochs[:, None], atol=0.51
    )

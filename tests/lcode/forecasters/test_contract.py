"""What every forecaster keeps to; a new one is added to `NAMES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lcode.errors import LcodeError, NotEnoughDataError, UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.forecasters import FORECASTERS, Forecaster, forecaster
from lcode.network.loop import FitSettings
from lcode.table import RunTable

LEARNING = (
    "trees",
    "qforest",
    "qforest-curve",
    "config",
    "knn",
    "ridge",
    "boosting",
    "boosting-random",
    "lstm",
    "gp",
    "trees+gp",
    "lkgp",
    "egp",
    "dpl",
    "mpl",
    "lcbnn",
    "nsde",
    "vrnn",
)
CURVE_ALONE = ("last", "best", "drift", "power")
"""They go by a run's own curve, and say nothing of a candidate."""

NAMES = ("lcode", *CURVE_ALONE, *LEARNING)
RUNS = ("running", "one_epoch", "diverged", "no_miou", "unseen", "nothing", "done")

ROUNDING = {"lcode": 1e-4, "lkgp": 1e-9, "mpl": 1e-9, "lcbnn": 1e-9, "nsde": 1e-9, "vrnn": 1e-9}
"""Products of matrices of another size round otherwise, above all in single precision; the others are held to 1e-9."""


@pytest.fixture(scope="module", autouse=True)
def short_training(brief_searches: None) -> Iterator[None]:
    """What is kept to here does not depend on how long a method is trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lcode.forecasters.boosting.ROUNDS", 10)
        patch.setattr("lcode.forecasters.boosting_random.ROUNDS", 10)
        patch.setattr("lcode.forecasters.lstm.STEPS", 60)
        patch.setattr("lcode.forecasters.dpl.STEPS", 60)
        patch.setattr("lcode.forecasters.vrnn.STEPS", 10)
        patch.setattr("lcode.forecasters.neural_sde.STEPS", 10)
        patch.setattr("lcode.forecasters.lc_bnn.BURN_IN", 20)
        patch.setattr("lcode.forecasters.lc_bnn.BETWEEN", 2)
        patch.setattr("lcode.forecasters.dpl.REFINING", 4)
        patch.setattr("lcode.ensemble.training.settings_for", lambda runs, **_: FitSettings(steps=6, batch=8))
        yield


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest, finished: RunTable) -> Forecaster:
    return forecaster(request.param, seed=3).fit(finished)


@pytest.fixture(scope="module")
def forecast(fitted: Forecaster, running: RunTable) -> Forecast:
    """What it says of the running runs at the horizon."""
    return fitted.predict(running)


def same(a: Forecast, b: Forecast, tolerance: float = 0.0) -> None:
    np.testing.assert_array_equal(a.epochs, b.epochs)
    np.testing.assert_array_equal(a.status, b.status)
    np.testing.assert_allclose(a.quantiles, b.quantiles, rtol=tolerance, atol=tolerance)


def test_every_run_has_its_place_in_natural_units(forecast: Forecast, running: RunTable) -> None:
    assert forecast.run_ids == RUNS and forecast.metrics == running.metrics
    assert forecast.quantiles.shape == (7, 2, 1, len(LEVELS))
    assert (forecast.epochs == 20).all() and (forecast.horizons == 20).all()
    values = forecast.quantiles[:2]
    assert np.isfinite(values).all() and (values > -0.5).all() and (values < 1.5).all()
    assert (np.diff(forecast.quantiles, axis=-1)[np.isfinite(forecast.quantiles[..., 1:])] >= 0).all()


def test_each_curve_has_its_status(fitted: Forecaster, forecast: Forecast) -> None:
    status = dict(zip(RUNS, forecast.status.tolist(), strict=True))
    candidate = "too_short" if fitted.name in CURVE_ALONE else "ok"
    assert status == {
        "running": ["ok", "ok"],
        "one_epoch": ["ok", "ok"],
        "diverged": ["diverged", "diverged"],
        "no_miou": ["ok", "too_short"],
        "unseen": ["ok", "ok"],
        "nothing": [candidate] * 2,
        "done": ["finished", "finished"],
    }


def test_a_finished_run_has_its_observed_value_and_a_diverged_one_none(forecast: Forecast, running: RunTable) -> None:
    done = running.curve("done", "seg/err").values[-1]
    np.testing.assert_array_equal(forecast.quantiles[RUNS.index("done"), 0, 0], np.full(len(LEVELS), done))
    assert np.isnan(forecast.quantiles[RUNS.index("diverged")]).all()
    assert forecast.observed[RUNS.index("diverged")].tolist() == [3, 3]


def test_full_covers_every_epoch_after_the_prefix(fitted: Forecaster, running: RunTable, forecast: Forecast) -> None:
    full = fitted.predict(running, "full")
    row = full.epochs[RUNS.index("running")]
    assert row[row > 0].tolist() == list(range(6, 21))
    assert np.isfinite(full.quantiles[RUNS.index("running")][:, row > 0]).all()
    assert np.isnan(full.quantiles[RUNS.index("running")][:, row == 0]).all()
    same(full.final(), forecast, ROUNDING.get(fitted.name, 0.0))


def test_asked_epochs_by_run(fitted: Forecaster, running: RunTable) -> None:
    asked = fitted.predict(running, {"running": np.array([3, 7, 20])})
    assert asked.epochs[0].tolist() == [3, 7, 20]
    seen = running.curve("running", "seg/err").values[2]
    np.testing.assert_array_equal(asked.quantiles[0, 0, 0], np.full(len(LEVELS), seen))
    same(asked.final(), fitted.predict(running, {"running": np.array([20])}), ROUNDING.get(fitted.name, 0.0))


def test_the_same_seed_gives_the_same_numbers(
    fitted: Forecaster, finished: RunTable, running: RunTable, forecast: Forecast
) -> None:
    again = forecaster(fitted.name, seed=3).fit(finished)
    same(forecast, again.predict(running))
    same(forecast, fitted.predict(running))


def test_the_order_of_the_runs_does_not_matter(
    fitted: Forecaster, finished: RunTable, running: RunTable, forecast: Forecast
) -> None:
    turned = fitted.predict(running.select(RUNS[::-1]))
    tolerance = ROUNDING.get(fitted.name, 1e-9)
    np.testing.assert_allclose(turned.quantiles[::-1], forecast.quantiles, rtol=tolerance)
    relearned = forecaster(fitted.name, seed=3).fit(finished.select(finished.run_ids[::-1]))
    np.testing.assert_allclose(relearned.predict(running).quantiles, forecast.quantiles, rtol=1e-9)


def test_a_run_is_forecast_by_itself(fitted: Forecaster, running: RunTable, forecast: Forecast) -> None:
    alone = fitted.predict(running.select(["running"]))
    tolerance = ROUNDING.get(fitted.name, 1e-9)
    np.testing.assert_allclose(alone.quantiles, forecast.quantiles[:1], rtol=tolerance)


def test_nothing_after_the_prefix_is_used(
    fitted: Forecaster, whole: RunTable, forecast: Forecast, hidden: Callable[[RunTable], RunTable]
) -> None:
    points = whole.points.copy()
    points.loc[(points["epoch"] > 5) & (points["run"] != "done"), "value"] *= 7
    signals = whole.signals.copy()
    signals.loc[signals["epoch"] > 5, "value"] *= 7
    other = hidden(RunTable(**{**vars(whole), "points": points, "signals": signals}))
    same(fitted.predict(other), forecast)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_finished_run(name: str, finished: RunTable, running: RunTable) -> None:
    model = forecaster(name)
    nothing = finished.select([])
    if model.min_finished:
        with pytest.raises(NotEnoughDataError, match=r"0 finished runs .* are needed"):
            model.fit(nothing)
    else:
        assert np.isfinite(model.fit(nothing).predict(running).quantiles[0]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_that_no_finished_run_has_is_still_forecast(name: str, finished: RunTable, running: RunTable) -> None:
    points = finished.points[finished.points["metric"] == "seg/err"]
    known = RunTable.from_points(points, finished.metrics, runs=finished.runs, configs=finished.configs)
    forecast = forecaster(name).fit(known).predict(running)
    assert np.isfinite(forecast.quantiles[:2]).all()


def test_forecasting_before_learning_is_refused(running: RunTable) -> None:
    for name in ("lcode", "drift", "power", *LEARNING):
        with pytest.raises(LcodeError, match=r"call fit"):
            forecaster(name).predict(running)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match=r"no forecaster 'tree'; there are: .*trees"):
        forecaster("tree")
    assert {*NAMES, "paper"} <= set(FORECASTERS)

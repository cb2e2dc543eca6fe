from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lcode
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.settings_prior import SettingsPrior, tilted
from lcode.forecast import LEVELS, Q50
from lcode.table import Metric, RunTable

RATES = np.geomspace(1e-4, 1e-1, 16)


def sweep(best: float, epochs: int = 1, name: str = "lr", horizon: int = 20) -> RunTable:
    """Runs that end the better the nearer their rate is to the best one, and begin all alike."""
    apart = np.abs(np.log(RATES / best))
    runs = [f"r{i:02d}" for i in range(len(RATES))]
    parts = [
        pd.DataFrame({"run": run, "epoch": np.arange(1, epochs + 1), "metric": "seg/loss",
                      "value": 1.0 - (1 - 0.1 * far) * np.linspace(0, 1, horizon)[:epochs]})
        for run, far in zip(runs, apart, strict=True)
    ]  # fmt: skip
    facts = pd.DataFrame({"horizon": horizon}, index=runs)
    configs = pd.DataFrame({name: RATES, "note": "x"}, index=runs)
    return RunTable.from_points(pd.concat(parts), [Metric("seg", "loss", "min")], runs=facts, configs=configs)


PRIOR = SettingsPrior.learned([[sweep(1e-2, 20)], [sweep(5e-3, 20, "learning_rate"), sweep(2e-2, 20)]])


def test_what_settings_did_elsewhere_is_expected_of_others_by_whatever_name() -> None:
    configs = pd.DataFrame({"optim.learning_rate": RATES})
    prospects = PRIOR.among(configs)(configs)
    assert 1e-3 < RATES[prospects.argmax()] < 5e-2 and prospects.argmin() == 0
    assert abs(prospects.mean()) < 1e-9 and 0.5 < prospects.std() < 1.2


@pytest.mark.parametrize("configs", [pd.DataFrame({"seed": [1, 2, 3]}), pd.DataFrame({"lr": [0.1, 0.1, 0.1]})])
def test_nothing_is_expected_where_no_common_setting_differs(configs: pd.DataFrame) -> None:
    np.testing.assert_array_equal(PRIOR.among(configs)(configs), 0)


def test_it_is_stored_as_plain_values_and_refuses_those_of_other_settings() -> None:
    stored = json.loads(json.dumps(PRIOR.to_json()))
    np.testing.assert_array_equal(SettingsPrior.from_json(stored).surface.weights, PRIOR.surface.weights)
    with pytest.raises(ValueError, match="learned from others"):
        SettingsPrior.from_json({**stored, "settings": ["colour"]})


def test_a_forecast_is_tilted_within_its_interval_by_less_with_every_evaluation() -> None:
    normal = np.sort(np.random.default_rng(0).standard_normal((3, 1, 1, len(LEVELS))), axis=-1)
    prospects = np.array([1.0, 1.0, 1.0])
    moved = tilted(normal, prospects, np.array([[1], [4], [1000]]))
    assert (np.diff(moved, axis=-1) >= 0).all()
    assert (moved >= normal[..., :1]).all() and (moved <= normal[..., -1:]).all()
    drop = (normal - moved)[:, 0, 0, Q50]
    assert drop[0] > drop[1] > drop[2] >= 0 and drop[2] < 0.01


def test_the_median_moves_to_the_level_that_the_copula_says() -> None:
    """Of a standard normal forecast, by the correlation times what is promised; the spread shrinks accordingly."""
    from scipy.stats import norm

    forecast = norm.ppf(LEVELS)[None, None, None]
    moved = tilted(forecast, np.array([0.5]), np.array([[1]]))[0, 0, 0]
    np.testing.assert_allclose(moved[Q50], -0.5 * SETTINGS.tilt, atol=1e-9)
    spread = (moved[15] - moved[5]) / (forecast[0, 0, 0, 15] - forecast[0, 0, 0, 5])
    np.testing.assert_allclose(spread, np.sqrt(1 - SETTINGS.tilt**2), atol=0.01)


@given(st.lists(st.floats(-5, 5), min_size=21, max_size=21), st.integers(0, 50))
def test_who_promises_nothing_is_forecast_as_before(values: list[float], seen: int) -> None:
    quantiles = np.sort(np.array(values))[None, None, None]
    np.testing.assert_allclose(tilted(quantiles, np.zeros(1), np.array([[seen]])), quantiles, atol=1e-9)


def test_the_shipped_model_tells_runs_that_have_hardly_begun_apart_by_their_settings() -> None:
    """Without a finished run a rate in the middle is expected to end better; by names that it does not know, none."""
    model = lcode.load()
    medians = model.predict(sweep(1e-2)).quantiles[:, 0, -1, Q50]
    assert medians[8:14].max() < medians[:2].min()
    unknown = model.predict(sweep(1e-2, name="flux")).quantiles[:, 0, -1, Q50]
    assert np.ptp(unknown) < 1e-9

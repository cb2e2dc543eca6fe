from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.fitting.fitted import Fitted
from lcode.fitting.loop import FitSettings
from lcode.fitting.pretrain import pretrain
from lcode.fitting.prior import synthetic_runs
from lcode.forecast import Q50
from lcode.table import Metric, RunTable

SETTINGS = FitSettings(steps=24, batch=16, config_dropout=1.0)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    problems = [[synthetic_runs(8, tasks=1, horizon=10, seed=seed)] for seed in range(5)]
    return pretrain(problems[:3], [table for (table,) in problems[3:]], settings=SETTINGS)


def test_the_same_seed_leaves_the_same_weights(fitted: Fitted) -> None:
    problems = [[synthetic_runs(8, tasks=1, horizon=10, seed=seed)] for seed in range(5)]
    again = pretrain(problems[:3], [table for (table,) in problems[3:]], settings=SETTINGS)
    for name, value in fitted.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), again.model.state_dict()[name].numpy())
    assert fitted.calibration == again.calibration and fitted.runs == 40


def test_it_knows_no_metric_by_name_and_widths_are_the_same_for_all(fitted: Fitted) -> None:
    assert fitted.preprocessor is None and fitted.stacking is None
    factors = np.array(fitted.calibration.factors)
    assert factors.shape[1:] == (1, 2, 1) and (np.abs(factors) <= np.log(2.5)).all()


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_axis_has_no_unit(fitted: Fitted, step: int) -> None:
    """Epochs 1, 2, …, steps 7, 14, … and steps 1000, 2000, … of the same curve have the same forecast."""

    def forecast(step: int) -> np.ndarray:
        epochs = step * np.arange(1, 7)
        points = pd.DataFrame({"run": "a", "epoch": epochs, "metric": "loss", "value": np.exp(-0.3 * np.arange(6.0))})
        runs = pd.DataFrame({"horizon": [20 * step]}, index=["a"])
        table = RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs)
        return fitted.quantiles(table, np.array([[8 * step, 14 * step, 20 * step]]))

    np.testing.assert_allclose(forecast(step), forecast(1), rtol=1e-5)


def test_a_loss_has_the_same_forecast_in_any_unit(fitted: Fitted) -> None:
    def middle(unit: float) -> np.ndarray:
        values = unit * np.exp(-0.3 * np.arange(6.0))
        points = pd.DataFrame({"run": "a", "epoch": np.arange(1, 7), "metric": "loss", "value": values})
        runs = pd.DataFrame({"horizon": [20]}, index=["a"])
        table = RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs)
        return fitted.quantiles(table, np.array([[10, 20]]))[..., Q50] / unit

    np.testing.assert_allclose(middle(1e-9), middle(1.0), rtol=1e-4)
    np.testing.assert_allclose(middle(1e9), middle(1.0), rtol=1e-4)

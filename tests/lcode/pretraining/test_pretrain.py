from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lcode.ensemble.fitted import PretrainedModel
from lcode.forecast import Q50
from lcode.network.loop import FitReport, FitSettings
from lcode.pretraining.pretrain import pretrain
from lcode.pretraining.prior import synthetic_runs
from lcode.pretraining.widths import SHARES
from lcode.table import Metric, RunTable

SETTINGS = FitSettings(steps=24, batch=16, config_dropout=1.0)


def pretrained() -> tuple[PretrainedModel, FitReport]:
    problems = [[synthetic_runs(8, tasks=1, horizon=10, seed=seed)] for seed in range(5)]
    return pretrain(problems[:3], [table for (table,) in problems[3:]], settings=SETTINGS)


@pytest.fixture(scope="module")
def model() -> PretrainedModel:
    return pretrained()[0]


def test_the_same_seed_leaves_the_same_weights(model: PretrainedModel) -> None:
    again, report = pretrained()
    for name, value in model.prior.network.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), again.prior.network.state_dict()[name].numpy())
    assert model.widths == again.widths and 0 < report.steps <= 24


def test_it_knows_no_metric_by_name_and_never_narrows_its_intervals(model: PretrainedModel) -> None:
    assert model.preprocessor is None and model.prior.network.config.metrics == 0
    factors = np.array(model.widths.factors)
    assert factors.shape == (len(SHARES), 2) and (factors >= 0).all() and (factors <= np.log(2.5)).all()


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_axis_has_no_unit(model: PretrainedModel, step: int) -> None:
    """Epochs 1, 2, …, steps 7, 14, … and steps 1000, 2000, … of the same curve have the same forecast."""

    def forecast(step: int) -> np.ndarray:
        epochs = step * np.arange(1, 7)
        points = pd.DataFrame({"run": "a", "epoch": epochs, "metric": "loss", "value": np.exp(-0.3 * np.arange(6.0))})
        runs = pd.DataFrame({"horizon": [20 * step]}, index=["a"])
        table = RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs)
        return model.predict(table, np.array([[8 * step, 14 * step, 20 * step]]), table).quantiles

    np.testing.assert_allclose(forecast(step), forecast(1), rtol=1e-5)


def test_a_loss_has_the_same_forecast_in_any_unit(model: PretrainedModel) -> None:
    def middle(unit: float) -> np.ndarray:
        values = unit * np.exp(-0.3 * np.arange(6.0))
        points = pd.DataFrame({"run": "a", "epoch": np.arange(1, 7), "metric": "loss", "value": values})
        runs = pd.DataFrame({"horizon": [20]}, index=["a"])
        table = RunTable.from_points(points, [Metric("main", "loss", "min")], runs=runs)
        return model.predict(table, np.array([[10, 20]]), table).quantiles[..., Q50] / unit

    np.testing.assert_allclose(middle(1e-9), middle(1.0), rtol=1e-4)
    np.testing.assert_allclose(middle(1e9), middle(1.0), rtol=1e-4)

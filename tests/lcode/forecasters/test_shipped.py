"""What the shipped model makes of curves that it never saw, without a finished run: kinds of curves, not numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import lcode
from lcode.forecast import Q05, Q50, Q95
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.table import Metric, RunTable
from lcode.table.metric import infer_direction

Array = NDArray[np.floating]


@pytest.fixture(scope="module")
def shipped() -> LCGODEForecaster:
    return lcode.load()


def final_of(
    model: LCGODEForecaster,
    curves: Mapping[str, Array],
    horizon: int,
    *,
    epochs: Array | None = None,
    rates: NDArray[np.float64] | None = None,
) -> dict[str, Array]:
    """Quantiles at the horizon of each curve of one run, by metric."""
    points = [
        ("a", epoch, name, value)
        for name, values in curves.items()
        for epoch, value in zip(np.arange(1, len(values) + 1) if epochs is None else epochs, values, strict=True)
    ]
    metrics = [Metric("main", name, infer_direction(name) or "max") for name in curves]
    table = RunTable.from_points(
        pd.DataFrame(points, columns=["run", "epoch", "metric", "value"]),
        metrics,
        runs=pd.DataFrame({"horizon": [horizon]}, index=["a"]),
        schedules={} if rates is None else {"a": rates},
    )
    quantiles = model.predict(table).quantiles[0, :, -1]
    return dict(zip(curves, quantiles.astype(np.float64), strict=True))


def test_a_loss_that_falls_by_decades_is_forecast_on_its_present_level(shipped: LCGODEForecaster) -> None:
    loss = 40 * 10 ** (-0.06 * np.arange(80)) * np.exp(0.1 * np.random.default_rng(0).standard_normal(80))
    quantiles = final_of(shipped, {"pde_loss": loss}, 160)["pde_loss"]
    assert (quantiles[Q05:] > 0).all() and quantiles[0] >= 0
    # It goes on falling, and is no more than a few times its last value at worst.
    assert quantiles[Q50] < 0.8 * loss[-1] and quantiles[Q95] < 10 * loss[-1]


def test_a_score_that_is_0_so_far_may_yet_rise_and_a_loss_that_is_0_stays(shipped: LCGODEForecaster) -> None:
    quantiles = final_of(shipped, {"precision": np.zeros(8), "cls_loss": 3 * 0.9 ** np.arange(8.0)}, 60)
    assert quantiles["precision"][Q95] > 0.3 and (quantiles["precision"] >= 0).all()
    still = final_of(shipped, {"next_loss": np.zeros(12), "accuracy": 0.3 - 0.2 * 0.8 ** np.arange(12.0)}, 50)
    assert (still["next_loss"] >= 0).all() and still["next_loss"][Q95] < 1e-3


def test_a_share_in_per_cent_that_began_at_0_is_not_squeezed_to_1(shipped: LCGODEForecaster) -> None:
    bleu = np.array([0.0, 11.2, 17.9, 21.6, 23.8, 25.0])
    quantiles = final_of(shipped, {"bleu": bleu}, 140_000, epochs=1 + 2500 * np.arange(6.0))["bleu"]
    assert quantiles[Q50] > 25 and quantiles[Q05] > 20 and quantiles[-1] <= 100


def test_a_score_near_its_best_is_never_certain(shipped: LCGODEForecaster) -> None:
    quantiles = final_of(shipped, {"mAP50": np.r_[0, 0, 0.95 * (1 - np.exp(-np.arange(1, 19) / 5))]}, 100)["mAP50"]
    assert 0.9 < quantiles[Q50] < 1 and quantiles[Q95] - quantiles[Q05] > 1e-3


def test_a_large_constant_in_a_loss_does_not_matter(shipped: LCGODEForecaster) -> None:
    loss = 1e5 + 0.9 * np.exp(-np.arange(12) / 8) + 0.01 * np.random.default_rng(1).standard_normal(12)
    quantiles = final_of(shipped, {"loss": loss}, 40)["loss"]
    assert quantiles[Q05] > 1e5 - 5 and quantiles[Q95] < 1e5 + 2


@pytest.mark.parametrize("step", [0.01, 1, 250])
def test_the_axis_has_no_unit(shipped: LCGODEForecaster, step: float) -> None:
    """An evaluation every hundredth epoch, every epoch, or every 250 steps."""
    ticks = 100  # RunTable counts whole ticks
    loss = 2 * (1 + np.arange(1.0, 13)) ** -0.6
    every = round(step * ticks)
    one = final_of(shipped, {"loss": loss}, 40 * every, epochs=every * np.arange(1.0, 13))["loss"]
    other = final_of(shipped, {"loss": loss}, 40, epochs=np.arange(1.0, 13))["loss"]
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_a_planned_drop_of_the_rate_opens_the_forecast_for_the_better(shipped: LCGODEForecaster) -> None:
    noise = 0.002 * np.random.default_rng(2).standard_normal((2, 29))
    time = np.arange(1, 30)
    curves = {"accuracy": 0.88 - 0.3 * np.exp(-time / 4) + noise[0], "loss": 0.45 + 0.9 * np.exp(-time / 4) + noise[1]}
    constant = final_of(shipped, curves, 60, rates=np.full(60, 0.1))
    dropped = final_of(shipped, curves, 60, rates=np.repeat([0.1, 0.01, 0.001], [30, 15, 15]))
    assert dropped["accuracy"][Q95] > constant["accuracy"][Q95] + 0.005
    assert dropped["loss"][Q05] < constant["loss"][Q05] - 0.02
    # What it could lose at a constant rate it cannot at a small one.
    assert dropped["accuracy"][Q05] > constant["accuracy"][Q05]


def test_a_return_near_0_may_become_anything(shipped: LCGODEForecaster) -> None:
    values = np.array([0.3, 4.0, 2.5, 9.0, 17.0, 30.0, 42.0, 61.0])
    quantiles = final_of(shipped, {"episode_reward": values}, 40)["episode_reward"]
    assert quantiles[Q50] > 61 and quantiles[Q95] > 150

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.decisions import epochs_to_come, rank, stopping_curve
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric, RunTable

METRIC = Metric("seg", "miou", "max")
NAN = np.nan


def forecast(medians: list[float], width: float, status: list[str], observed: list[int]) -> Forecast:
    """Runs whose one metric ends uniformly within ± width of its median; the horizon is 20."""
    quantiles = np.array(medians)[:, None] + width * (2 * LEVELS - 1)
    state = np.array(status, dtype="<U9")[:, None]
    quantiles = np.where(state == "diverged", NAN, quantiles)
    runs = len(medians)
    return Forecast(
        run_ids=tuple(f"r{i:02d}" for i in range(runs)),
        metrics=(METRIC,),
        epochs=np.full((runs, 1), 20),
        quantiles=quantiles[:, None, None],
        status=state,
        observed=np.array(observed)[:, None],
        horizons=np.full(runs, 20),
    )


def test_saved_and_regret_by_hand() -> None:
    # Two samples of four runs: done ends at 3; a at 5 or 1; b at 2 or 4; c at 0 or 6.
    samples = np.array([[3.0, 5.0, 2.0, 0.0], [3.0, 1.0, 4.0, 6.0]])
    curve = stopping_curve(samples, np.array([NAN, 0.5, 0.1, 0.3]), np.array([0, 10, 20, 70]), delta=0.2)
    assert curve.thresholds.tolist() == [0.1, 0.3, 0.5, 1.0]
    assert curve.stopped.tolist() == [0, 1, 2, 3]
    assert curve.saved.tolist() == [0, 0.2, 0.9, 1]
    # Best of all: 5 and 6. Without b the same; of done and a: 5 and 3; of done alone: 3 and 3.
    assert curve.regret.tolist() == [0, 0, 1.5, 2.5]
    assert curve.chosen == 1 and [curve.place(t) for t in (0, 0.1, 0.3, 0.31, 1)] == [0, 0, 1, 2, 3]


def test_a_diverged_run_is_stopped_at_once_and_what_nobody_knows_yet_goes_on() -> None:
    samples = np.array([[NAN, NAN, 2.0], [NAN, NAN, 2.0]])
    curve = stopping_curve(samples, np.array([-np.inf, NAN, 0.4]), np.array([30, 50, 20]), delta=0)
    assert curve.thresholds.tolist() == [0.4, 1.0] and curve.stopped.tolist() == [1, 2]
    assert curve.saved.tolist() == [0.3, 0.5]
    # No run with a score would be left: what that loses cannot be told.
    assert curve.regret[0] == 0 and np.isnan(curve.regret[1])


@pytest.mark.parametrize("runs", [0, 1])
def test_nothing_to_stop(runs: int) -> None:
    curve = stopping_curve(np.ones((4, runs)), np.full(runs, NAN), np.zeros(runs, np.int64), delta=0.05)
    assert (curve.thresholds.tolist(), curve.stopped.tolist(), curve.saved.tolist()) == ([1.0], [0], [0.0])


@settings(max_examples=50, deadline=None)
@given(data=st.data(), runs=st.integers(1, 12))
def test_who_stops_more_saves_and_loses_no_less(data: st.DataObject, runs: int) -> None:
    chances = st.sampled_from([NAN, -np.inf, 0.0, 0.01, 0.25, 0.5, 1.0])
    chance = np.array(data.draw(st.lists(chances, min_size=runs, max_size=runs)))
    to_come = np.array(data.draw(st.lists(st.integers(0, 100), min_size=runs, max_size=runs)))
    samples = np.random.default_rng(data.draw(st.integers(0, 99))).standard_normal((16, runs))
    samples[:, np.isneginf(chance)] = NAN
    curve = stopping_curve(samples, chance, to_come, delta=0.05)
    for ascending in (curve.thresholds, curve.stopped, curve.saved, curve.regret[np.isfinite(curve.regret)]):
        assert (np.diff(ascending) >= 0).all()
    assert (curve.saved >= 0).all() and (curve.saved <= 1).all() and not (curve.regret < 0).any()
    assert curve.stopped[curve.chosen] == (chance < 0.05).sum()


def test_the_rankings_own_choice_is_on_the_curve() -> None:
    whole = forecast([0.9, 0.5, 0.89, 0.2], 0.05, ["finished", "ok", "ok", "diverged"], [20, 5, 10, 4])
    ranking = rank(whole, "mean")
    assert dict(zip(ranking.runs, ranking.action, strict=True)) == {
        "r00": "continue", "r01": "stop", "r02": "continue", "r03": "stop",
    }  # fmt: skip
    curve = ranking.stopping
    assert curve is not None and curve.delta == 0.05
    assert curve.stopped[curve.chosen] == 2
    assert curve.saved[curve.chosen] == pytest.approx((15 + 16) / (15 + 10 + 16))
    assert curve.regret[curve.chosen] == 0
    # Without r02, half of whose scores are better by up to 0.09, r00 alone is left.
    assert curve.regret[-1] > 0


def test_runs_that_were_stopped_before_take_no_part() -> None:
    points = pd.DataFrame(
        [(run, epoch, METRIC.key, 0.5) for run in ("r00", "r01", "r02") for epoch in range(1, 6)],
        columns=["run", "epoch", "metric", "value"],
    )
    runs = pd.DataFrame({"horizon": 20, "status": ["running", "running", "stopped"]}, index=["r00", "r01", "r02"])
    table = RunTable.from_points(points, [METRIC], runs=runs)
    ranking = rank(forecast([0.5, 0.2, 0.9], 0.01, ["ok"] * 3, [5] * 3), "mean", table=table)
    curve = ranking.stopping
    assert curve is not None
    # Of r00 and r01, which are left, the one is worth its compute.
    assert (curve.stopped[curve.chosen], curve.saved[curve.chosen], curve.regret[curve.chosen]) == (1, 0.5, 0)
    assert dict(zip(ranking.runs, ranking.action, strict=True))["r00"] == "continue"


def test_epochs_to_come() -> None:
    whole = forecast([0.5] * 3, 0.1, ["ok"] * 3, [-1, 5, 25])
    assert epochs_to_come(whole).tolist() == [20, 15, 0]

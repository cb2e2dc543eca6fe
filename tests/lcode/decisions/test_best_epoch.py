from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import FinalValue, make_objective, rank
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric, RunTable

TWO = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
BEST = FinalValue.parse("best-epoch")
DELTA_M = make_objective("delta_m", TWO, baseline=BASELINE)


def table(curves: dict[str, dict[str, list[float]]], *, horizon: int = 4, status: str = "finished") -> RunTable:
    """Runs with a value per epoch, from 1; NaN where none was measured."""
    rows = [
        {"run": run, "epoch": epoch, "metric": key, "value": value}
        for run, of_run in curves.items()
        for key, values in of_run.items()
        for epoch, value in enumerate(values, start=1)
        if not np.isnan(value)
    ]
    runs = pd.DataFrame({"horizon": horizon, "status": status}, index=list(curves))
    return RunTable.from_points(pd.DataFrame(rows), TWO, runs=runs)


def test_one_epoch_for_all_metrics_where_each_has_its_own_best_elsewhere() -> None:
    # Δm: (20 + 10)/2, (40 + 5)/2, (60 − 50)/2, (−20 + 30)/2
    runs = table({"a": {"seg/miou": [0.6, 0.7, 0.8, 0.4], "depth/abs_err": [0.9, 0.95, 1.5, 0.7]}})
    assert BEST.of_table(runs, DELTA_M).tolist() == [[0.7, 0.95]]
    assert FinalValue.parse("best").of_table(runs).tolist() == [[0.8, 0.7]]


def test_only_epochs_at_which_all_metrics_were_measured_count() -> None:
    runs = table({"a": {"seg/miou": [0.6, 0.7, 0.8, 0.4], "depth/abs_err": [0.9, np.nan, 1.5, 0.7]}})
    assert BEST.of_table(runs, DELTA_M).tolist() == [[0.6, 0.9]]
    apart = table({"a": {"seg/miou": [0.6, np.nan], "depth/abs_err": [np.nan, 0.9]}})
    assert np.isnan(BEST.of_table(apart, DELTA_M)).all()


def test_a_metric_without_a_say_may_be_missing() -> None:
    runs = table({"a": {"seg/miou": [0.6, 0.7], "depth/abs_err": [0.9, np.nan]}})
    seg = make_objective("weights:seg=1", TWO, population=np.array([[0.5, 1.0], [0.6, 2.0]]))
    np.testing.assert_array_equal(BEST.of_table(runs, seg), [[0.7, np.nan]])


def test_the_best_epoch_is_a_feasible_one() -> None:
    runs = table({"a": {"seg/miou": [0.6, 0.7, 0.8, 0.4], "depth/abs_err": [0.9, 0.95, 1.5, 0.7]}})
    for bound, expected in ((0.92, [0.6, 0.9]), (0.8, [0.4, 0.7]), (0.1, [0.4, 0.7])):
        bounded = make_objective(DELTA_M, TWO, constraints=[f"depth/abs_err<={bound}"])
        assert BEST.of_table(runs, bounded).tolist() == [expected]


def test_it_needs_an_objective_that_scores_a_run_on_its_own() -> None:
    runs = table({"a": {"seg/miou": [0.6], "depth/abs_err": [0.9]}})
    for objective in (None, make_objective("mean_rank", TWO)):
        with pytest.raises(UsageError, match="chosen by an objective that scores it on its own"):
            BEST.of_table(runs, objective)


def forecast(seen: RunTable, medians: np.ndarray, *, width: float, correlation: float = 0.0) -> Forecast:
    """One run, seen up to epoch 2 of 4, uniform around medians [K, 2] at epochs 3 and 4."""
    spread = width * (2 * LEVELS - 1)
    return Forecast(
        run_ids=seen.run_ids,
        metrics=TWO,
        epochs=np.array([[3, 4]]),
        quantiles=medians[None, :, :, None] + spread,
        status=np.array([["ok", "ok"]]),
        observed=np.array([[2, 2]]),
        horizons=np.array([4]),
        correlation=np.array([[[1, correlation], [correlation, 1]]]),
    )


SEEN = table({"a": {"seg/miou": [0.6, 0.7], "depth/abs_err": [0.9, 0.95]}}, status="running")


def test_a_certain_forecast_of_a_better_epoch_is_that_epoch() -> None:
    # Δm at 3: (60 + 20)/2, at 4: (80 − 30)/2; seen at best (40 + 5)/2
    certain = forecast(SEEN, np.array([[0.8, 0.9], [0.8, 1.3]]), width=1e-9)
    final = BEST.of_forecast(certain, SEEN, DELTA_M)
    np.testing.assert_allclose(final.quantile(0.5)[0, :, 0], [0.8, 0.8], atol=1e-6)
    worse = forecast(SEEN, np.array([[0.5, 0.5], [1.0, 1.0]]), width=1e-9)
    np.testing.assert_allclose(BEST.of_forecast(worse, SEEN, DELTA_M).quantile(0.5)[0, :, 0], [0.7, 0.95])


def test_metrics_are_drawn_together() -> None:
    """Where both metrics are good at once, the best epoch is better than where one is good as the other is bad."""
    medians = np.array([[0.7, 0.7], [0.95, 0.95]])
    gains = []
    for correlation in (-0.9, 0.9):  # of the values: a high error is bad
        final = BEST.of_forecast(forecast(SEEN, medians, width=0.2, correlation=correlation), SEEN, DELTA_M)
        gains.append(DELTA_M.score(final.mean()[..., 0], TWO)[0])
    assert gains[0] > gains[1] + 2 > 22.5


def test_a_ranking_by_the_best_epoch_differs_from_that_by_each_metrics_own() -> None:
    runs = table(
        {
            "apart": {"seg/miou": [0.9, 0.3, 0.3, 0.3], "depth/abs_err": [1.9, 0.2, 1.9, 1.9]},
            "together": {"seg/miou": [0.3, 0.8, 0.3, 0.3], "depth/abs_err": [1.9, 0.4, 1.9, 1.9]},
            "other": {"seg/miou": [0.5, 0.5, 0.5, 0.5], "depth/abs_err": [1.0, 1.0, 1.0, 1.0]},
        }
    )
    finished = replace(
        forecast(SEEN, np.zeros((2, 2)), width=0.0),
        run_ids=runs.run_ids,
        epochs=np.full((3, 1), 4),
        quantiles=np.broadcast_to(FinalValue().of_table(runs)[..., None, None], (3, 2, 1, 21)).copy(),
        status=np.full((3, 2), "finished"),
        observed=np.full((3, 2), 4),
        horizons=np.full(3, 4),
        correlation=None,
    )
    assert rank(finished, table=runs, baseline=BASELINE, final="best").runs[0] == "apart"
    ranking = rank(finished, table=runs, baseline=BASELINE, final="best-epoch")
    assert ranking.runs == ("together", "apart", "other")
    np.testing.assert_allclose(ranking.score, [(60 + 60) / 2, (-40 + 80) / 2, 0.0])
    assert any("one epoch for all metrics" in note for note in ranking.notes)

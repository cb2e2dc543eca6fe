"""Runs that finished after a fit: which are new, what they teach, and that no forecast of them has seen them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.curves.arrays import curve_arrays
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel
from lcode.ensemble.later_runs import taking_up
from lcode.errors import UsageError
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.loop import FitSettings
from lcode.table import Metric, RunTable

HORIZON = 10
REWARD = Metric("main", "reward", "max")


def sweep(*seeds: int, metrics: tuple[Metric, ...] = (REWARD,), unit: float = 1.0) -> RunTable:
    """A run for each seed, of two that share a configuration; where it ends its configuration says."""
    parts = []
    for seed in seeds:
        draw = np.random.default_rng(seed)
        path = (seed // 2 % 7) * (1 - np.exp(-np.arange(1, HORIZON + 1) / 4)) + draw.normal(0, 0.05, HORIZON)
        parts += [
            pd.DataFrame({"run": f"r{seed:02d}", "epoch": np.arange(1, HORIZON + 1), "metric": m.key, "value": path})
            for m in metrics
        ]
    names = [f"r{seed:02d}" for seed in seeds]
    return RunTable.from_points(
        pd.concat(parts),
        metrics,
        runs=pd.DataFrame({"seed": [seed % 2 for seed in seeds]}, index=names),
        configs=pd.DataFrame({"rate": [float(seed // 2) for seed in seeds]}, index=names),
        epoch_unit=unit,
    )


def context_of(forecaster: LCGODEForecaster) -> Context:
    assert forecaster.fitted is not None and isinstance(forecaster.fitted.model, EnsembleModel)
    return forecaster.fitted.model.context


@pytest.fixture(scope="module")
def few() -> LCGODEForecaster:
    """Fitted on twelve runs, as `lcode fit` does: no network was adapted."""
    return LCGODEForecaster.adapted().fit(sweep(*range(12)))


@pytest.fixture(scope="module")
def adapted() -> LCGODEForecaster:
    """A network of its own, hardly trained."""
    return LCGODEForecaster(settings=FitSettings(steps=4)).fit(sweep(*range(12)))


@pytest.mark.parametrize("fitted", ["few", "adapted"])
def test_new_runs_are_learned_from(fitted: str, request: pytest.FixtureRequest) -> None:
    before: LCGODEForecaster = request.getfixturevalue(fitted)
    after = before.in_context(sweep(*range(12, 20)))
    assert (before.learned_from, after.learned_from) == (12, 20)
    asked = sweep(*range(30, 60))
    seen, truth = asked.prefix(1), curve_arrays(asked).last_values[:, 0]
    error = [np.abs(model.predict(seen).quantile(0.5)[:, 0, -1] - truth).mean() for model in (before, after)]
    assert error[1] < 0.9 * error[0]


def test_the_networks_and_the_folds_of_known_runs_stay(adapted: LCGODEForecaster) -> None:
    before, after = context_of(adapted), context_of(adapted.in_context(sweep(*range(11, 20))))
    assert after.adapted is before.adapted and after.preprocessor is before.preprocessor
    assert len(after.finished) == 20 and after.finished.run_ids[:12] == before.finished.run_ids
    np.testing.assert_array_equal(after.folds[:12], before.folds)


def test_a_repeat_of_a_known_configuration_is_left_out_with_it(adapted: LCGODEForecaster) -> None:
    known = sweep(*range(12))
    again = replace(known.in_unit(1.0), points=known.points.assign(value=known.points["value"] + 0.01))
    context = context_of(adapted.in_context(again))
    assert len(context.finished) == 24
    np.testing.assert_array_equal(context.folds[12:], context.folds[:12])


def test_related_runs_stay_beside_them() -> None:
    fitted = LCGODEForecaster.adapted().fit_related(sweep(*range(12)), [sweep(*range(20, 30))])
    before, after = context_of(fitted), context_of(fitted.in_context(sweep(*range(40, 46))))
    assert after.related is not None and before.related is not None and len(after.finished) == 18
    assert after.related.runs.run_ids == before.related.runs.run_ids


def test_runs_of_the_fit_are_known_under_any_name(few: LCGODEForecaster) -> None:
    known = sweep(*range(12))
    names = [f"again/{run}" for run in known.run_ids]
    renamed = RunTable.from_points(
        known.points.assign(run=("again/" + known.points["run"].astype(str)).to_numpy()),
        known.metrics,
        runs=known.runs.set_axis(names),
        configs=known.configs.set_axis(names),
    )
    assert few.in_context(renamed).fitted is few.fitted
    assert few.in_context(known).fitted is few.fitted


def test_another_run_of_a_known_name_is_a_new_one(few: LCGODEForecaster) -> None:
    other = sweep(*range(12))
    other = replace(other, points=other.points.assign(value=other.points["value"] * 2))
    assert few.in_context(other).learned_from == 24


@pytest.mark.parametrize(("new", "known"), [(3, 12), (4, 16)])
def test_hardly_any_new_run_changes_nothing(few: LCGODEForecaster, new: int, known: int) -> None:
    assert few.in_context(sweep(*range(12, 12 + new))).learned_from == known


def test_runs_in_progress_teach_nothing(few: LCGODEForecaster) -> None:
    assert few.in_context(sweep(*range(12, 30)).prefix(5)).fitted is few.fitted


def test_other_metrics_and_finer_epochs_are_left_alone(few: LCGODEForecaster) -> None:
    more = sweep(*range(12, 20), metrics=(Metric("main", "loss", "min"), REWARD))
    assert context_of(few.in_context(more)).finished.metrics == (REWARD,)
    assert few.in_context(sweep(*range(12, 20), unit=0.5)).fitted is few.fitted


def test_another_direction_is_an_error(few: LCGODEForecaster) -> None:
    with pytest.raises(UsageError, match="direction of 'reward'"):
        few.in_context(sweep(*range(12, 20), metrics=(Metric("main", "reward", "min"),)))


def test_one_that_chose_among_its_runs_takes_up_none(few: LCGODEForecaster) -> None:
    assert few.fitted is not None
    chose = replace(few.fitted, runs=1000)
    assert taking_up(chose, sweep(*range(12, 30)), 4) is chose


def test_a_run_that_was_taken_up_is_known(few: LCGODEForecaster) -> None:
    once = few.in_context(sweep(*range(12, 20)))
    assert once.in_context(sweep(*range(20))).fitted is once.fitted


def test_the_shipped_model_learns_of_one_table_once(few: LCGODEForecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lcode.ensemble.training.CONTEXT_RUNS", 10)
    monkeypatch.setattr("lcode.ensemble.later_runs.CONTEXT_RUNS", 10)
    once = lcode.load(device="cpu").in_context(sweep(*range(20)))
    assert once.learned_from == 10 and once.in_context(sweep(*range(20))).fitted is once.fitted


def test_new_runs_without_a_configuration_are_divided(adapted: LCGODEForecaster) -> None:
    new = sweep(*range(30, 45))
    new = replace(new, configs=new.configs.iloc[:, :0])
    folds = context_of(adapted.in_context(new)).folds[12:]
    assert len(folds) == 15 and np.bincount(folds).max() <= 4

"""Runs of related problems: how they are rescaled, when they count, and that they survive a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel, RelatedModel
from lcode.ensemble.history import History
from lcode.ensemble.names import RELATED, RESCALED
from lcode.ensemble.problems import MOST_EXAMPLES
from lcode.ensemble.registry import PARTS
from lcode.ensemble.related import RelatedExamples, RelatedRuns, standing_alike
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.table import Metric, RunTable

HORIZON = 12
LOSS = Metric("main", "loss", "min")


def sweep(*seeds: int, scale: float = 1.0) -> RunTable:
    """Losses that all begin alike and fall to where the learning rate says, times a scale."""
    epochs = np.arange(1, HORIZON + 1)
    rates = np.array([0.05 + 0.9 * np.random.default_rng(seed).random() for seed in seeds])
    noise = np.stack([np.random.default_rng(seed + 1000).normal(0, 0.003, HORIZON) for seed in seeds])
    values = scale * (rates[:, None] + (1 - rates[:, None]) * np.exp(-(epochs - 1) / 3) + noise)
    names = [f"r{seed}" for seed in seeds]
    points = pd.DataFrame(
        {
            "run": np.repeat(names, HORIZON),
            "epoch": np.tile(epochs, len(seeds)),
            "metric": "loss",
            "value": values.ravel(),
        }
    )
    configs = pd.DataFrame({"lr": rates}, index=names)
    return RunTable.from_points(points, [LOSS], runs=pd.DataFrame(index=names), configs=configs)


def related_of(*tables: RunTable) -> RelatedRuns:
    numbers = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    runs = lcode.table.pooled(list(tables))
    return RelatedRuns(runs, numbers + 1)


def context_of(forecaster: LCGODEForecaster) -> Context:
    assert forecaster.fitted is not None and isinstance(forecaster.fitted.model, EnsembleModel)
    return forecaster.fitted.model.context


def error(forecaster: LCGODEForecaster, table: RunTable, cutoff: int) -> float:
    seen, truth = table.prefix(cutoff), curve_arrays(table).last_values[:, 0]
    return float(np.abs(forecaster.predict(seen).quantile(0.5)[:, 0, -1] - truth).mean())


NEW = sweep(*range(500, 540))


def test_each_problem_is_put_where_the_own_runs_lie() -> None:
    related = related_of(sweep(*range(30), scale=100), sweep(*range(40, 70), scale=0.01))
    own = sweep(*range(100, 130))
    there, here = curve_arrays(related.rescaled(own).runs).values[:, 0], curve_arrays(own).values[:, 0]
    for part in (there[:30], there[30:]):
        np.testing.assert_allclose(np.quantile(part, [0.1, 0.5, 0.9]), np.quantile(here, [0.1, 0.5, 0.9]), rtol=0.25)
    before = curve_arrays(related.runs).values[:30, 0, -1]
    assert (np.argsort(there[:30, -1]) == np.argsort(before)).mean() > 0.9


def test_a_metric_that_a_problem_never_measured_stays_as_it_is() -> None:
    related = related_of(sweep(*range(10)))
    nothing = replace(related, runs=replace(related.runs, points=related.runs.points.assign(value=np.nan)))
    assert nothing.rescaled(sweep(*range(20, 30))).runs.points["value"].isna().all()


@pytest.mark.parametrize(("own", "count"), [(4, 196), (100, 100), (300, 100)])
def test_as_many_of_one_problem_as_of_the_other(own: int, count: int) -> None:
    table = sweep(*range(own + 350))
    problems = np.r_[np.zeros(own), np.ones(200), np.full(150, 2)].astype(np.int64)
    chosen = RelatedRuns.of(table, problems, seed=0)
    assert len(chosen) == count and (chosen.problems == 1).sum() == count / 2
    assert own + count >= MOST_EXAMPLES and set(chosen.runs.run_ids) <= set(table.run_ids[own:])


def test_alike_runs_help_and_other_ones_hardly_harm() -> None:
    own = sweep(*range(200, 206))
    alone = LCGODEForecaster.adapted().fit(own)
    alike = LCGODEForecaster.adapted().fit_related(own, [sweep(*range(60))])
    unlike = LCGODEForecaster.adapted().fit_related(own, [sweep(*range(60), scale=50)])
    errors = [error(forecaster, NEW, 2) for forecaster in (alone, alike, unlike)]
    assert errors[1] < 0.9 * errors[0] and errors[2] < 1.1 * errors[0]
    weights = unlike.mean_weights()
    assert weights[RESCALED] > weights[RELATED]
    assert alike.learned_from == 6 and alike.related == 60 and RELATED not in alone.mean_weights()


def test_own_finished_runs_alone_are_judged() -> None:
    fitted = LCGODEForecaster.adapted().fit_related(sweep(*range(200, 212)), [sweep(*range(60), scale=50)])
    judged = context_of(fitted).at(3).judged
    assert judged.truth.shape[0] == judged.mixture.shape[0] == 12


def test_runs_that_stand_where_related_ones_stood_are_alike() -> None:
    seen, alike, unlike = NEW.prefix(6), sweep(*range(60)), sweep(*range(60), scale=50)
    share = standing_alike(seen, related_of(alike), by_share=True)[0]
    assert share > 0.7
    assert standing_alike(seen, related_of(unlike), by_share=True)[0] < 0.1
    assert standing_alike(seen, related_of(alike, unlike), by_share=True)[0] == pytest.approx((share + 1 / 42) / 2)
    assert standing_alike(NEW.prefix(-1), related_of(alike), by_share=True)[0] == 0.5


def test_the_ends_of_own_runs_say_whether_related_ones_are_alike() -> None:
    own = sweep(*range(200, 212))
    for scale, least, most in ((1.0, 0.7, 1.0), (50.0, 0.0, 0.1)):
        context = context_of(LCGODEForecaster.adapted().fit_related(own, [sweep(*range(60), scale=scale)]))
        assert context.related is not None
        values, prospects = context.preprocessor.values, context.prospects
        beside = RelatedExamples(context.finished, context.folds, context.related, values, prospects)
        reader = PrefixReader(context.finished, values, prospects)
        history = History.of(context.finished, curve_arrays(context.finished), context.folds, 4, values, reader)
        assert least <= beside.at(history).alike[0] <= most


def test_without_an_own_run_alike_ones_stand_for_them() -> None:
    zero_shot, none = lcode.load(device="cpu"), NEW.select([])
    alike = LCGODEForecaster.adapted().fit_related(none, [sweep(*range(60))])
    assert alike.fitted is not None and isinstance(alike.fitted.model, RelatedModel)
    assert error(alike, NEW, 6) < 0.7 * error(zero_shot, NEW, 6)
    unlike = LCGODEForecaster.adapted().fit_related(none, [sweep(*range(60), scale=50)])
    assert error(unlike, NEW, 6) < 1.2 * error(zero_shot, NEW, 6)


def test_own_runs_that_finish_later_take_their_place() -> None:
    model = LCGODEForecaster.adapted().fit_related(NEW.select([]), [sweep(*range(60))])
    later = model.in_context(sweep(*range(200, 208)))
    assert later.learned_from == 8 and later.related == 60
    assert model.in_context(sweep(200, 201)).fitted is model.fitted


@pytest.mark.parametrize("own", [0, 6])
def test_it_is_saved_and_loaded(own: int, tmp_path: Path) -> None:
    table = sweep(*range(200, 206))
    fitted = LCGODEForecaster.adapted().fit_related(table.rows(np.arange(own)), [sweep(*range(30))])
    fitted.save(tmp_path / "model")
    again, seen = lcode.load(tmp_path / "model", device="cpu"), NEW.prefix(4)
    assert again.related == 30 and again.learned_from == own
    np.testing.assert_array_equal(again.predict(seen).quantiles, fitted.predict(seen).quantiles)


def test_a_run_is_forecast_by_itself_beside_related_ones() -> None:
    fitted = LCGODEForecaster.adapted().fit_related(sweep(*range(200, 206)), [sweep(*range(30))])
    seen = NEW.prefix(4)
    alone = fitted.predict(seen.select(["r500"])).quantiles
    np.testing.assert_allclose(alone, fitted.predict(seen).quantiles[:1], rtol=1e-4)


def test_trainings_of_very_different_lengths() -> None:
    """Runs are then compared at equal shares of their horizons too, and so are related ones."""
    own = sweep(*range(200, 210))
    longer = own.select(own.run_ids[:5]).in_unit(1.0)
    mixed = replace(
        longer,
        points=longer.points.assign(epoch=longer.points["epoch"] * 5),
        runs=longer.runs.assign(horizon=longer.runs["horizon"] * 5),
    ).concat(own.select(own.run_ids[5:]))
    fitted = LCGODEForecaster.adapted().fit_related(mixed, [sweep(*range(30))])
    assert np.isfinite(fitted.predict(NEW.prefix(4)).quantiles).all()


@pytest.mark.parametrize("own", [0, 6])
def test_epochs_may_be_finer_than_those_of_the_fit(own: int) -> None:
    table = sweep(*range(200, 206))
    fitted = LCGODEForecaster.adapted().fit_related(table.rows(np.arange(own)), [sweep(*range(30))])
    seen = NEW.prefix(4)
    expected = fitted.predict(seen).quantiles
    np.testing.assert_allclose(fitted.predict(seen.in_unit(0.5)).quantiles, expected, rtol=0.2)


def lasting(table: RunTable, factor: int) -> RunTable:
    """The same trainings, so many times longer."""
    points = table.points.assign(epoch=table.points["epoch"] * factor)
    return replace(table, points=points, runs=table.runs.assign(horizon=table.runs["horizon"] * factor))


def test_where_few_runs_go_on_related_ones_still_count() -> None:
    own = sweep(*range(200, 220))
    ended = own.select(own.run_ids[:14]).prefix(3)
    ended = replace(ended, runs=ended.runs.assign(horizon=3, status="finished"))
    related = sweep(*range(30)).prefix(3)
    related = replace(related, runs=related.runs.assign(horizon=3, status="finished"))
    fitted = LCGODEForecaster.adapted().fit_related(ended.concat(own.select(own.run_ids[14:])), [related])
    assert np.isfinite(fitted.predict(NEW.prefix(5)).quantiles).all()


def test_an_own_run_among_the_related_ones_tells_nothing_of_itself() -> None:
    own = sweep(*range(200, 208))
    alone, copied = LCGODEForecaster.adapted().fit(own), LCGODEForecaster.adapted().fit_related(own, [own])
    seen = NEW.prefix(4)
    np.testing.assert_array_equal(copied.predict(seen).quantiles, alone.predict(seen).quantiles)
    fitted = LCGODEForecaster.adapted().fit_related(own, [sweep(*range(40))])
    later = context_of(fitted.in_context(sweep(*range(20))))
    assert later.related is not None and len(later.related.without(later.finished)) == 20


def test_names_may_repeat_from_sweep_to_sweep() -> None:
    model = LCGODEForecaster.adapted().fit_related(sweep(*range(200, 206)), [sweep(*range(30))])
    for scale in (1.1, 1.2, 1.3):
        before = model.learned_from
        model = model.in_context(sweep(*range(200, 206), scale=scale))
        assert model.learned_from == before + 6


@pytest.mark.parametrize("factors", [(10, 1), (1, 10)])
def test_trainings_of_another_length_are_compared_at_equal_shares(factors: tuple[int, int]) -> None:
    own, related = (lasting(table, factor) for table, factor in zip((NEW, sweep(*range(60))), factors, strict=True))
    few = own.select(own.run_ids[:6])
    fitted = LCGODEForecaster.adapted().fit_related(few, [related])
    alone = LCGODEForecaster.adapted().fit(few)
    asked, cutoff = own.select(own.run_ids[6:]), 2 * factors[0]
    assert error(fitted, asked, cutoff) < 1.05 * error(alone, asked, cutoff)
    assert standing_alike(asked.prefix(cutoff), related_of(related), by_share=False)[0] < 0.1


def test_related_runs_in_finer_epochs_are_read_at_the_same_ones() -> None:
    model = LCGODEForecaster.adapted().fit_related(NEW.select([]), [sweep(*range(60)).in_unit(0.5)])
    later = context_of(model.in_context(sweep(*range(200, 208))))
    assert later.related is not None
    assert later.finished.epoch_unit == later.related.runs.epoch_unit == 0.5
    same = LCGODEForecaster.adapted().fit_related(NEW.select([]), [sweep(*range(60))])
    seen = NEW.prefix(6)
    np.testing.assert_allclose(model.predict(seen).quantiles, same.predict(seen).quantiles, rtol=0.2)


def test_options_of_the_fit_stay_when_own_runs_finish() -> None:
    forecaster = LCGODEForecaster(pretrained=SHIPPED, parts=PARTS[2:], calibrated=False)
    model = forecaster.fit_related(NEW.select([]), [sweep(*range(30))])
    context = context_of(model.in_context(sweep(*range(200, 206))))
    assert (context.parts, context.calibrated) == (PARTS[2:], False)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

import lcode
from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.ensemble import at_cutoff
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.context import Context
from lcode.ensemble.history import History
from lcode.ensemble.networks import AnyMetrics
from lcode.ensemble.registry import BASE_MODELS, Learning
from lcode.ensemble.related import RelatedExamples
from lcode.ensemble.tuning import InContextMembers
from lcode.forecast import LEVELS, Q50
from lcode.network.loop import Source
from lcode.network.quantiles import OutOfFoldNetwork
from lcode.table import RunTable

Array = np.ndarray
Family = Callable[..., RunTable]
CUTOFF, HORIZON = 4, 16


def learning(context: Context, cutoff: int) -> Learning:
    """What base models may learn from at a cutoff."""
    finished, read = context.finished, context.preprocessor
    assert context.adapted is not None and context.prior is not None
    reader = PrefixReader(finished, read.values, context.prospects)
    history = History.of(finished, curve_arrays(finished), context.folds, cutoff, read.values, reader)
    source = Source.of(read.tensors(finished), read.task_of, context.folds, "cpu")
    adapted = OutOfFoldNetwork(context.adapted, source)
    prior = context.prior
    pretrained = AnyMetrics.of(prior.network, finished, read)
    assert prior.in_context is not None
    examples = InContextMembers([prior.in_context], context.folds)
    assert context.related is not None
    beside = RelatedExamples(finished, context.folds, context.related, read.values, context.prospects)
    related = beside.at(history), prior.in_context
    return Learning(history, read, adapted, pretrained, examples, related, context.seed)


@dataclass(frozen=True)
class Tried:
    """Forecasts in model space by each base model, [R, K, Q, 21], and what came, [R, K, Q]; left-out ones if judged."""

    left_out: dict[str, Array]
    left_out_truth: Array
    new: dict[str, Array]
    new_truth: Array
    last: Array


@pytest.fixture(scope="module")
def tried(context: Context, family: Family) -> Tried:
    given, new = learning(context, CUTOFF), family(30, seed=1, prefix="n")
    ((_, observed),) = context.observe(new.prefix(CUTOFF))
    epochs = np.tile(np.arange(CUTOFF + 1.0, HORIZON + 1), (len(new), 1))
    left_out: dict[str, Array] = {}
    forecasts: dict[str, Array] = {}
    for name, make in BASE_MODELS.items():
        model = make(given, left_out)
        assert model is not None
        left_out[name] = model.out_of_fold()
        assert left_out[name].shape == (*given.history.values.shape, len(LEVELS))
        forecasts[name] = model.predict(observed, epochs, forecasts)
    truth = context.preprocessor.values.scale(curve_arrays(new).values)[:, :, CUTOFF:]
    judged = given.history.judged
    left_out = {name: quantiles[:, :, judged] for name, quantiles in left_out.items()}
    return Tried(left_out, given.history.values[:, :, judged], forecasts, truth, observed.known.last)


@pytest.mark.parametrize("name", BASE_MODELS)
def test_every_base_model_keeps_to_the_protocol_and_beats_the_last_value(name: str, tried: Tried) -> None:
    forecast, left_out = tried.new[name], tried.left_out[name]
    assert forecast.shape == (*tried.new_truth.shape, len(LEVELS))
    for quantiles in (forecast, left_out):
        assert np.isfinite(quantiles).all() and (np.diff(quantiles) >= 0).all()
    error = np.abs(forecast[..., Q50] - tried.new_truth).mean()
    assert error < 0.7 * np.abs(tried.last[..., None] - tried.new_truth).mean()


@pytest.mark.parametrize("name", BASE_MODELS)
def test_left_out_forecasts_are_nearly_as_good_as_those_of_new_runs(name: str, tried: Tried) -> None:
    own = np.abs(tried.left_out[name][:, :, -1, Q50] - tried.left_out_truth[..., -1]).mean()  # of the ends
    new = np.abs(tried.new[name][:, :, -1, Q50] - tried.new_truth[..., -1]).mean()
    # A forecast that had seen its own run would be far better than one of a new run.
    assert 0.5 * new < own < 2.5 * new


class Oracle:
    """A base model that is right about the runs that it left out, and expects new ones to stay where they are."""

    def __init__(self, history: History) -> None:
        self._truth = history.values

    def out_of_fold(self) -> Array:
        return np.repeat(self._truth[..., None], len(LEVELS), axis=-1)

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        last = observed.known.last
        return np.broadcast_to(last[..., None, None], (*last.shape, epochs.shape[1], len(LEVELS)))


def test_one_line_in_the_registry_adds_a_base_model(
    context: Context, fresh: RunTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BASE_MODELS, "oracle", lambda given, before: Oracle(given.history))
    known = replace(context, parts=tuple(BASE_MODELS))
    learned = known.at(CUTOFF)
    assert learned.names[-1] == "oracle"
    assert (learned.stacking.weights[..., -1] > 0.8).all()
    ((_, observed),) = known.observe(fresh.prefix(CUTOFF))
    median = learned.quantiles(observed, np.full((len(fresh), 1), float(HORIZON)))[..., Q50]
    np.testing.assert_allclose(median[..., 0], observed.known.last, atol=0.05)


def test_what_is_not_wanted_has_no_say(context: Context, fresh: RunTable, monkeypatch: pytest.MonkeyPatch) -> None:
    def forecast() -> Array:
        learned = replace(context, parts=("gaussian process", "forest of values")).at(CUTOFF)
        assert learned.names == ("gaussian process", "forest of values")
        assert learned.stacking.weights.shape[-1] == 2
        ((_, observed),) = context.observe(fresh.prefix(CUTOFF))
        return learned.quantiles(observed, np.full((len(fresh), 1), float(HORIZON)))

    without = forecast()
    monkeypatch.setitem(BASE_MODELS, "unwanted", lambda given, before: Oracle(given.history))
    np.testing.assert_array_equal(forecast(), without)


def test_a_base_model_without_a_forecast_has_no_say(
    context: Context, fresh: RunTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Oracle):
        def out_of_fold(self) -> Array:
            return super().out_of_fold() * np.nan

        def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
            return super().predict(observed, epochs, before) * np.nan

    ((_, observed),) = context.observe(fresh.prefix(CUTOFF))
    monkeypatch.setitem(BASE_MODELS, "silent", lambda given, before: Silent(given.history))
    learned = replace(context, parts=("forest of values", "silent")).at(CUTOFF)
    alone = replace(context, parts=("forest of values",)).at(CUTOFF)
    epochs = np.full((len(fresh), 1), float(HORIZON))
    np.testing.assert_allclose(learned.quantiles(observed, epochs), alone.quantiles(observed, epochs), rtol=1e-9)


def test_runs_are_forecast_a_few_at_a_time(context: Context, fresh: RunTable, monkeypatch: pytest.MonkeyPatch) -> None:
    learned, ((_, observed),) = context.at(CUTOFF), context.observe(fresh.prefix(CUTOFF))
    epochs = np.full((len(fresh), 1), float(HORIZON))
    whole = learned.quantiles(observed, epochs)
    monkeypatch.setattr(at_cutoff, "CHUNK", 3)
    np.testing.assert_allclose(learned.quantiles(observed, epochs), whole, rtol=1e-4, atol=1e-5)


def test_without_calibration_the_mixture_is_left_as_wide_as_it_is(context: Context) -> None:
    assert (context.at(CUTOFF).conformal.factors != 0).any()
    plain = replace(context, calibrated=False).at(CUTOFF)
    assert (plain.conformal.factors == 0).all()
    np.testing.assert_array_equal(plain.stacking.weights, context.at(CUTOFF).stacking.weights)


def test_gaps_divergence_and_missing_metrics_leave_finite_forecasts(family: Family) -> None:
    table = family(24)
    points = table.points.copy()
    points.loc[(points["run"] == "r03") & (points["epoch"] > 9), "value"] = np.nan
    points = points[~((points["run"] == "r04") & (points["metric"] == "depth/miou"))]
    points = points[~((points["run"] == "r05") & (points["epoch"] % 2 == 1))]
    model = lcode.load().in_context(replace(table, points=points.reset_index(drop=True)))
    for cutoff in (0, 1, 5):
        assert np.isfinite(model.predict(family(4, seed=2, prefix="n").prefix(cutoff)).quantiles).all()

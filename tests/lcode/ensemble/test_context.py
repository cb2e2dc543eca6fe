from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lcode.curves.collate import Preprocessor
from lcode.ensemble.context import EXACT, Context
from lcode.ensemble.registry import PARTS
from lcode.ensemble.settings import SETTINGS
from lcode.table import RunTable, pooled

Family = Callable[..., RunTable]
HORIZON = 16


def bare(table: RunTable) -> Context:
    """Without a network: enough to ask which cutoffs are learned at."""
    return Context(table, np.arange(len(table)) % 5, Preprocessor.fit(table), None, None, PARTS, 0)


@pytest.fixture(scope="module")
def long(family: Family) -> Context:
    return bare(family(6, horizon=250))


def test_early_cutoffs_serve_themselves(long: Context) -> None:
    assert [long.nearest(cutoff) for cutoff in range(-1, EXACT + 1)] == list(range(-1, EXACT + 1))


def test_later_cutoffs_share_what_was_learned_at_one_near_by(long: Context) -> None:
    assert len({long.nearest(cutoff) for cutoff in range(EXACT, 250)}) < 30
    assert all(abs(np.log(long.nearest(cutoff) / cutoff)) < 0.11 for cutoff in range(EXACT + 1, 250))
    rungs = sorted({long.nearest(cutoff) for cutoff in range(EXACT, 250)})
    assert all(long.nearest(rung) == rung for rung in rungs)


def test_what_has_been_evaluated_once_is_seen_where_it_is_learned(long: Context) -> None:
    points = long.finished.points
    late = bare(replace(long.finished, points=points[points["epoch"] >= 100].reset_index(drop=True)))
    assert (
        long.nearest(100) == 99 and long.nearest(99) == late.nearest(99) == 99
    )  # where none has begun, all is as it was
    assert late.nearest(100) == late.nearest(105) == 100
    assert late.nearest(120) == long.nearest(120) > 100


def test_nothing_is_learned_where_fewer_than_four_runs_went_on(family: Family) -> None:
    table = pooled([family(SETTINGS.least_later, horizon=12), family(SETTINGS.least_later - 1, horizon=40)])
    mixed = bare(table)
    assert [mixed.nearest(cutoff) for cutoff in (5, 11, 12, 30, 39, 1000)] == [5, 11, 11, 11, 11, 11]
    longer = bare(pooled([table, family(1, horizon=31, prefix="q")]))
    assert longer.nearest(30) == longer.nearest(39) == longer.nearest(10_000) == 30
    short = bare(family(5, horizon=3))
    assert [short.nearest(cutoff) for cutoff in (-1, 0, 2, 3, 7)] == [-1, 0, 2, 2, 2]


def test_what_is_learned_at_a_cutoff_does_not_depend_on_what_was_asked_before(
    context: Context, fresh: RunTable
) -> None:
    one, other = replace(context), replace(context)
    ((_, observed),) = context.observe(fresh.prefix(3))
    epochs = np.tile([5.0, 16.0], (len(fresh), 1))
    for cutoff in (-1, 9, 3):
        one.at(cutoff)
    first, second = other.at(3), one.at(3)
    assert first is other.at(3) and first is not second
    np.testing.assert_array_equal(first.stacking.weights, second.stacking.weights)
    np.testing.assert_array_equal(first.conformal.factors, second.conformal.factors)
    np.testing.assert_array_equal(first.quantiles(observed, epochs), second.quantiles(observed, epochs))


def test_runs_are_observed_by_the_cutoff_up_to_which_they_were_seen(context: Context, fresh: RunTable) -> None:
    seen = fresh.prefix({"n00": 2, "n01": 0, "n02": 7, "n03": 2})
    found = {observed.cutoff: (rows.tolist(), len(observed)) for rows, observed in context.observe(seen)}
    assert found == {-1: ([1], 1), 2: ([0, 3], 2), 7: ([2], 1), HORIZON: ([4, 5, 6, 7], 4)}


def test_the_cutoffs_at_which_a_model_is_judged_do_not_repeat(context: Context, long: Context) -> None:
    # At a horizon of 16, 5 % of it are the first epoch again.
    assert list(context.judged_cutoffs()) == [(0.0, 1), (0.1, 2), (0.2, 3), (0.4, 6), (0.7, 11)]
    assert [share for share, _ in long.judged_cutoffs()] == [0.0, 0.05, 0.1, 0.2, 0.4, 0.7]


def test_the_cutoffs_of_runs_in_progress_are_those_that_serve_them(context: Context, fresh: RunTable) -> None:
    assert context.cutoffs_of(fresh) == []  # all have finished
    some = fresh.prefix({"n00": 2, "n01": 7, "n02": 2})
    assert context.cutoffs_of(some) == [(2 / HORIZON, 2), (7 / HORIZON, 7)]
    many = fresh.prefix({run: 2 * i + 1 for i, run in enumerate(fresh.run_ids)})
    served = [cutoff for _, cutoff in context.cutoffs_of(many)]
    assert len(served) == 6 and served[0] == 1 and served[-1] == context.nearest(15)


def test_weights_are_shares_of_what_may_count(context: Context) -> None:
    weights = context.mean_weights()
    assert tuple(weights) == PARTS and sum(weights.values()) == pytest.approx(1) and min(weights.values()) > 0
    assert replace(context, parts=("lc-gode",)).mean_weights() == {"lc-gode": pytest.approx(1)}


def test_packed_and_unpacked_it_learns_the_same(context: Context, fresh: RunTable) -> None:
    meta, arrays = replace(context, parts=PARTS[1:]).pack()
    again = Context.unpack(
        json.loads(json.dumps(meta)), arrays, context.preprocessor, context.adapted, context.prior, (), context.related
    )
    assert (again.seed, again.parts) == (context.seed, PARTS[1:])
    ((_, observed),) = context.observe(fresh.prefix(2))
    ((_, twice),) = again.observe(fresh.prefix(2))
    epochs = np.full((len(fresh), 1), float(HORIZON))
    one = replace(context, parts=PARTS[1:]).at(2).quantiles(observed, epochs)
    np.testing.assert_array_equal(again.at(2).quantiles(twice, epochs), one)

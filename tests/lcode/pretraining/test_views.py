from __future__ import annotations

import numpy as np
import pytest

from lcode.pretraining.prior import synthetic_runs
from lcode.pretraining.views import coarser, ended, one_task, views
from lcode.table import RunTable

ONE, OTHER = (metric.key for metric in reversed(synthetic_runs(6, tasks=2, horizon=12, seed=3).metrics))


@pytest.fixture(scope="module")
def table() -> RunTable:
    return synthetic_runs(6, tasks=2, horizon=12, seed=3)


def test_a_task_by_itself_keeps_its_curves_and_plans(table: RunTable) -> None:
    alone = one_task(table, "task1")
    assert [metric.key for metric in alone.metrics] == [ONE] and alone.run_ids == table.run_ids
    for run in table.run_ids:
        np.testing.assert_array_equal(alone.curve(run, ONE).values, table.curve(run, ONE).values)
    assert alone.schedules.keys() == table.schedules.keys()


def test_three_epochs_as_one_end_with_the_third(table: RunTable) -> None:
    coarse = coarser(table, 3)
    assert (coarse.runs["horizon"] == 4).all() and (coarse.runs["status"] == "finished").all()
    for run in table.run_ids:
        whole, kept = table.curve(run, OTHER), coarse.curve(run, OTHER)
        assert kept.epochs.tolist() == [1, 2, 3, 4]
        np.testing.assert_array_equal(kept.values, whole.values[2::3])
    for run, plan in table.schedules.items():
        np.testing.assert_array_equal(coarse.schedules[run].rates, plan.rates[2::3])


def test_a_horizon_that_is_no_multiple_ends_early() -> None:
    coarse = coarser(synthetic_runs(5, tasks=1, horizon=11, seed=0), 2)
    assert (coarse.runs["horizon"] == 5).all() and coarse.last_epochs.eq(5).all()
    assert all(plan.last == 5 for plan in coarse.schedules.values())


def test_every_task_is_seen_by_itself_where_there_are_several(table: RunTable) -> None:
    shapes = [(len(view.metrics), int(view.runs["horizon"].max())) for view in views(table)]
    assert shapes == [(2, 12), (2, 6), (2, 5), (1, 12), (1, 4), (1, 12), (1, 4)]
    one = synthetic_runs(5, tasks=1, horizon=12, seed=0)
    assert [(len(view.metrics), int(view.runs["horizon"].max())) for view in views(one)] == [(1, 12), (1, 6), (1, 5)]


def test_runs_that_end_early_have_their_beginnings_and_no_plan(table: RunTable) -> None:
    early = ended(table, 0.5)
    assert (early.runs["horizon"] == 6).all() and not early.schedules
    for run in table.run_ids:
        np.testing.assert_array_equal(early.curve(run, ONE).values, table.curve(run, ONE).values[:6])

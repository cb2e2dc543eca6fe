from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lcode.errors import UsageError
from lcode.table import Metric, RunTable

ACC, ERR = Metric("main", "acc", "max"), Metric("seg", "err", "min")


def points(*rows: tuple[str, int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])


def small() -> RunTable:
    runs = pd.DataFrame({"horizon": [4, None], "arch": [None, "net"]}, index=["b", "a"])
    return RunTable.from_points(
        points(("a", 2, "acc", 0.2), ("b", 4, "acc", 0.4), ("b", 1, "seg/err", 0.5), ("b", 2, "acc", math.nan)),
        [ACC, ERR],
        runs=runs,
        configs=pd.DataFrame({"lr": [0.1, 0.2]}, index=["a", "b"]),
        signals=points(("b", 3, "seg/loss", 1.0)),
        schedules={"b": [4, 3, 2, 1]},
        notes=["hello"],
    )


def test_what_is_not_given_is_filled_in() -> None:
    table = small()
    assert table.run_ids == ("b", "a")
    assert table.runs["horizon"].tolist() == [4, 4]
    assert table.runs["status"].tolist() == ["finished", "running"]
    assert table.runs["arch"].tolist() == [None, "net"]
    assert table.runs["seed"].tolist() == [None, None]
    assert table.configs["lr"].tolist() == [0.2, 0.1]
    assert table.last_epochs.tolist() == [4, 2]
    assert list(zip(table.points["run"], table.points["metric"], table.points["epoch"], strict=True)) == [
        ("b", "acc", 2),
        ("b", "acc", 4),
        ("b", "seg/err", 1),
        ("a", "acc", 2),
    ]


def test_a_run_that_outlived_its_plan_moves_its_horizon() -> None:
    runs = pd.DataFrame({"horizon": [2]}, index=["a"])
    assert RunTable.from_points(points(("a", 5, "acc", 1.0)), [ACC], runs=runs).runs.loc["a", "horizon"] == 5


def test_what_was_measured_before_the_training_alone_has_not_finished() -> None:
    table = RunTable.from_points(points(("a", 0, "acc", 1.0)), [ACC])
    assert (table.runs["status"].tolist(), table.runs["horizon"].tolist()) == (["running"], [1])


def test_a_run_without_points_has_its_row() -> None:
    runs = pd.DataFrame({"horizon": [3, 3]}, index=["a", "z"])
    table = RunTable.from_points(points(("a", 1, "acc", 1.0)), [ACC], runs=runs)
    assert table.last_epochs.tolist() == [1, 0]
    assert table.runs.loc["z", "status"] == "running"
    assert len(table.curve("z", "acc").epochs) == 0


def test_a_curve_ends_where_it_diverges() -> None:
    curve = small().curve("b", "acc")
    assert (curve.epochs.tolist(), curve.diverged_at, curve.gaps) == ([4], None, ((2, 2),))
    assert curve.prefix(1).diverged_at is None and curve.prefix(3).diverged_at == 2
    assert small().curve("b", "seg/err").prefix(0).values.tolist() == []


def test_metrics_are_found_by_either_spelling() -> None:
    assert small().metric("main/acc") == small().metric("acc") == ACC
    with pytest.raises(UsageError, match=r"no metric 'x'.*acc, seg/err"):
        small().metric("x")
    with pytest.raises(UsageError, match="no run 'x'"):
        small().curve("x", "acc")


def test_select_takes_runs_in_the_given_order_with_all_that_is_theirs() -> None:
    table = small().select(["a", "b", "a"])
    assert table.run_ids == ("a", "b")
    assert table.points["run"].tolist() == ["a", "b", "b", "b"]
    assert small().rows([1, 0]).run_ids == table.run_ids
    only = small().select(["a"])
    assert only.schedules == {} and only.signals.empty and only.configs["lr"].tolist() == [0.1]
    assert list(only.points["run"].cat.categories) == ["a"]
    with pytest.raises(UsageError, match="no run 'x'"):
        small().select(["x"])
    assert small().with_status("running").run_ids == ("a",)


def test_all_runs_in_their_order_are_the_table_itself() -> None:
    table = small()
    assert table.select(table.run_ids) is table and table.rows(range(len(table))) is table
    assert table.select(table.run_ids[::-1]) is not table


def test_two_runs_of_one_name_are_refused() -> None:
    runs = pd.DataFrame({"horizon": [4, 4]}, index=["a", "a"])
    with pytest.raises(UsageError, match="two runs are called 'a'"):
        RunTable.from_points(points(("a", 1, "acc", 0.5)), [ACC], runs=runs)


def test_two_hyper_parameters_of_one_name_are_refused() -> None:
    points = pd.DataFrame({"run": ["a"], "epoch": [1], "metric": ["loss"], "value": [0.5]})
    configs = pd.DataFrame([[0.1, 0.2]], index=["a"], columns=["lr", "lr"])
    with pytest.raises(UsageError, match="two hyper-parameters are called 'lr'"):
        RunTable.from_points(points, [Metric("main", "loss", "min")], configs=configs)


def test_a_cut_run_is_running_and_keeps_its_plan() -> None:
    cut = small().prefix(2)
    assert cut.runs["status"].tolist() == ["running", "running"]
    assert cut.runs["horizon"].tolist() == [4, 4]
    assert cut.signals.empty and list(cut.schedules) == ["b"]
    per_run = small().prefix({"a": 1})
    assert per_run.last_epochs.tolist() == [4, 0]
    assert per_run.runs["status"].tolist() == ["finished", "running"]


def test_concat_unites_metrics_and_refuses_clashes() -> None:
    other = RunTable.from_points(points(("c", 1, "seg/err", 1.0)), [ERR, Metric("seg", "loss", "min")])
    both = small().concat(other)
    assert both.run_ids == ("b", "a", "c")
    assert [metric.key for metric in both.metrics] == ["acc", "seg/err", "seg/loss"]
    assert both.notes == ("hello",)
    with pytest.raises(UsageError, match="run 'a' is in both"):
        small().concat(small())
    with pytest.raises(UsageError, match="direction of 'acc'"):
        small().concat(RunTable.from_points(points(("d", 1, "acc", 1.0)), [Metric("main", "acc", "min")]))


def test_epochs_are_brought_to_a_common_unit() -> None:
    half = RunTable.from_points(points(("c", 1, "acc", 1.0), ("c", 3, "acc", 2.0)), [ACC], epoch_unit=0.5)
    both = small().concat(half)
    assert both.epoch_unit == 0.5 and both.runs["horizon"].tolist() == [8, 8, 3]
    assert both.curve("a", "acc").epochs.tolist() == [4] and both.curve("c", "acc").epochs.tolist() == [1, 3]
    assert both.signals["epoch"].tolist() == [6] and both.schedules["b"].at([2, 8]).tolist() == [4, 1]
    assert half.with_horizon(4).runs["horizon"].tolist() == [8]
    later = half.with_horizon(2.25)
    assert later.epoch_unit == 0.25 and later.runs["horizon"].tolist() == [9]
    assert later.curve("c", "acc").epochs.tolist() == [2, 6] and later.runs["status"].tolist() == ["running"]


def test_points_count_in_whole_ticks() -> None:
    assert RunTable.from_points(points(("a", 2.0, "acc", 1.0)), [ACC]).points["epoch"].tolist() == [2]  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="whole numbers"):
        RunTable.from_points(points(("a", 0.5, "acc", 1.0)), [ACC])  # type: ignore[arg-type]


places = st.tuples(st.sampled_from("abcd"), st.integers(0, 12), st.sampled_from(["acc", "seg/err"]))
drawn = st.dictionaries(places, st.floats(allow_nan=True), min_size=1, max_size=20).map(
    lambda found: RunTable.from_points(points(*((*place, value) for place, value in found.items())), [ACC, ERR])
)


@settings(max_examples=40)
@given(drawn, st.integers(-1, 13))
def test_a_prefix_has_no_point_after_its_cutoff_and_all_before(table: RunTable, cutoff: int) -> None:
    cut = table.prefix(cutoff)
    assert (cut.points["epoch"] <= cutoff).all()
    assert len(cut.points) == (table.points["epoch"] <= cutoff).sum()
    assert cut.run_ids == table.run_ids
    assert (cut.runs["horizon"] == table.runs["horizon"]).all()
    assert_frame_equal(cut.prefix(cutoff).points, cut.points)
    for run in table.run_ids:
        whole, part = table.curve(run, "acc").prefix(cutoff), cut.curve(run, "acc")
        assert whole.epochs.tolist() == part.epochs.tolist() and whole.diverged_at == part.diverged_at


@settings(max_examples=40)
@given(drawn, st.data())
def test_splitting_and_joining_gives_the_table_back(table: RunTable, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(table)))
    joined = table.select(table.run_ids[:n]).concat(table.select(table.run_ids[n:]))
    assert_frame_equal(joined.points, table.points)
    assert_frame_equal(joined.runs, table.runs)
    assert joined.metrics == table.metrics


@settings(max_examples=40)
@given(drawn)
def test_points_are_sorted_whatever_their_order(table: RunTable) -> None:
    shuffled = table.points.astype({"run": object, "metric": object}).iloc[::-1]
    again = RunTable.from_points(shuffled, table.metrics, runs=table.runs)
    assert_frame_equal(again.points, table.points)

"""What `lcode inspect` says is odd, of logs that can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lcode.readers import read_logs
from lcode.report.oddities import oddities
from lcode.table import RunTable

Cells = dict[str, dict[int, float | str]]


def read(tmp_path: Path, runs: dict[str, Cells]) -> RunTable:
    """Runs, each given as curves: metric -> epoch -> value."""
    metrics = list(dict.fromkeys(metric for curves in runs.values() for metric in curves))
    lines = [",".join(["run", "epoch", *metrics])]
    lines += [
        ",".join([run, str(epoch), *(str(curves.get(metric, {}).get(epoch, "")) for metric in metrics)])
        for run, curves in runs.items()
        for epoch in sorted({epoch for curve in curves.values() for epoch in curve})
    ]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_logs(path)


def rising(*epochs: int) -> dict[int, float | str]:
    return {epoch: round(1 - 1 / (epoch + 2), 4) for epoch in epochs}


def test_logs_with_nothing_odd(tmp_path: Path) -> None:
    assert oddities(read(tmp_path, {"a": {"acc": rising(*range(8))}, "b": {"acc": rising(*range(8))}})) == []


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (
            {"a": {"acc": rising(*range(8))}, "b": {"acc": rising(*range(4))}},
            "end sooner than others, and are taken to go on to 7 (--horizon N says otherwise): 'b'",
        ),
        (
            {"a": {"acc": rising(0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13)}, "b": {"acc": rising(*range(14))}},
            "gaps between evaluations: 'a' (4 to 8)",
        ),
        (
            {name: {"acc": rising(*range(8)), **({"f1": rising(*range(8))} if name == "a" else {})} for name in "abcd"},
            "f1 has values in 1 of 4 runs alone: 'a'",
        ),
        (
            {name: {"acc": rising(*range(8)), **({} if name == "a" else {"f1": rising(*range(8))})} for name in "abcd"},
            "f1 is missing in 1 of 4 runs: 'a'",
        ),
        (
            {name: {"acc": rising(*range(8)), "f1": dict.fromkeys(range(8), 0.25)} for name in "ab"},
            "f1 never changes in every run (it is 0.25)",
        ),
        (
            {"a": {"acc": rising(*range(8))}, "b": {"acc": dict.fromkeys(range(8), 0.5)}},
            "acc never changes in 'b' (it is 0.5)",
        ),
        (
            {"a": {"acc": rising(*range(8))}, "b": {"acc": {**rising(*range(5)), 5: "nan", 6: "nan", 7: "nan"}}},
            "acc ends as NaN or infinite in 'b'",
        ),
    ],
)
def test_what_is_odd_is_named(tmp_path: Path, runs: dict[str, Cells], expected: str) -> None:
    assert oddities(read(tmp_path, runs)) == [expected]


def test_runs_without_a_value_are_named(tmp_path: Path) -> None:
    table = read(tmp_path, {name: {"acc": rising(*range(8))} for name in "ab"})
    table = replace(table, points=table.points[table.points["run"] != "b"])
    assert oddities(table) == ["without a value so far: 'b'"]


def test_evaluations_that_become_rarer_have_no_gap(tmp_path: Path) -> None:
    doubling = rising(1, 2, 4, 8, 16, 32, 64)
    assert oddities(read(tmp_path, {"a": {"acc": doubling}, "b": {"acc": doubling}})) == []


def test_a_run_that_begins_where_another_ended_may_be_the_same_training(tmp_path: Path) -> None:
    spans = {"a": range(4), "b": range(4, 9), "c": range(12), "d": range(6, 9)}
    (told,) = [
        line
        for line in oddities(read(tmp_path, {run: {"acc": rising(*epochs)} for run, epochs in spans.items()}))
        if "resumed" in line
    ]
    assert told.endswith("may be one training that was resumed: 'b' where 'a' ended")


def test_of_several_runs_that_ended_there_the_one_in_the_same_folder_is_named(tmp_path: Path) -> None:
    spans = {"x/a": range(4), "x/b": range(4, 9), "y/a": range(4), "y/b": range(4, 9)}
    (told,) = [
        line
        for line in oddities(read(tmp_path, {run: {"acc": rising(*epochs)} for run, epochs in spans.items()}))
        if "resumed" in line
    ]
    assert told.endswith("'x/b' where 'x/a' ended, 'y/b' where 'y/a' ended")

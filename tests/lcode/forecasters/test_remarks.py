"""What is said of runs unlike those that were learned from: settings that no finished run came near."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import lcode
from lcode.forecasters.remarks import settings_remarks
from lcode.pretraining.prior import synthetic_runs
from lcode.table import Metric, RunTable


@pytest.fixture(scope="module")
def finished() -> RunTable:
    table = synthetic_runs(12, tasks=1, horizon=8, seed=0, metrics=["loss"])
    rows = [
        {"lr": 10.0 ** -(i % 4 + 1), "width": 32 + 8 * i, "opt": ("adam", "sgd")[i % 2], "data": "a"}
        for i in range(len(table))
    ]
    configs = table.configs.iloc[:, :0].assign(**{name: [row[name] for row in rows] for name in rows[0]})
    return RunTable.from_points(table.points, table.metrics, runs=table.runs, configs=configs)


def remarks(finished: RunTable, *configs: dict[str, Any]) -> tuple[str, ...]:
    asked = lcode.candidates(configs, like=finished)
    return lcode.load().in_context(finished).predict(asked).notes


def test_candidates_among_the_finished_runs_are_not_remarked_on(finished: RunTable) -> None:
    near = {"lr": 0.003, "width": 60, "opt": "sgd", "data": "a"}
    assert remarks(finished, near, {**near, "lr": 0.11, "width": 125}, {"lr": 0.01}) == ()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"lr": 1e6}, "lr 1e+06 (finished: 0.0001 to 0.1)"),
        ({"lr": -1.0}, "lr -1 (finished: 0.0001 to 0.1)"),
        ({"width": 500}, "width 500 (finished: 32 to 120)"),
        ({"opt": "lion"}, "opt lion (finished: adam, sgd)"),
        ({"data": "b"}, "data b (finished: a alone, so it is not looked at)"),
    ],
)
def test_settings_that_no_finished_run_came_near_are_named(
    finished: RunTable, config: dict[str, Any], told: str
) -> None:
    (remark,) = remarks(finished, {"lr": 0.01, "width": 64, "opt": "adam", "data": "a", **config})
    assert remark.endswith(f"little more than guesses: {told}.")


def test_runs_that_have_begun_speak_for_themselves(finished: RunTable) -> None:
    begun = finished.prefix(3)
    apart = RunTable.from_points(
        begun.points, begun.metrics, runs=begun.runs, configs=begun.configs.assign(lr=1e6, opt="lion")
    )
    assert lcode.load().in_context(finished).predict(apart).notes == ()


def test_of_many_settings_some_are_named(finished: RunTable) -> None:
    rows = [{"lr": 10.0**i, "width": 900, "opt": "x", "data": "b"} for i in range(5)]
    (remark,) = remarks(finished, *rows)
    assert "lr 1, 10, 100, … (finished" in remark and remark.endswith(" and 1 more.")


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ([32, 32], [32.0]),
        ([0.1, 0.3], [0.1 + 2e-17]),
        (["adam", "sgd"], ["Adam"]),
        (["true", "false"], [True]),
        ([2, "a"], [2.0]),
    ],
)
def test_what_is_written_otherwise_is_the_same_setting(known: list[Any], asked: list[Any]) -> None:
    points = pd.DataFrame({"run": ["x"], "epoch": [1], "metric": "loss", "value": [1.0]})
    begun = RunTable.from_points(points, [Metric("main", "loss", "min")])
    table = lcode.candidates(pd.DataFrame({"setting": asked}, dtype=object), like=begun)
    assert settings_remarks(pd.DataFrame({"setting": pd.Series(known, dtype=object)}), table) == []

"""Wrong arguments in Python are refused with what was found and what to give, not by a traceback from within."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.arguments import found
from lcode.errors import UsageError
from lcode.table import Metric, RunTable

Call = Callable[[Any], object]
PATH: Any = "x"
NOTHING: Any = None


@pytest.fixture(scope="module")
def table() -> RunTable:
    """Six runs of eight epochs, four of which have finished."""
    rows = [
        (f"r{i}", epoch, "seg/loss", 0.1 * i + 1 / epoch) for i in range(6) for epoch in range(1, 9 if i < 4 else 4)
    ]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), (Metric("seg", "loss", "min"),)
    )


def simple(table: RunTable, at: Any = "horizon") -> lcode.Forecast:
    return lcode.forecaster("last").fit(table).predict(table, at)


@pytest.mark.parametrize("name", ["last", "best", "power", "trees", "trees+gp", "lcode"])
@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("foo", r"at is 'foo' \(str\); give 'horizon', 'full', or epochs by run"),
        (30, r"at is 30 \(int\)"),
        ({"nope": [5]}, "at names the run 'nope', which is not among the 6"),
        ({"r4": [6, 5]}, r"at\['r4'\] is \[6, 5\] \(list\); give ascending whole numbers above 0"),
        ({"r4": [5, 5]}, "ascending"),
        ({"r4": [5.5]}, "whole numbers"),
        ({"r4": [0, 5]}, "above 0"),
        ({"r4": ["a"]}, "whole numbers"),
        ({"r4": 5}, "ascending"),
        ({"r4": [float("nan")]}, "whole numbers"),
    ],
)
def test_epochs_to_forecast_are_a_word_or_ascending_whole_numbers(
    table: RunTable, name: str, at: Any, text: str
) -> None:
    model = lcode.load() if name == "lcode" else lcode.forecaster(name).fit(table)
    with pytest.raises(UsageError, match=text):
        model.predict(table, at)


@pytest.mark.parametrize("name", ["last", "best", "power", "trees", "trees+gp", "lcode"])
def test_only_a_table_is_forecast(table: RunTable, name: str) -> None:
    model = lcode.load() if name == "lcode" else lcode.forecaster(name).fit(table)
    with pytest.raises(UsageError, match=r"table is 'logs.csv' \(str\); give a table of runs, such as lcode.read_logs"):
        model.predict("logs.csv")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"table is of type DataFrame with shape \[6, 4\]"):
        model.predict(table.runs)  # type: ignore[arg-type]


def test_epochs_by_run_are_as_they_were(table: RunTable) -> None:
    epochs = simple(table, {"r4": [4, 6.0, 8], "r5": np.array([5])}).epochs
    assert epochs[4].tolist() == [4, 6, 8] and epochs[5].tolist() == [5, 0, 0] and not epochs[0].any()
    model = lcode.load()
    parts = list(model.predict_in_blocks(table, {"r0": np.array([8]), "r5": np.array([5])}, runs=3))
    assert [part.epochs.ravel().tolist() for part in parts] == [[8, 0, 0], [0, 0, 5]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda table: lcode.load().predict(table, context=PATH), "context is 'x'"),
        (lambda table: lcode.load().in_context(PATH), "runs is 'x'"),
        (lambda table: lcode.fit(PATH), "table is 'x'"),
        (lambda table: lcode.fit(NOTHING), "table is None"),
        (lambda table: lcode.fit(table, related=[PATH]), "related is 'x'"),
        (lambda table: lcode.forecaster("trees").fit(PATH), "table is 'x'"),
        (lambda table: lcode.backtest(PATH), "table is 'x'"),
        (lambda table: lcode.candidates([{"lr": 1}], like=PATH), "like is 'x'"),
        (lambda table: lcode.rank(table), "forecast is of type RunTable; give a forecast, such as"),
        (lambda table: lcode.suggest(table), "forecast is of type RunTable"),
        (lambda table: table.with_horizon(0), "horizon of 0"),
    ],
)
def test_tables_and_forecasts_are_not_taken_for_each_other(table: RunTable, call: Call, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        call(table)


@pytest.mark.parametrize("decide", [lcode.rank, lcode.suggest])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"table": "x.csv"}, r"table is 'x.csv' \(str\); give a table of runs"),
        ({"n_samples": 0}, "n_samples is 0; it must be a whole number, at least 1"),
        ({"n_samples": "a"}, "n_samples is 'a'"),
        ({"seed": -1}, "seed is -1; it must be a whole number, at least 0"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"baseline": 3}, r"baseline is 3 \(int\); give values by metric"),
        ({"incumbent": float("nan")}, "incumbent is nan .*; give a number, or None"),
        ({"incumbent": "best"}, "incumbent is 'best'"),
    ],
)
def test_options_of_a_decision_are_checked(
    table: RunTable, decide: Callable[..., object], options: dict[str, object], text: str
) -> None:
    forecast = simple(table)
    with pytest.raises(UsageError, match=text):
        decide(forecast, **options)


@pytest.mark.parametrize("delta", [2, -1, float("nan"), "a"])
def test_a_threshold_is_a_share(table: RunTable, delta: object) -> None:
    with pytest.raises(UsageError, match=r"delta is .*; it is a number between 0 and 1"):
        lcode.rank(simple(table), delta=delta)  # type: ignore[arg-type]


def test_a_budget_is_a_number(table: RunTable) -> None:
    with pytest.raises(UsageError, match="the budget is 'a'; it is a number of epochs above 0"):
        lcode.suggest(simple(table), budget="a")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "options", "text"),
    [
        (None, {}, r"path is None \(NoneType\); give the path of a file or a folder"),
        (["logs.csv"], {}, "path is"),
        (pd.DataFrame({"run": ["a"]}), {}, "path is of type DataFrame"),
        ("logs.csv", {"directions": "max"}, "directions is 'max' .*; give min or max by metric"),
        ("logs.csv", {"targets": "seg/loss"}, "targets is 'seg/loss' .*; give metrics, such as"),
        ("logs.csv", {"horizon": "30"}, r"horizon is '30' \(str\); give a number"),
        ("logs.csv", {"horizon": float("nan")}, "a horizon of nan"),
        ("logs.csv", {"graphs": 3}, "graphs is 3"),
    ],
)
def test_arguments_of_the_reader_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any, options: dict[str, Any], text: str
) -> None:
    (tmp_path / "logs.csv").write_text("run,epoch,seg/loss\na,1,0.5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=text):
        lcode.read_logs(path, **options)


def test_what_was_found_is_told_in_a_line(table: RunTable) -> None:
    assert found(table) == "of type RunTable"
    assert found("x" * 100).endswith("… (str)")

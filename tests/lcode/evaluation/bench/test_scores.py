from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lcode.evaluation.backtest import Exam
from lcode.evaluation.bench.prefixes import Prefix
from lcode.evaluation.bench.protocols import divide
from lcode.evaluation.bench.scores import score_forecast, twin_forecast, twin_of
from lcode.evaluation.bench.sources import Problem, Source, load_problem
from lcode.forecasters import FORECASTERS
from lcode.table import RunTable

Scores = dict[tuple[Any, Any], dict[str, Any]]


def scored(problem: Problem, test: RunTable, forecaster: str, prefix: str = "3e") -> Scores:
    """Scores by (metric, subset)."""
    exam = Exam.at(test, Prefix(prefix).cutoffs(test), test.metrics)
    if forecaster == "twin":
        forecast = twin_forecast(test, exam)
    elif forecaster == "truth":
        forecast = FORECASTERS["last"](0).predict(test, exam.queries)
    else:
        forecast = FORECASTERS[forecaster](0).predict(exam.observed, exam.queries)
    return {(row["metric"], row["subset"]): row for row in score_forecast(problem, test, exam, forecast)}


def test_twins_go_in_a_circle() -> None:
    table = load_problem(Source("twinned/only")).table
    twins = twin_of(table)
    own = np.flatnonzero(twins >= 0)
    assert len(own) == 20
    width = table.configs["width"].to_numpy()
    assert (width[twins[own]] == width[own]).all() and (twins[own] != own).all()
    assert sorted(twins[own]) == own.tolist()


def test_the_twins_curve_is_the_forecast() -> None:
    problem = load_problem(Source("twinned/only"))
    frame = scored(problem, problem.table, "twin")
    assert frame["loss", "twins"]["curves"] == 20
    assert frame["loss", "all"]["not_forecast"] == 4
    # Two draws of the same noise: their mean distance is 0.01 · 2 / √π.
    assert frame["loss", "twins"]["final_mae"] == pytest.approx(0.0113, rel=0.5)
    assert frame["loss", "twins"]["crps"] == pytest.approx(frame["loss", "all"]["crps"])


def test_a_part_is_scored_as_a_table_of_its_own_would_be() -> None:
    problem = load_problem(Source("toys/low"))
    table = problem.table
    learned = Problem(table, learned_below=0.6)
    final = table.points.drop_duplicates("run", keep="last")
    names = [str(run) for run in final.loc[final["value"] < 0.6, "run"]]
    part = scored(learned, table, "last")["loss", "learners"]
    alone = scored(problem, table.select(names), "last")["loss", "all"]
    assert 4 < len(names) < 24 and part["curves"] == len(names)
    assert {**part, "subset": "all"} == pytest.approx(alone, nan_ok=True)


def test_the_gain_over_the_references_of_the_corpus() -> None:
    source = Source("mtl_curves/cells")
    problem, test = load_problem(source), divide(source, "by-run", "all", 0).test
    perfect, early = scored(problem, test, "truth"), scored(problem, test, "last")
    for subset in ("all", "settled"):
        row = perfect["delta_m", subset]
        assert row["final_mae"] == pytest.approx(0, abs=1e-9) and row["kendall"] == pytest.approx(1)
        assert row["final_coverage90"] == row["coverage90"] == 1 and row["curves"] == len(test)
        assert early["delta_m", subset]["final_mae"] > 1
    assert {metric for metric, _ in perfect} == {"delta_m", *(m.key for m in test.metrics)}


def test_diverged_runs_have_no_gain() -> None:
    source = Source("mtl_curves/cells")
    problem, test = load_problem(source), divide(source, "by-run", "all", 0).test
    points = test.points.copy()
    bad = (points["run"] == test.run_ids[0]) & (points["epoch"] > 30) & (points["metric"] == "map/miou")
    points.loc[bad, "value"] = np.nan
    row = scored(problem, RunTable(**{**vars(test), "points": points}), "last")["delta_m", "all"]
    assert row["curves"] == len(test) - 1 and row["diverged"] == 1

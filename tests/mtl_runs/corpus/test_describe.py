from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtl_runs.corpus.describe import describe, main
from mtl_runs.corpus.stored import StoredRun, write_stored
from mtl_runs.corpus.study import Study, balancer_ranks, read_studies, tau
from mtl_runs.corpus.trivial import is_trivial, trivial_levels
from mtl_runs.problems import Problem, make_problem

HORIZON = 10
ENDS = {"a": (0.1, 0.2), "b": (0.2, 0.5), "c": (0.95, 0.95), "d": (0.3, 0.3), "e": (0.4, 0.3), "f": (0.5, 0.5)}
"""Ends of the two tasks of digits-pair, by balancer; a, b and c have twins."""


def stored_run(name: str, ends: tuple[float, ...], *, last: int = HORIZON, **row: Any) -> StoredRun:
    """Curves that fall from 0.95 to their ends in a straight line."""
    curves = [np.linspace(0.95, end, HORIZON)[:last].astype(np.float32) for end in ends]
    keys = ("left/err", "right/err")[: len(ends)] if row.get("tasks") != "right" else ("right/err",)
    known = {
        "run": name,
        "problem": "digits-pair",
        "arch": "mlp-12x1",
        "horizon": HORIZON,
        "status": "finished" if last == HORIZON else "failed",
        "single_task": False,
        "baseline": False,
        "configuration": name.partition("-")[0],
        "split": "train",
        "arch_split": "train",
        "problem_split": "train",
        "config.balancer": name[0],
        "config.batch_size": 256,
        "config.schedule": "step",
        "config.optimizer": "sgd",
        "config.reduction": "mean",
        "config.clip": 0.0,
        "config.lr": 0.003 if name[0] in "abc" else 0.2,
    }
    metrics = dict(zip(keys, curves, strict=True))
    return StoredRun({**known, **row}, metrics, {}, dict.fromkeys(keys, "min"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = [
        stored_run(f"ref-{task}", (end,), single_task=True, baseline=True, tasks=task, split=None)
        for task, end in (("left", 0.2), ("right", 0.25))
    ]
    for balancer, ends in ENDS.items():
        runs += [stored_run(f"{balancer}{i}", ends) for i in range(3)]
        if balancer in "abc":
            runs.append(stored_run(f"{balancer}0-s1", (ends[0] + 0.02, ends[1])))
    runs.append(stored_run("f3", (0.5, 0.5), last=4))
    runs.append(stored_run("f4", (50.0, 0.5)))
    write_stored(tmp_path, runs, {})
    return tmp_path


@pytest.fixture
def study(folder: Path) -> Study:
    (study,) = read_studies(folder)
    return study


def test_delta_m_is_the_mean_gain_over_the_references(study: Study) -> None:
    scores = dict(zip(study.runs.index, study.delta_m, strict=True))
    assert scores["a0"] == pytest.approx(100 * ((0.2 - 0.1) / 0.2 + (0.25 - 0.2) / 0.25) / 2, rel=1e-5)
    assert np.isnan(scores["f3"])
    early = dict(zip(study.runs.index, study.early[:, 0], strict=True))
    assert early["a0"] == pytest.approx(0.95 - 0.85 / 9, rel=1e-5)


def test_twins_are_seeds_of_one_configuration(study: Study) -> None:
    names = study.runs.index.to_numpy()
    assert names[study.twins()].tolist() == [["a0", "a0-s1"], ["b0", "b0-s1"], ["c0", "c0-s1"]]


def test_trivial_and_blown_up_runs_are_told_apart(study: Study) -> None:
    trivial = dict(zip(study.runs.index, study.trivial_tasks, strict=True))
    assert trivial["a0"] == 0 and trivial["c0"] == 2 and trivial["f3"] == 0 and trivial["f4"] == 1
    assert study.runs.index[study.blown_up].tolist() == ["f4"]
    assert np.nanmax(study.final) == pytest.approx(2 * study.trivial["left/err"])


def test_balancers_are_ranked_and_failures_come_last(study: Study) -> None:
    ranks = balancer_ranks(study)["rank"]
    assert ranks.index[0] == "a" and ranks.index[-1] in "cf" and ranks.min() > 0 and ranks.max() < 1
    assert "b" not in balancer_ranks(study, (study.runs["config.balancer"] != "b").to_numpy()).index


def test_tau_leaves_out_what_is_unknown() -> None:
    one = np.array([1.0, 2, 3, 4, 5, np.nan])
    assert tau(one, one) == pytest.approx(1) and tau(one, -one) == pytest.approx(-1) and np.isnan(tau(one[:4], one[:4]))


def test_the_command_prints_markdown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    text = capsys.readouterr().out
    assert text == describe(folder) + "\n"
    # 23 runs of 20 configurations, three with twins; one failed, five trivial in a task, four of them in both.
    assert "| digits-pair | 23 | 20 | 3 | 22 | 1 | 5 | 4 | 1 |" in text
    assert "| sgd | 0.0 % (12) | – | 9.1 % (11) |" in text
    for title in ("Counts", "Spread", "Diverged", "Noise floor of Δm", "Kendall τ of Δm", "Balancers", "Agreement"):
        assert f"### {title}" in text
    assert main([str(folder / "nowhere")]) == 2
    assert "there is no" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["digits", "cells", "scenes", "clicks"])
def test_trivial_levels_are_those_of_a_constant(name: str) -> None:
    problem: Problem = make_problem(name)
    levels = trivial_levels(problem)
    assert set(levels) == {metric.key for metric in problem.metrics}
    assert all(np.isfinite(level) for level in levels.values())
    for key, expected in {"left/err": 0.9, "sum/rmse": 4.0, "click/auc": 0.5, "outbreak/auc": 0.5}.items():
        if key in levels:
            assert levels[key] == pytest.approx(expected, rel=0.05)


def test_slightly_better_than_trivial_is_trivial() -> None:
    values = np.array([0.95, 0.89, 0.87, np.nan])
    assert is_trivial(values, 0.9, "min").tolist() == [True, True, False, False]
    assert is_trivial(values, 0.88, "max").tolist() == [False, True, True, False]

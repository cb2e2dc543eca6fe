from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lcode.errors import UsageError
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec, train_population
from mtl_runs.training.held_out import held_out_metrics, write_held_out

SPECS = [
    RunSpec(f"r{i}", "tiny", RunConfig(arch="mlp-8x1", balancer=balancer, batch_size=32), seed=i, horizon=2)
    for i, balancer in enumerate(("mgda", "equal", "cagrad"))
]


def trained(problem: Problem, folder: Path) -> None:
    for spec in SPECS:
        train_population(problem, [spec], folder=folder)


def test_test_data_are_measured_at_the_end_of_each_run(tiny_problem: Problem, tmp_path: Path) -> None:
    trained(tiny_problem, tmp_path)
    metrics = held_out_metrics(tiny_problem, SPECS, tmp_path)
    assert list(metrics) == ["r0", "r1", "r2"]
    # With validation data in the place of test data, it is what the log says of the last epoch.
    swapped = replace(tiny_problem, test=tiny_problem.validation)
    last = (tmp_path / "r1.jsonl").read_text().splitlines()[-2]
    for key, value in held_out_metrics(swapped, SPECS, tmp_path)["r1"].items():
        assert f'"{key}":{value}' in last.replace(" ", "")
    write_held_out(tmp_path / "test.csv", metrics)
    lines = (tmp_path / "test.csv").read_text().splitlines()
    assert lines[:2] == ["run,metric,value", f"r0,side/err,{metrics['r0']['side/err']}"]


def test_a_run_that_has_not_ended_is_refused(tiny_problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run 'r0' in .* has no checkpoint of its last epoch 2"):
        held_out_metrics(tiny_problem, SPECS[:1], tmp_path)

"""Runs that begin with shared parameters from elsewhere: in their place, whoever the neighbours are, and only once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec, train_population
from mtl_runs.training.begin import begin_with
from mtl_runs.training.held_out import finished_populations
from mtl_runs.training.population import Population

CONFIG = RunConfig("mlp-5x1", lr=0.01, batch_size=43)
SHARED = 16 * 5 + 5


def specs(*seeds: int) -> list[RunSpec]:
    return [RunSpec(f"r{seed}", "tiny", CONFIG, seed, 4) for seed in seeds]


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.fixture
def values() -> Mapping[str, Tensor]:
    return {"r1": torch.linspace(-0.5, 0.5, SHARED)}


def test_only_the_shared_parameters_of_who_is_named_are_replaced(
    tiny_problem: Problem, values: Mapping[str, Tensor]
) -> None:
    drawn, begun = (Population(tiny_problem, specs(0, 1, 2), "cpu") for _ in range(2))
    begin_with(begun, values)
    assert begun.parameters[1, :SHARED].equal(values["r1"])
    assert begun.parameters[1, SHARED:].equal(drawn.parameters[1, SHARED:])
    assert begun.parameters[[0, 2]].equal(drawn.parameters[[0, 2]])


def test_a_training_leads_on_from_where_it_begins(
    tiny_problem: Problem, values: Mapping[str, Tensor], tmp_path: Path
) -> None:
    slow = [replace(spec, config=replace(CONFIG, lr=1e-6)) for spec in specs(1)]
    train_population(tiny_problem, slow, folder=tmp_path, shared=values)
    (after,) = finished_populations(tiny_problem, slow, tmp_path)
    assert 0 < (after.parameters[0, :SHARED] - values["r1"]).norm() < 0.01


def test_neighbours_and_interruptions_change_nothing(
    tiny_problem: Problem, values: Mapping[str, Tensor], tmp_path: Path
) -> None:
    train_population(tiny_problem, specs(1), folder=tmp_path / "alone", shared=values)
    for until in (2, None):
        train_population(tiny_problem, specs(0, 1, 2), folder=tmp_path / "paused", shared=values, until=until)
    train_population(tiny_problem, specs(1), folder=tmp_path / "drawn")
    assert read(tmp_path / "alone", "r1") == read(tmp_path / "paused", "r1") != read(tmp_path / "drawn", "r1")


def test_values_of_another_network_are_refused(tiny_problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"'r1'.* vector of {SHARED} values.*mlp-5x1.*found \[7\]"):
        train_population(tiny_problem, specs(1), folder=tmp_path, shared={"r1": torch.zeros(7)})

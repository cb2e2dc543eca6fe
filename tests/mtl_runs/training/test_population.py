"""A run gets the same numbers in a population as alone, whoever its neighbours are and whatever becomes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.errors import UsageError
from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import Problem
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import EpochReport, RunConfig, RunSpec, train_population
from mtl_runs.training.population import Population

HORIZON = 4


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("seconds", None)
    return lines


NEEDED: dict[str, dict[str, Any]] = {
    "fixed": {"weights": [1, 2]},
    "pivrg": {"reference": [0.3, 0.1]},
    "log": {"of": "cagrad"},
    "cr_mogm": {"of": "mgda"},
}
"""Settings of balancers that cannot do without."""


def mixed(names: Sequence[str], arch: str = "mlp-9x2") -> list[RunSpec]:
    """One run per balancer: optimisers, rates, schedules, clips and penalties differ from run to run."""
    specs = []
    for i, name in enumerate(names):
        config = RunConfig(
            arch=arch,
            balancer=name,
            balancer_settings=NEEDED.get(name, {}),
            optimizer="sgd" if i % 2 else "adam",
            lr=0.01 / (1 + i),
            momentum=0.9 * (i % 3 == 0),
            weight_decay=1e-3 * (i % 4),
            schedule=("constant", "cosine", "step")[i % 3],
            reduction="sum" if i % 5 else "mean",
            clip=0.5 * (i % 3),
            batch_size=43,
        )
        specs.append(RunSpec(f"r{i}-{name}", "tiny", config, seed=i, horizon=HORIZON))
    return specs


def stacks(specs: Sequence[RunSpec]) -> list[list[RunSpec]]:
    ordered = sorted(specs, key=lambda spec: spec.config.stacking_key)
    return [list(group) for _, group in groupby(ordered, lambda spec: spec.config.stacking_key)]


@pytest.fixture(scope="module")
def alone(tiny_problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every balancer trained by itself."""
    folder = tmp_path_factory.mktemp("alone")
    for spec in mixed(EVERY):
        train_population(tiny_problem, [spec], folder=folder)
    return folder


EVERY = tuple(name for name in BALANCERS if name != "torchjd")


def test_together_as_alone(tiny_problem: Problem, alone: Path, tmp_path: Path) -> None:
    for stack in stacks(mixed(EVERY)):
        results = train_population(tiny_problem, stack, folder=tmp_path)
        assert [result.run for result in results] == [spec.run for spec in stack]
    for spec in mixed(EVERY):
        assert read(tmp_path, spec.run) == read(alone, spec.run), spec.run


class StopSome:
    """Stops each run at its own epoch."""

    def __init__(self, last: dict[str, int]) -> None:
        self.last = last

    def __call__(self, reports: Sequence[EpochReport]) -> list[Answer]:
        return [Answer(report.epoch >= self.last.get(report.run, 99), "hopeless") for report in reports]


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_stopped_neighbours_change_nothing(
    tiny_problem: Problem, alone: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    stack = max(stacks(mixed(EVERY)), key=len)
    chosen = data.draw(st.lists(st.sampled_from(stack), min_size=2, max_size=6, unique_by=lambda spec: spec.run))
    last = {spec.run: data.draw(st.integers(1, HORIZON - 1)) for spec in chosen[1:]}
    folder = tmp_path_factory.mktemp("stopped")
    results = train_population(tiny_problem, chosen, folder=folder, on_epochs=StopSome(last))
    assert [result.epoch for result in results] == [last.get(spec.run, HORIZON) for spec in chosen]
    for spec in chosen:
        epochs = [line for line in read(folder, spec.run) if line["type"] == "epoch"]
        assert epochs == [line for line in read(alone, spec.run) if line["type"] == "epoch"][: len(epochs)]
    # Taken up again later, at different epochs, they end as if nothing had happened.
    train_population(tiny_problem, chosen, folder=folder, continue_stopped=True)
    for spec in chosen:
        assert [line for line in read(folder, spec.run) if line.get("status") != "stopped"] == read(alone, spec.run)


@pytest.mark.parametrize("balancers", [("mgda", "cagrad"), ("dwa", "equal")], ids=["by gradients", "by losses"])
def test_a_diverged_member_leaves_the_others_alone(
    tiny_problem: Problem, tmp_path: Path, balancers: tuple[str, str]
) -> None:
    good = RunSpec("good", "tiny", RunConfig(arch="mlp-9x2", batch_size=32, balancer=balancers[0]), 0, HORIZON)
    bad = replace(good, run="bad", config=replace(good.config, balancer=balancers[1], lr=1e12, clip=0.0))
    train_population(tiny_problem, [good], folder=tmp_path / "alone")
    results = train_population(tiny_problem, [bad, good], folder=tmp_path / "both")
    assert [result.status for result in results] == ["failed", "finished"]
    assert read(tmp_path / "both", "good") == read(tmp_path / "alone", "good")


def test_members_that_end_leave_the_memory(tiny_problem: Problem) -> None:
    population = Population(tiny_problem, mixed(["equal", "fixed", "dwa", "gls"]), "cpu")
    rows = population.parameters.clone()
    names = [member.spec.run for member in population.members]
    population.keep([1, 3])
    assert torch.equal(population.parameters, rows[[1, 3]])
    assert [member.spec.run for member in population.members] == [names[1], names[3]]
    assert sum(part.rows.stop - part.rows.start for part in population.balancers) == 2
    assert all(len(value) == 1 for part in population.optimizers for value in part.state.values())


def test_runs_that_cannot_be_stacked_are_refused(tiny_problem: Problem, tmp_path: Path) -> None:
    one, other = mixed(["equal", "mgda"])
    with pytest.raises(UsageError, match=r"r0-equal.*r1-mgda.*cannot be trained together"):
        train_population(tiny_problem, [one, other], folder=tmp_path)

"""Runs that are paused and gone on with: what is trained, what it costs, interruptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import LcodeError
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.problems import Problem
from mtl_runs.sweeps import FreezeThaw, RunSpec, Sweep, engine, sample_runs
from mtl_runs.sweeps.conductor import Listener, Silent
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import train_population

HORIZON = 5


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tiny_problem: Problem) -> None:
    """The sweep finds the tiny problem by its name."""
    monkeypatch.setattr(engine, "make_problem", lambda name: tiny_problem)


@pytest.fixture
def specs() -> list[RunSpec]:
    drawn = sample_runs("tiny", 2, 3, horizon=HORIZON, seed=0, balancers=["equal"], archs=["mlp-6x1"])
    return [replace(spec, config=replace(spec.config, batch_size=32)) for spec in drawn]


class Asked:
    """Says one thing after the other, and remembers what was left of the budget."""

    def __init__(self, *answers: Mapping[int, int], specs: Sequence[RunSpec]) -> None:
        self.answers = [{specs[place].run: epochs for place, epochs in answer.items()} for answer in answers]
        self.left: list[int] = []

    def __call__(self, headers: Mapping[str, RunHeader], left: int) -> Mapping[str, int]:
        self.left.append(left)
        return self.answers.pop(0) if self.answers else {}


@pytest.fixture
def sweep(tmp_path: Path, tiny_problem: Problem) -> Sweep:
    def train(jobs: Sequence[Job], **others: Any) -> dict[str, RunStatus]:
        statuses: dict[str, RunStatus] = {}
        for job in jobs:
            results = train_population(tiny_problem, job.specs, folder=job.folder, until=job.until)
            statuses |= {result.run: result.status for result in results}
        return statuses

    return Sweep(tmp_path, workers=1, engine=train)


def seen(folder: Path, specs: Sequence[RunSpec]) -> list[int]:
    return [max(epoch_lines(folder, spec.run), default=0) for spec in specs]


def test_runs_are_trained_as_far_as_is_said_and_paused(sweep: Sweep, specs: list[RunSpec]) -> None:
    asked = Asked({0: 1, 1: 2}, {1: 1}, {0: 9}, specs=specs)
    statuses = FreezeThaw(sweep, asked, 100).run(specs)
    assert seen(sweep.folder, specs) == [HORIZON, 3, 0]
    assert statuses == {specs[0].run: "finished", specs[1].run: "stopped"}
    assert asked.left == [100, 97, 96, 92]


def test_the_budget_counts_what_was_trained_before_and_ends_within_a_look(sweep: Sweep, specs: list[RunSpec]) -> None:
    FreezeThaw(sweep, Asked({0: 2, 1: 4}, specs=specs), 4).run(specs)
    assert seen(sweep.folder, specs) == [2, 2, 0]
    asked = Asked({2: 3}, specs=specs)
    assert FreezeThaw(sweep, asked, 4).run(specs).keys() == {specs[0].run, specs[1].run} and asked.left == []
    FreezeThaw(sweep, asked, 6).run(specs)
    assert seen(sweep.folder, specs) == [2, 2, 2] and asked.left == [2]


def test_a_pause_leaves_no_trace_in_the_curve(
    sweep: Sweep, specs: list[RunSpec], tmp_path: Path, tiny_problem: Problem
) -> None:
    FreezeThaw(sweep, Asked({0: 1}, {0: 2}, {0: 2}, specs=specs), 100).run(specs)
    train_population(tiny_problem, specs[:1], folder=tmp_path / "whole")
    paused, whole = (epoch_lines(folder, specs[0].run) for folder in (sweep.folder, tmp_path / "whole"))
    assert [paused[epoch]["values"] for epoch in paused] == [whole[epoch]["values"] for epoch in whole]


def test_a_run_that_kills_its_workers_ends_the_sweep(sweep: Sweep, specs: list[RunSpec]) -> None:
    broken = replace(sweep, engine=lambda jobs, **others: {spec.run: "running" for job in jobs for spec in job.specs})
    with pytest.raises(LcodeError, match="killed their worker processes"):
        FreezeThaw(broken, Asked({0: 1}, specs=specs), 3).run(specs)


class Told(Silent):
    """Remembers what it was told, as a progress bar shows it: all epochs of the budget, and those that are done."""

    def __init__(self) -> None:
        self.total, self.at, self.ended = 0, dict[str, int](), list[str]()

    def begin(self, epochs: int, runs: int) -> None:
        self.total = epochs

    def epoch(self, run: str, epoch: int) -> None:
        self.at[run] = max(epoch, self.at.get(run, 0))

    def end(self, run: str, status: RunStatus) -> None:
        self.ended.append(run)


def test_progress_is_that_of_the_budget_over_all_rounds_and_calls(sweep: Sweep, specs: list[RunSpec]) -> None:
    plain = sweep.engine

    def train(jobs: Sequence[Job], *, listener: Listener, **others: Any) -> dict[str, RunStatus]:
        assert callable(plain)
        statuses: dict[str, RunStatus] = plain(jobs, listener=listener, **others)
        for job in jobs:
            for spec in job.specs:
                listener.epoch(spec.run, max(epoch_lines(job.folder, spec.run)))
                listener.end(spec.run, statuses[spec.run])
        return statuses

    for budget, answers in ((4, ({0: 1, 1: 2}, {1: 1})), (7, ({0: 9},))):
        told = Told()
        FreezeThaw(replace(sweep, engine=train, listener=told), Asked(*answers, specs=specs), budget).run(specs)
        assert told.total == sum(told.at.values()) == budget
    assert told.ended == []


def test_what_nothing_comes_of_is_not_asked_for_again(sweep: Sweep, specs: list[RunSpec]) -> None:
    FreezeThaw(sweep, Asked({0: HORIZON}, specs=specs), 100).run(specs)  # it has come to its end
    asked = Asked(*[{0: 3}] * 5, specs=specs)
    FreezeThaw(sweep, asked, 100).run(specs)
    assert len(asked.left) == 1

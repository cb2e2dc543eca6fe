"""Populations that exchange networks and loss weights: what is exchanged, what the logs say of it, interruptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lcode.errors import UsageError
from lcode.table import RunStatus
from mtl_runs.exchange import Exchange
from mtl_runs.problems import Problem
from mtl_runs.sweeps import (
    PopulationBasedTraining,
    RunSpec,
    Sweep,
    engine,
    pbt,
    sample_population,
    schedule_text,
    weight_schedule,
)
from mtl_runs.sweeps.selection import choose_parents, mean_rank, perturb
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import EpochReport, train_population
from mtl_runs.training.checkpoint import load_checkpoint
from mtl_runs.training.header import header_digest
from mtl_runs.training.loop import checkpoint_path

HORIZON = 7
INTERVAL = 2


class Interrupted(Exception):
    """As if the process had been killed here."""


class Here:
    """An engine that trains in this process, and is interrupted after so many events."""

    def __init__(self, problem: Problem, events: float = float("inf")) -> None:
        self.problem = problem
        self.left = events

    def event(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted

    def __call__(self, jobs: Sequence[Job], **others: Any) -> dict[str, RunStatus]:
        def on_epochs(reports: Sequence[EpochReport]) -> list[None]:
            self.event()
            return [None] * len(reports)

        statuses: dict[str, RunStatus] = {}
        for job in jobs:
            self.event()
            results = train_population(
                self.problem, job.specs, folder=job.folder, on_epochs=on_epochs, until=job.until, checkpoint_every=3
            )
            statuses |= {result.run: result.status for result in results}
        return statuses


Logs = dict[str, list[dict[str, Any]]]


def members(count: int = 5, **settings: Any) -> list[RunSpec]:
    rule = Exchange(0, count, "mean_rank", 11, interval=INTERVAL, **settings)
    specs = sample_population("tiny", 2, horizon=HORIZON, arch="mlp-6x1", balancer="equal", exchange=rule)
    return [replace(spec, config=replace(spec.config, batch_size=32, lr=0.01)) for spec in specs]


def changed(spec: RunSpec, **values: Any) -> RunSpec:
    return replace(spec, config=replace(spec.config, **values))


def read(folder: Path) -> Logs:
    logs = {}
    for path in sorted(folder.glob("*.jsonl")):
        logs[path.stem] = [json.loads(line) for line in path.read_text().splitlines()]
        for line in logs[path.stem]:
            line.pop("seconds", None)
    return logs


def epochs(logs: Logs, specs: Sequence[RunSpec], epoch: int) -> list[dict[str, Any]]:
    return [next(line for line in logs[spec.run] if line.get("epoch") == epoch) for spec in specs]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tiny_problem: Problem) -> None:
    """The sweep finds the tiny problem by its name."""
    monkeypatch.setattr(engine, "make_problem", lambda name: tiny_problem)


@pytest.fixture
def training(tiny_problem: Problem) -> Callable[..., PopulationBasedTraining]:
    def make(folder: Path, events: float = float("inf"), population: int = 16) -> PopulationBasedTraining:
        train = Here(tiny_problem, events)
        return PopulationBasedTraining(Sweep(folder, workers=1, population=population, engine=train))

    return make


def test_an_exchange_follows_from_the_logs_and_the_seed(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining], tiny_problem: Problem
) -> None:
    specs = members()
    assert set(training(tmp_path).run(specs).values()) == {"finished"}
    logs = read(tmp_path)
    for exchange in (2, 4, 6):
        before, after = epochs(logs, specs, exchange), epochs(logs, specs, exchange + 1)
        values = np.array([[line["values"][m.key] for m in tiny_problem.metrics] for line in before])
        generator = np.random.default_rng([11, exchange])
        weights = [[line["signals"][f"{t}/loss_weight"] for t in ("side", "mass")] for line in before]
        origins = [[line["signals"][f"main/{name}"] for name in ("parent", "copied_at")] for line in before]
        pairs = choose_parents(mean_rank(values, tiny_problem.metrics), 0.25, generator)
        assert len(pairs) == 2
        for member, parent in pairs:
            weights[member] = list(perturb(np.array(weights[parent]), 0.2, generator))
            origins[member] = [parent, exchange]
        assert [[line["signals"][f"{t}/loss_weight"] for t in ("side", "mass")] for line in after] == weights
        assert [[line["signals"][f"main/{name}"] for name in ("parent", "copied_at")] for line in after] == origins


def test_a_copy_has_all_of_its_parent_but_the_weights_and_the_random_generators(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    specs = members()
    # A round has one job, whose epochs each are an event: this one ends before the first epoch of the second round.
    with pytest.raises(Interrupted):
        training(tmp_path, events=1 + INTERVAL).run(specs)
    copies = 0
    sweep = training(tmp_path).sweep
    states = []
    for spec in specs:
        epoch, tensors = load_checkpoint(checkpoint_path(tmp_path, spec.run), digest=header_digest(sweep.header(spec)))
        assert epoch == INTERVAL
        states.append(tensors)
    for own in states:
        if own["memory.exchange.copied_at"] == 0:
            continue
        copies += 1
        parent = states[int(own["memory.exchange.parent"])]
        assert own.keys() == parent.keys()
        differing = {name for name, value in own.items() if not torch.equal(value, parent[name])}
        memory = {"memory.exchange.weights", "memory.exchange.copied_at"}
        assert differing == memory | {"generator.batches", "generator.draws"}
    assert copies == 2


# Two by two, the five members make three jobs. The first round is nine events, then there are two copies, and so on:
# here before, between and after the copies, in the next round in its first job and between its jobs, and at any other.
MOMENTS = (9, 10, 11, 12, 14, 17)
EVENTS = 3 * (len((2, 4, 6, HORIZON)) + HORIZON) + 3 * 2


@pytest.mark.parametrize(
    "events",
    [*MOMENTS, *(pytest.param(k, marks=pytest.mark.slow) for k in range(0, EVENTS, 4) if k not in MOMENTS)],
)
def test_whenever_it_is_interrupted_the_sweep_ends_as_if_it_had_not_been(
    events: int,
    tmp_path: Path,
    training: Callable[..., PopulationBasedTraining],
    tiny_problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    specs = members()
    training(tmp_path / "whole").run(specs)
    here, save = Here(tiny_problem, events), pbt.save_checkpoint
    interrupted = PopulationBasedTraining(Sweep(tmp_path / "parts", workers=1, population=2, engine=here))

    def saved(*given: Any, **named: Any) -> None:
        here.event()
        save(*given, **named)

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(pbt, "save_checkpoint", saved)
        interrupted.run(specs)
    with pytest.raises(Interrupted):
        # It goes on in other packs, and is interrupted again.
        training(tmp_path / "parts", 1, population=3).run(specs)
    training(tmp_path / "parts").run(specs)
    assert read(tmp_path / "parts") == read(tmp_path / "whole")


def test_a_second_call_changes_nothing(tmp_path: Path, training: Callable[..., PopulationBasedTraining]) -> None:
    specs = members()
    statuses = training(tmp_path).run(specs)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    checkpoint_path(tmp_path, specs[2].run).unlink()  # which nobody needs any more
    assert training(tmp_path).run(specs) == statuses
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.jsonl")} == before


def test_a_member_that_diverged_is_replaced_and_never_copied(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    specs = members()
    # Its gradients' norms are infinite from the first step on.
    specs[1] = changed(specs[1], loss_weights=(1e30, 1.0))
    specs[3] = changed(specs[3], loss_weights=(1.0, 1e30))
    assert set(training(tmp_path).run(specs).values()) == {"finished"}
    logs = read(tmp_path)
    assert [isnan(line["values"]["side/err"]) for line in epochs(logs, specs, 2)] == [False, True, False, True, False]
    after = epochs(logs, specs, 3)
    assert all(isfinite(value) for line in after for value in line["values"].values())
    assert {after[i]["signals"]["main/copied_at"] for i in (1, 3)} == {2}
    assert all(line["signals"]["main/parent"] not in (1, 3) for line in (after[1], after[3]))
    # The log has every epoch, and one end.
    assert [line.get("epoch", line["type"]) for line in logs[specs[1].run]] == ["header", *range(1, HORIZON + 1), "end"]


def test_where_all_diverge_nobody_is_copied(tmp_path: Path, training: Callable[..., PopulationBasedTraining]) -> None:
    specs = [changed(spec, loss_weights=(1e30, 1.0)) for spec in members(3)]
    trained = training(tmp_path)
    assert set(trained.run(specs).values()) == {"failed"}
    for lines in read(tmp_path).values():
        assert {line["signals"]["main/copied_at"] for line in lines if line["type"] == "epoch"} == {0}
        # They are given up after the last exchange, at which they might have been replaced.
        assert (lines[-2]["epoch"], lines[-1]["reason"]) == (7, "diverged")
    assert trained.summary(specs) == "no member has a finite value of every metric at the end"
    assert set(training(tmp_path).run(specs).values()) == {"failed"}


@pytest.mark.parametrize(("count", "copies"), [(1, 0), (2, 1), (3, 1)])
def test_small_populations(
    count: int, copies: int, tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    specs = members(count)
    assert set(training(tmp_path).run(specs).values()) == {"finished"}
    after = epochs(read(tmp_path), specs, INTERVAL + 1)
    assert sum(line["signals"]["main/copied_at"] == INTERVAL for line in after) == copies


def test_members_that_are_equally_good_go_on_as_they_are(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    specs = [replace(changed(spec, loss_weights=(1.0, 1.0)), seed=5) for spec in members(4)]
    training(tmp_path).run(specs)
    lines = [line for log in read(tmp_path).values() for line in log if line["type"] == "epoch"]
    assert {line["signals"]["main/copied_at"] for line in lines} == {0}


def test_the_loss_weights_are_those_of_a_run_on_its_own(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining], tiny_problem: Problem
) -> None:
    (spec,) = members(1)
    spec = changed(spec, loss_weights=(0.5, 1.5))
    training(tmp_path / "one").run([spec])
    train_population(tiny_problem, [changed(spec, exchange=None)], folder=tmp_path / "other")
    (own,), (other,) = read(tmp_path / "one").values(), read(tmp_path / "other").values()
    assert [line.get("values") for line in own] == [line.get("values") for line in other]
    assert own[0]["config"]["weight.side"] == own[1]["signals"]["side/loss_weight"] == 0.5


def test_the_weight_schedule_of_a_network(tmp_path: Path, training: Callable[..., PopulationBasedTraining]) -> None:
    specs = members()
    trained = training(tmp_path)
    trained.run(specs)
    logs = read(tmp_path)
    copied = 0
    for spec in specs:
        schedule = weight_schedule(tmp_path, specs, spec.run)
        copied += len(schedule) > 1
        assert schedule[-1].run == spec.run
        assert [epoch for part in schedule for epoch in range(part.first, part.last + 1)] == list(range(1, HORIZON + 1))
        for part in schedule:
            for epoch in range(part.first, part.last + 1):
                signals = logs[part.run][epoch]["signals"]
                assert part.weights == {"side": signals["side/loss_weight"], "mass": signals["mass/loss_weight"]}
    assert copied
    scores = trained.scores(specs, HORIZON)
    best = specs[int(np.argmax(scores))]
    text = trained.summary(specs)
    assert text.startswith(f"best on validation data: {best.run} (mean rank {-scores.max():.2f}); its network")
    assert text.endswith(schedule_text(weight_schedule(tmp_path, specs, best.run)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: changed(s, balancer="mgda"), "its balancer is mgda, not equal"),
        (lambda s: changed(s, arch="mlp-8x1"), "its arch is mlp-8x1, not mlp-6x1"),
        (lambda s: changed(s, lr=0.1), "its lr is 0.1, not 0.01"),
        (lambda s: replace(s, horizon=9), "its horizon is 9, not 7"),
        (lambda s: replace(s, problem="digits"), "its problem is digits, not tiny"),
        (lambda s: changed(s, exchange=None), "its pbt.member is None, not 1"),
        (lambda s: changed(s, exchange=replace(s.config.exchange, interval=3)), "its pbt.interval is 3, not 2"),
        (lambda s: changed(s, exchange=replace(s.config.exchange, member=2)), "its pbt.member is 2, not 1"),
        (lambda s: changed(s, exchange=replace(s.config.exchange, members=4)), "its pbt.members is 4, not 3"),
    ],
)
def test_members_are_alike(
    change: Callable[[RunSpec], RunSpec],
    message: str,
    tmp_path: Path,
    training: Callable[..., PopulationBasedTraining],
) -> None:
    specs = members(3)
    specs[1] = change(specs[1])
    with pytest.raises(UsageError, match=f"cannot be a member of the population of '{specs[0].run}': {message}; "):
        training(tmp_path / "out").run(specs)
    assert not (tmp_path / "out").exists()


def test_what_is_no_population_is_refused(tmp_path: Path, training: Callable[..., PopulationBasedTraining]) -> None:
    specs = members(2)
    with pytest.raises(UsageError, match="is no member of a population; give its configuration an `exchange`"):
        training(tmp_path).run([changed(spec, exchange=None) for spec in specs])
    with pytest.raises(UsageError, match="the first exchange would be after epoch 2, but the runs end with epoch 2"):
        training(tmp_path).run([replace(spec, horizon=2) for spec in specs])
    other = replace(training(tmp_path), score=pbt.Score("delta_m", mean_rank, str))
    with pytest.raises(UsageError, match="are to be compared by mean_rank, not by delta_m"):
        other.run(specs)
    wrong: list[dict[str, Any]] = [{"interval": 0}, {"quantile": 0.6}, {"quantile": nan}, {"perturbation": 1.0}]
    for setting in wrong:
        ((name, value),) = setting.items()
        with pytest.raises(UsageError, match=f"the {name} of an exchange must be .*; found {value}"):
            Exchange(0, 2, "mean_rank", 0, **setting)


def test_without_its_checkpoint_a_member_cannot_go_on(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    specs = members()
    with pytest.raises(Interrupted):
        training(tmp_path, events=6).run(specs)  # in the second round
    checkpoint_path(tmp_path, specs[2].run).write_bytes(b"damaged")
    with pytest.raises(UsageError, match=f"'{specs[2].run}' in .* has no usable checkpoint of epoch 2 or later"):
        training(tmp_path).run(specs)


def test_a_sweep_under_other_rules_is_another_one(
    tmp_path: Path, training: Callable[..., PopulationBasedTraining]
) -> None:
    training(tmp_path).run(members(2))
    with pytest.raises(UsageError, match=r"pbt\.perturbation: 0\.2 in the log, 0\.3 now"):
        training(tmp_path).run(members(2, perturbation=0.3))

"""Training from the first epoch, or the last checkpoint, to the horizon: one run, or a population of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import torch
from torch import Tensor

from lcode.errors import UsageError
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader, RunLogWriter
from lcode.threads import limited_threads
from mtl_runs.networks import own_randomness
from mtl_runs.problems import Problem
from mtl_runs.training.begin import begin_with
from mtl_runs.training.callbacks import Decision, EpochReport, OnEpoch, OnEpochs
from mtl_runs.training.checkpoint import load_checkpoint, save_checkpoint
from mtl_runs.training.config import RunConfig, RunSpec, check_config, check_features
from mtl_runs.training.features import feature_signals
from mtl_runs.training.header import header_digest, run_header
from mtl_runs.training.lock import exclusive
from mtl_runs.training.measure import evaluate, summarise
from mtl_runs.training.population import Member, Population
from mtl_runs.training.step import Stepper, StepRecord

DIVERGED = "diverged"
"""Reason of a run that failed because a loss or a metric became NaN or infinite."""

WATCH_EVERY = 10
"""Gradient norms and cosines are logged from every so many steps where no balancer reads them anyway."""


@dataclass(frozen=True)
class RunResult:
    """How a training left its run.

    Attributes:
        run: its name.
        status: as in the log.
        epoch: last epoch in the log.
    """

    run: str
    status: RunStatus
    epoch: int


def train(
    problem: Problem,
    config: RunConfig,
    *,
    run: str,
    seed: int,
    folder: Path,
    horizon: int,
    on_epoch: OnEpoch | None = None,
    device: str = "cpu",
    checkpoint_every: int = 5,
    continue_stopped: bool = False,
    features: bool = False,
) -> RunResult:
    """Train one run: a population of one. See `train_population`.

    Args:
        problem: the problem; `config.tasks` restricts it.
        config: hyper-parameters.
        run: name of the run, file-name safe.
        seed: decides everything random.
        folder: folder of the logs.
        horizon: last epoch, ≥ 1.
        on_epoch: may stop the run.
        device: `cpu`, `cuda`, ….
        checkpoint_every: epochs between checkpoints.
        continue_stopped: whether a stopped run goes on to the horizon.
        features: whether it is logged as well how far tasks use different features (`training.features`).

    Raises:
        UsageError: an impossible configuration, or the folder holds another run of this name.
    """

    def on_epochs(reports: Sequence[EpochReport]) -> list[Decision | None]:
        return [None if on_epoch is None else on_epoch(r.epoch, r.values, r.signals) for r in reports]

    (result,) = train_population(
        problem,
        [RunSpec(run, problem.name, config, seed, horizon)],
        folder=folder,
        on_epochs=on_epochs,
        device=device,
        checkpoint_every=checkpoint_every,
        continue_stopped=continue_stopped,
        features=features,
    )
    return result


def train_population(
    problem: Problem,
    specs: Sequence[RunSpec],
    *,
    folder: Path,
    on_epochs: OnEpochs | None = None,
    device: str = "cpu",
    checkpoint_every: int = 5,
    continue_stopped: bool = False,
    until: int | None = None,
    shared: Mapping[str, Tensor] | None = None,
    features: bool = False,
) -> list[RunResult]:
    """Train runs together and write their logs `<folder>/<run>.jsonl`, going on where an earlier call was interrupted.

    On the CPU the values depend neither on where a training was interrupted nor on which runs are trained together.
    Runs that are finished or failed are left alone, and so are stopped ones unless asked otherwise; the others may be
    at different epochs. A run that ends leaves the population, which goes on smaller. Checkpoints are in
    `<folder>/checkpoints/<run>/`.

    Args:
        problem: the problem; `config.tasks` restricts it.
        specs: runs of equal `config.stacking_key`, at least one.
        folder: folder of the logs.
        on_epochs: may stop runs.
        device: `cpu`, `cuda`, ….
        checkpoint_every: epochs between checkpoints; there is always one where a run is stopped or finished.
        continue_stopped: whether stopped runs go on to the horizon.
        until: pause after this epoch, before the horizon: every run gets a checkpoint there, no end line, and is still
            `running`. One that diverged is paused there too instead of having failed, since who pauses runs may put
            another state into their checkpoints; its metrics are NaN.
        shared: by run, values of the shared parameters that it begins with, [P]; all others are drawn by the seed.
        features: whether it is logged as well how far tasks use different features (`training.features`). It changes
            nothing else, so a run that goes on may have it in some epochs only.

    Returns:
        How each run ended, in the given order.

    Raises:
        UsageError: an impossible configuration, runs that cannot be stacked, first values that do not fit, or the
            folder holds another run of one of the names.
    """
    for spec in specs:
        if spec.config.stacking_key != specs[0].config.stacking_key:
            raise UsageError(
                f"runs '{specs[0].run}' and '{spec.run}' cannot be trained together: their architecture, batch size, "
                "tasks or the passes that their balancers need differ"
            )
    if len(specs) > 1 and not specs[0].config.is_stackable:
        raise UsageError(f"runs with a network of your own are trained one by one; {len(specs)} were given")
    if specs[0].config.tasks is not None:
        problem = problem.restrict(specs[0].config.tasks)
    if features:
        check_features(specs[0].config, problem)
    for spec in specs:
        # Everything that can be refused is refused before the first file is made.
        check_config(spec.config, problem)
    headers = {
        spec.run: run_header(problem, spec.config, run=spec.run, seed=spec.seed, horizon=spec.horizon) for spec in specs
    }
    results: dict[str, RunResult] = {}
    with ExitStack() as stack:
        # Networks as small as these gain nothing by more threads, and on one a run's numbers are its own.
        stack.enter_context(limited_threads(1))
        logs: dict[str, RunLogWriter] = {}
        for spec in specs:
            stack.enter_context(exclusive(checkpoint_path(folder, spec.run).with_name("lock")))
            log = stack.enter_context(RunLogWriter(folder, headers[spec.run]))
            if log.status in ("finished", "failed") or (log.status == "stopped" and not continue_stopped):
                results[spec.run] = RunResult(spec.run, log.status, log.last_epoch)
            else:
                logs[spec.run] = log
        todo = [spec for spec in specs if spec.run in logs]
        if todo:
            population = Population(problem.to(device), todo, device)
            begin_with(population, shared or {})
            training = _Training(population, logs, headers, folder, checkpoint_every, until, features)
            results.update(training.resume())
            while population.members:
                results.update(training.epoch(on_epochs))
    return [results[spec.run] for spec in specs]


@dataclass
class _Training:
    """A population, its logs and its checkpoints."""

    population: Population
    logs: Mapping[str, RunLogWriter]
    headers: Mapping[str, RunHeader]
    folder: Path
    checkpoint_every: int
    until: int | None
    features: bool

    def __post_init__(self) -> None:
        self.digests = {run: header_digest(header) for run, header in self.headers.items()}

    def resume(self) -> dict[str, RunResult]:
        """Put every member where its checkpoint and its log agree; those with nothing to be trained now, by run."""
        states = {}
        ended = {}
        for row, member in enumerate(self.population.members):
            log = self.logs[member.spec.run]
            done, tensors = load_checkpoint(self._checkpoint(member), digest=self.digests[member.spec.run])
            if 0 < done <= log.last_epoch:
                states[row] = tensors
                member.epoch = done
            # A checkpoint is worth nothing without its log, which was removed or lost its end.
            if log.last_epoch > member.epoch:
                log.rewind(member.epoch)
            if member.epoch == member.spec.horizon:
                log.end("finished")
                ended[member.spec.run] = RunResult(member.spec.run, "finished", member.epoch)
            elif self.until is not None and member.epoch >= self.until:
                ended[member.spec.run] = RunResult(member.spec.run, "running", member.epoch)
        self.population.load_states(states)
        self.stepper = Stepper(self.population)
        self._drop([member.spec.run not in ended for member in self.population.members])
        return ended

    def epoch(self, on_epochs: OnEpochs | None) -> dict[str, RunResult]:
        """Train every member for one epoch, log it, and let those go that are over; how they ended, by run."""
        members, problem = self.population.members, self.population.problem
        started = time.perf_counter()
        for member in members:
            member.epoch += 1
        rates = [member.rates[member.epoch - 1] for member in members]
        network = self.population.network
        with self._randomness():
            records = self._pass_over_the_data(rates)
        if records[0].rates is not None:
            rates = torch.stack([record.rates for record in records if record.rates is not None], -1).mean(-1).tolist()
        for part in (*self.population.balancers, *self.population.flat_balancers):
            part.state = part.rule.end_epoch(part.state)
        network.eval()
        values = evaluate(network, problem.tasks, problem.validation, len(members))
        network.train()
        signals = summarise(records, problem.tasks)
        apart = feature_signals(network, problem.tasks, problem.train, len(members)) if self.features else None
        seconds = (time.perf_counter() - started) / len(members)
        alive = []
        for r, member in enumerate(members):
            alive.append(all(map(isfinite, [*values[r].values(), *signals[r].values()])))
            if not alive[r]:
                # An error rate of a network full of NaN is a number, but not a measurement.
                values[r] = dict.fromkeys(values[r], nan)
            log, seen = self.logs[member.spec.run], signals[r] | self.population.exchanged(r)
            if apart is not None:
                seen |= apart[r]
            log.epoch(member.epoch, values[r], signals=seen, lr=rates[r], seconds=seconds)
        reports = [
            EpochReport(member.spec.run, member.epoch, values[r], signals[r])
            for r, member in enumerate(members)
            if alive[r]
        ]
        decisions = iter(on_epochs(reports) if on_epochs and reports else [None] * len(reports))
        ended: dict[str, RunResult] = {}
        for r, member in enumerate(members):
            status, reason = self._judge(member, alive[r], next(decisions) if alive[r] else None)
            paused = status is None and member.epoch == self.until
            if paused or (alive[r] and (status is not None or member.epoch % self.checkpoint_every == 0)):
                tensors, digest = self.population.state_of(r), self.digests[member.spec.run]
                save_checkpoint(self._checkpoint(member), tensors, epoch=member.epoch, digest=digest)
            if status is not None:
                self.logs[member.spec.run].end(status, reason)
                ended[member.spec.run] = RunResult(member.spec.run, status, member.epoch)
            elif paused:
                ended[member.spec.run] = RunResult(member.spec.run, "running", member.epoch)
        self._drop([member.spec.run not in ended for member in members])
        return ended

    def _judge(self, member: Member, alive: bool, decision: Decision | None) -> tuple[RunStatus | None, str | None]:
        """How and why a run ended with this epoch, if it did."""
        if not alive:
            over = self.until is None or member.epoch == member.spec.horizon
            return ("failed", DIVERGED) if over else (None, None)
        if member.epoch == member.spec.horizon:
            return "finished", None
        if decision is not None and decision.stop:
            return "stopped", decision.reason
        return None, None

    def _drop(self, stays: Sequence[bool]) -> None:
        """Compaction: go on with those that stay."""
        rows = [row for row, stay in enumerate(stays) if stay]
        if len(rows) < len(stays):
            if rows:
                self.population.keep(rows)
                self.stepper = Stepper(self.population)
            else:
                self.population.members = []

    def _pass_over_the_data(self, rates: Sequence[float]) -> list[StepRecord]:
        """One pass over the training data, in a new random order for each member."""
        population, data = self.population, self.population.problem.train
        size = population.members[0].spec.config.batch_size
        n_steps = len(data) // size
        # The incomplete last batch is dropped.
        orders = [torch.randperm(len(data), generator=member.batches) for member in population.members]
        order = torch.stack(orders)[:, : n_steps * size].to(data.inputs.device)
        lr = torch.tensor(rates, dtype=torch.float32, device=data.inputs.device).unsqueeze(-1)
        targets = [data.targets[task.name] for task in population.problem.tasks]
        return [
            self.stepper.step(data.inputs[batch], [t[batch] for t in targets], lr, watch=step % WATCH_EVERY == 0)
            for step, batch in enumerate(order.split(size, dim=1))
        ]

    def _randomness(self) -> AbstractContextManager[None]:
        """Layers of the user's, such as dropout, draw from torch's global generators: theirs for an epoch."""
        member = self.population.members[0]
        if member.spec.config.is_stackable:
            return nullcontext()
        return own_randomness(int(torch.randint(2**62, (), generator=member.batches)))

    def _checkpoint(self, member: Member) -> Path:
        return checkpoint_path(self.folder, member.spec.run)


def checkpoint_path(folder: Path, run: str) -> Path:
    """Where the checkpoint of a run is."""
    return Path(folder) / "checkpoints" / run / "checkpoint.safetensors"

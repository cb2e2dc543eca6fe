"""One training from the first epoch, or the last checkpoint, to the horizon."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from lcode.table import RunStatus
from lcode.table.runlog import RunHeader, RunLogWriter
from mtl_runs.networks import architecture_graph, make_network
from mtl_runs.problems import Problem
from mtl_runs.training.checkpoint import load_checkpoint, save_checkpoint
from mtl_runs.training.config import RunConfig
from mtl_runs.training.learner import Learner, make_learner
from mtl_runs.training.lock import exclusive
from mtl_runs.training.measure import evaluate, summarise
from mtl_runs.training.step import StepRecord, train_step

DIVERGED = "diverged"
"""Reason of a run that failed because a loss or a metric became NaN or infinite."""


class Decision(Protocol):
    """What `on_epoch` may answer, such as a `Verdict` of `lcode`: whether to stop the run, and why."""

    @property
    def stop(self) -> bool:
        """Whether the run ends here."""

    @property
    def reason(self) -> str:
        """Why, for the log."""


class OnEpoch(Protocol):
    """Called after each epoch with the values and signals that were logged; None means: go on."""

    def __call__(self, epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> Decision | None:
        """Decide on the run after this epoch."""


@dataclass(frozen=True)
class RunResult:
    """How a call of `train` left its run.

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
) -> RunResult:
    """Train one run and write its log `<folder>/<run>.jsonl`, going on where an earlier call was interrupted.

    The values do not depend on where a training was interrupted. A run that is already finished or failed is left
    alone, and so is a stopped one unless asked otherwise. Checkpoints are in `<folder>/checkpoints/<run>/`.

    Args:
        problem: the problem; `config.tasks` restricts it.
        config: hyper-parameters.
        run: name of the run, file-name safe.
        seed: decides everything random.
        folder: folder of the logs.
        horizon: last epoch, ≥ 1.
        on_epoch: may stop the run.
        device: `cpu`, `cuda`, ….
        checkpoint_every: epochs between checkpoints; there is always one at the end.
        continue_stopped: whether a stopped run goes on to the horizon.

    Raises:
        UsageError: an impossible configuration, or the folder holds another run of this name.
    """
    if config.tasks is not None:
        problem = problem.restrict(config.tasks)
    learner = make_learner(problem, config, seed=seed, device=device)
    header = run_header(problem, config, run=run, seed=seed, horizon=horizon)
    problem = problem.to(device)
    home = Path(folder) / "checkpoints" / run
    checkpoint = home / "checkpoint.safetensors"
    digest = hashlib.sha256(json.dumps(header.to_json(), sort_keys=True).encode()).hexdigest()
    with exclusive(home / "lock"), RunLogWriter(folder, header) as log:
        if log.status in ("finished", "failed") or (log.status == "stopped" and not continue_stopped):
            return RunResult(run, log.status, log.last_epoch)
        done = load_checkpoint(checkpoint, learner, digest=digest)
        if done > log.last_epoch:
            # The log was removed or lost its end: without it the checkpoint is worth nothing.
            learner, done = make_learner(problem, config, seed=seed, device=device), 0
        if log.last_epoch > done:
            log.rewind(done)
        blocks = learner.group_parameters()
        rates = config.learning_rates(horizon)
        for epoch in range(done + 1, horizon + 1):
            started = time.perf_counter()
            records = _train_epoch(learner, blocks, problem, config, rates[epoch - 1])
            learner.balancer_state = learner.balancer.end_epoch(learner.balancer_state)
            values = evaluate(learner.network, problem.tasks, problem.validation)
            signals = summarise(records, problem.tasks)
            diverged = not all(map(isfinite, [*values.values(), *signals.values()]))
            if diverged:
                # An error rate of a network full of NaN is a number, but not a measurement.
                values = dict.fromkeys(values, nan)
            log.epoch(epoch, values, signals=signals, lr=rates[epoch - 1], seconds=time.perf_counter() - started)
            if diverged:
                log.end("failed", DIVERGED)
                return RunResult(run, "failed", epoch)
            decision = None if on_epoch is None else on_epoch(epoch, values, signals)
            stopped = decision is not None and decision.stop and epoch < horizon
            if stopped or epoch == horizon or epoch % checkpoint_every == 0:
                save_checkpoint(checkpoint, learner, epoch=epoch, digest=digest)
            if stopped:
                assert decision is not None
                log.end("stopped", decision.reason)
                return RunResult(run, "stopped", epoch)
        log.end("finished")
        return RunResult(run, "finished", horizon)


def run_header(problem: Problem, config: RunConfig, *, run: str, seed: int, horizon: int) -> RunHeader:
    """What is known of a run before it starts.

    Args:
        problem: the problem; `config.tasks` restricts it.
        config: hyper-parameters.
        run: name of the run.
        seed: its seed.
        horizon: last epoch.
    """
    if config.tasks is not None:
        problem = problem.restrict(config.tasks)
    network = make_network(config.arch, problem.input_shape, problem.tasks)
    return RunHeader(
        run=run,
        horizon=horizon,
        metrics=problem.metrics,
        config=config.for_log([task.name for task in problem.tasks]),
        problem=problem.name,
        seed=seed,
        arch=config.arch,
        graph=architecture_graph(network, problem.input_shape),
        schedule=config.learning_rates(horizon),
    )


def _train_epoch(
    learner: Learner, blocks: Sequence[Sequence[nn.Parameter]], problem: Problem, config: RunConfig, lr: float
) -> list[StepRecord]:
    """One pass over the training data in a new random order."""
    data = problem.train
    n_steps = len(data) // config.batch_size
    # Shuffled once as a whole: the batches are then views.
    order = torch.randperm(len(data), generator=learner.batches)[: n_steps * config.batch_size]
    order = order.to(data.inputs.device)
    inputs = data.inputs[order].split(config.batch_size)
    targets = [data.targets[task.name][order].split(config.batch_size) for task in problem.tasks]
    return [
        train_step(learner, blocks, problem.tasks, config, batch, batch_targets, lr)
        for batch, *batch_targets in zip(inputs, *targets, strict=True)
    ]

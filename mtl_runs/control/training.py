"""A policy's training, epoch by epoch, and its run log."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from math import isfinite, nan
from pathlib import Path

import torch
from torch import Tensor

from lcode.isolation import isolated
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader, RunLogWriter
from mtl_runs.balancing import Balance
from mtl_runs.control import ppo
from mtl_runs.control.policy import Policy
from mtl_runs.control.world import Episode, World, metrics_of


@dataclass(frozen=True)
class PolicyRun:
    """A training of a policy.

    Attributes:
        run: its name, file-name safe.
        balancer: name in `mtl_runs.balancers.BALANCERS`.
        lr: learning rate of the first epoch, for Adam; it falls to 0 in a straight line.
        seed: decides everything random.
        horizon: last epoch; an epoch is an episode of all tasks and `ppo.PASSES` over it.
    """

    run: str
    balancer: str
    lr: float
    seed: int
    horizon: int


def train_policy(world: World, run: PolicyRun, folder: Path) -> RunStatus:
    """Train a run and write its log, `<folder>/<run>.jsonl`; a run that has ended is left alone.

    Every epoch's line has each task's `return` and `success` in the held-out environments, where the policy acts
    without chance, after that epoch's steps; and the balancer's signals. One that was interrupted is begun anew.

    Args:
        world: what it learns in.
        run: how.
        folder: of the logs; made if missing.

    Returns:
        `finished`, or `failed` where a loss left the finite numbers.

    Raises:
        UsageError: no such balancer, one that wants several independent batches, or the folder holds another run of
            this name.
    """
    rates = [run.lr * (1 - done / run.horizon) for done in range(run.horizon)]
    header = RunHeader(
        run=run.run,
        horizon=run.horizon,
        metrics=metrics_of(world.tasks),
        config={"balancer": run.balancer, "optimizer": "adam", "lr": run.lr},
        problem=world.name,
        seed=run.seed,
        schedule=rates,
    )
    with isolated(1):
        learner = _Learner(world, run)
        with RunLogWriter(folder, header) as log:
            if log.status != "running":
                return log.status
            log.rewind(0)
            for epoch, rate in enumerate(rates, start=1):
                started = time.perf_counter()
                values, signals = learner.epoch(rate)
                alive = learner.finite and all(map(isfinite, values.values()))
                if not alive:
                    values = dict.fromkeys(values, nan)
                log.epoch(epoch, values, signals=signals, lr=rate, seconds=time.perf_counter() - started)
                if not alive:
                    log.end("failed", "diverged")
                    return log.status
            log.end("finished")
            return log.status


class _Learner:
    """A policy, its optimiser and its balance, its latest episode, and whether all losses were finite."""

    def __init__(self, world: World, run: PolicyRun) -> None:
        self.world = world
        self.generator = torch.Generator().manual_seed(run.seed)
        self.policy = Policy(len(world.tasks), world.n_observed, world.n_actions, run.seed)
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=run.lr)
        self.balance = Balance(run.balancer, shared=self.policy, tasks=world.tasks, seed=run.seed)
        self.finite = True
        self.latest = self._act()

    def epoch(self, rate: float) -> tuple[dict[str, float], dict[str, float]]:
        """Learn from the latest episode, then act in the next one; its metrics, and the signals of the steps."""
        world, policy = self.world, self.policy
        self.optimizer.param_groups[0]["lr"] = rate
        batch = ppo.batch_of(self.latest, policy, world.scales, world.n_learning)
        for _ in range(ppo.PASSES):
            for part in batch.parts(self.generator):
                self.balance.step(self.optimizer, partial(self._losses, part))
        self.latest = self._act()
        return self.latest.measure(world.tasks, world.n_learning), self.balance.signals()

    def _losses(self, part: ppo.Batch) -> dict[str, Tensor]:
        found = ppo.losses(self.policy, part)
        self.finite = self.finite and bool(torch.stack(found).isfinite().all())
        return dict(zip(self.world.tasks, found, strict=True))

    @torch.no_grad()
    def _act(self) -> Episode:
        """An episode; the held-out environments are acted in without chance."""

        def act(seen: Tensor) -> Tensor:
            means, logs, _ = self.policy(self.policy.told(seen))
            noise = torch.randn(means.shape, generator=self.generator)
            noise[:, self.world.n_learning :] = 0
            return means + logs.exp() * noise

        return self.world.episode(act, self.generator)

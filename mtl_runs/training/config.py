"""The configuration of one training: everything but the problem, the seed and the horizon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, pi
from typing import Any, Literal, get_args

from lcode.errors import UsageError
from mtl_runs.balancers import Balancer, Needs, make_balancer
from mtl_runs.balancers.base import N_BATCHES, READS_GRADIENTS
from mtl_runs.exchange import Exchange
from mtl_runs.networks import OWN
from mtl_runs.problems import Problem

OptimizerName = Literal["sgd", "adam"]
Reduction = Literal["mean", "sum"]

SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1 + cos(pi * progress)),
    "step": lambda progress: 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01,
}
"""Learning-rate factor against the share of epochs done, 0..1; constant within an epoch."""

SWITCHES = ("flat_radius", "auto_lr", "teleport_from")
"""Settings of what any balancer may be combined with; 0 = off."""


@dataclass(frozen=True)
class RunConfig:
    """Hyper-parameters of one training.

    Attributes:
        arch: architecture, such as `mlp-64x2`; `own` = the network that the problem brings.
        balancer: name in `BALANCERS`.
        balancer_settings: arguments of the balancer; a sequence has one entry per task.
        loss_weights: constant factor on each task's loss before the balancer sees it; None = 1 for all.
        optimizer: `sgd` (with momentum) or `adam`.
        lr: learning rate of the first epoch, > 0.
        momentum: of SGD, 0..1; Adam has its usual 0.9 and 0.999 instead.
        weight_decay: L2 penalty, ≥ 0.
        schedule: name in `SCHEDULES`.
        batch_size: samples per step; the incomplete last batch of an epoch is dropped.
        reduction: `mean` takes the balancer's weights as they are (equal weighting: 1/K each) and the heads' own
            gradients divided by K where the balancer does not scale them; `sum` multiplies all of it by K.
        clip: longest shared gradient after balancing; 0 = no clip. None = as in the method's own trainer, which for
            most is no clip (`Balancer.clip`); that is for the sum of the tasks, so with `reduction="mean"` it is
            divided by K. Heads are never clipped.
        tasks: train on these tasks only; None = all. One task makes a single-task baseline.
        flat_radius: how far each task's parameters are moved uphill, along its own gradient, to look for flat minima
            (`training.flat`); one length for the shared parameters and the same for the task's own; 0 = off.
        auto_lr: the learning rate is adapted every so many steps (`training.auto_lr`); `lr` is then where it starts,
            and the schedule's factor multiplies it; the paper of NGDiff has 10; 0 = off.
        teleport_from: first epoch in which the run may leave a point where tasks conflict (`training.teleport`); 0 =
            off.
        exchange: the run is a member of a population that exchanges networks and loss weights, `loss_weights` being
            those that it begins with; None = it is on its own.

    Raises:
        UsageError: a value out of its range; the message gives the range.
    """

    arch: str = "mlp-64x2"
    balancer: str = "equal"
    balancer_settings: Mapping[str, Any] = field(default_factory=dict)
    loss_weights: Sequence[float] | None = None
    optimizer: OptimizerName = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    batch_size: int = 128
    reduction: Reduction = "mean"
    clip: float | None = None
    tasks: tuple[str, ...] | None = None
    flat_radius: float = 0.0
    auto_lr: int = 0
    teleport_from: int = 0
    exchange: Exchange | None = None

    def __post_init__(self) -> None:
        for name, choices in (
            ("optimizer", get_args(OptimizerName)),
            ("reduction", get_args(Reduction)),
            ("schedule", tuple(SCHEDULES)),
        ):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} must be one of {', '.join(choices)}; found '{getattr(self, name)}'")
        for name, holds, text in (
            ("lr", self.lr > 0, "a number above 0"),
            ("momentum", 0 <= self.momentum < 1, "at least 0 and below 1"),
            ("weight_decay", self.weight_decay >= 0, "at least 0"),
            ("clip", self.clip is None or self.clip >= 0, "at least 0 (0 = no clip)"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("flat_radius", self.flat_radius >= 0, "at least 0 (0 = off)"),
            ("auto_lr", self.auto_lr >= 0 and self.auto_lr % 1 == 0, "a whole number of at least 0 (0 = off)"),
            (
                "teleport_from",
                self.teleport_from >= 0 and self.teleport_from % 1 == 0,
                "a whole number of at least 0 (0 = off)",
            ),
        ):
            if not (holds and isfinite(getattr(self, name) or 0)):
                raise UsageError(f"{name} must be {text}; found {getattr(self, name)}")

    def make_balancer(self) -> Balancer:
        """The balancer with its settings.

        Raises:
            UsageError: no such balancer, or wrong settings.
        """
        return make_balancer(self.balancer, **self.balancer_settings)

    def longest(self, n_tasks: int) -> float:
        """The longest shared gradient of K tasks that is not shortened, 0 = any."""
        if self.clip is not None:
            return self.clip
        return self.make_balancer().clip / (1 if self.reduction == "sum" else n_tasks)

    @property
    def is_stackable(self) -> bool:
        """Whether runs like this can be trained together: a network of the user's is trained alone."""
        return self.arch != OWN

    @property
    def balancer_key(self) -> tuple[str, str]:
        """Equal for runs that one call of a balancer can serve."""
        return self.balancer, json.dumps(self.balancer_settings, sort_keys=True, default=list)

    @property
    def stacking_key(self) -> tuple[Any, ...]:
        """Equal for runs of one problem that can be trained as one population: same shapes, same passes per step."""
        needs = self.make_balancer().needs
        kinds = (READS_GRADIENTS, Needs.AFTER_STEP_LOSSES, Needs.SEVERAL_BATCHES)
        switches = (*(needs & kind for kind in kinds), *(getattr(self, name) for name in SWITCHES))
        # One that reads less later is stacked with its like: neighbours that go on reading would change its passes.
        like = self.balancer_key if Needs.LESS_LATER in needs else ()
        return (self.arch, self.batch_size, self.tasks or (), *map(bool, switches), self.exchange is not None, like)

    def learning_rates(self, horizon: int) -> list[float]:
        """Planned learning rate of the epochs 1..horizon."""
        factor = SCHEDULES[self.schedule]
        return [self.lr * factor(epoch / horizon) for epoch in range(horizon)]

    def for_log(self, tasks: Sequence[str]) -> dict[str, bool | int | float | str | None]:
        """The configuration as named scalars, as the run log wants it; what is off by default is named where it is on.

        `weight.<task>` is the constant factor on that task's loss: its loss weight times its fixed weight. Other
        settings of the balancer are `<balancer>.<setting>`, or `<balancer>.<setting>.<task>` with a number per task.
        `heads` says whether the balancer's weights multiply the gradients of the tasks' own parameters as well.

        Args:
            tasks: names of the K tasks.
        """
        settings = dict(self.balancer_settings)
        fixed = settings.pop("weights", [1.0] * len(tasks))
        loss_weights = self.loss_weights or [1.0] * len(tasks)
        return {
            "balancer": self.balancer,
            **dict(_named(self.balancer, settings, tasks)),
            **{f"weight.{t}": float(a * b) for t, a, b in zip(tasks, loss_weights, fixed, strict=True)},
            "optimizer": self.optimizer,
            "lr": self.lr,
            "momentum": self.momentum if self.optimizer == "sgd" else None,
            "weight_decay": self.weight_decay,
            "schedule": self.schedule,
            "batch_size": self.batch_size,
            "reduction": self.reduction,
            "clip": self.longest(len(tasks)),
            "heads": "weighted" if self.make_balancer().scales_heads else "plain",
            # Only where they are on: logs from before these existed keep their headers, and so can be gone on with.
            **{name: value for name in SWITCHES if (value := getattr(self, name))},
            **({} if self.exchange is None else self.exchange.for_log()),
        }


def _named(balancer: str, settings: Mapping[str, Any], tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """A balancer's settings as scalars, by name."""
    for name, value in settings.items():
        if isinstance(value, list | tuple):
            yield from ((f"{balancer}.{name}.{task}", own) for task, own in zip(tasks, value, strict=True))
        else:
            yield f"{balancer}.{name}", value


@dataclass(frozen=True)
class RunSpec:
    """One training: all that the trainer needs to know.

    Attributes:
        run: its name, file-name safe, unique in its folder.
        problem: name in `PROBLEMS`.
        config: hyper-parameters.
        seed: decides everything random.
        horizon: last epoch, at least 1.
    """

    run: str
    problem: str
    config: RunConfig
    seed: int
    horizon: int


def check_features(config: RunConfig, problem: Problem) -> None:
    """Whether it can be logged how far tasks use different features (`training.features`).

    Raises:
        UsageError: a network of the user's, or a single task.
    """
    if not config.is_stackable:
        raise UsageError(
            "which features tasks use is known of the trainer's own networks only: leave features (--features) off, or "
            f"choose another architecture than '{OWN}'"
        )
    if len(problem.tasks) < 2:
        raise UsageError(
            "disentanglement is between two tasks: leave features (--features) off where one is trained alone"
        )


def check_config(config: RunConfig, problem: Problem) -> None:
    """Whether the problem can be trained like this; building the network checks the architecture.

    Raises:
        UsageError: an unknown balancer, wrong settings, a wrong number of weights, or a batch that is larger than the
            data or too small to be split.
    """
    n_tasks = len(problem.tasks)
    if config.loss_weights is not None and len(config.loss_weights) != n_tasks:
        raise UsageError(f"{len(config.loss_weights)} loss weights were given for {n_tasks} tasks; give one per task")
    if config.batch_size > len(problem.train):
        raise UsageError(f"batch_size must be at most {len(problem.train)} here; found {config.batch_size}")
    if config.teleport_from and not config.is_stackable:
        raise UsageError("COST moves along the weights of the trainer's own layers: leave teleport_from at 0")
    balancer = config.make_balancer()
    balancer.init(n_tasks)
    if Needs.SEVERAL_BATCHES in balancer.needs and config.batch_size < N_BATCHES:
        raise UsageError(
            f"balancer '{config.balancer}' splits every batch into {N_BATCHES} parts; "
            f"batch_size must be at least {N_BATCHES}, found {config.batch_size}"
        )

"""What the study trains: settings, methods with an equal number of learning rates each, a grid of weights, seeds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb
from typing import Literal

import numpy as np

from mtl_runs.balancers import dirichlet_weights, log_uniform_weights, simplex_grid
from mtl_runs.problems import Problem, make_problem
from mtl_runs.training import RunConfig, RunSpec

SINGLE, EQUAL, SIMPLEX, LOG = "single", "equal", "simplex", "log"
INVERSE = ("norm_of_sum", "mean_of_norms", "sum_to_k")
"""Targets of the balancer `inverse_norm`, each a method of its own; the first is the paper's."""

Purpose = Literal["select", "report"]

SEEDS_APART = 1000
"""Seeds of two studies never meet."""


@dataclass(frozen=True)
class Setting:
    """A problem and an architecture.

    Attributes:
        problem: name in `PROBLEMS`.
        arch: architecture.
    """

    problem: str
    arch: str

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the K tasks."""
        return tuple(task.name for task in problem_of(self.problem).tasks)


@dataclass(frozen=True)
class Trial:
    """One training of the study.

    Attributes:
        setting: problem and architecture.
        method: `single`, `equal`, one of `INVERSE`, `simplex` or `log`.
        label: the task of a single-task training, the number of a point of weights; else empty.
        lr: learning rate of the first epoch.
        seed: decides initial network and order of samples; the same for all methods.
        purpose: whether it serves a choice, or reports what was chosen.
        weights: of the K tasks, for a method of fixed weights.
    """

    setting: Setting
    method: str
    label: str
    lr: float
    seed: int
    purpose: Purpose
    weights: tuple[float, ...] | None = None

    @property
    def run(self) -> str:
        """Its name."""
        parts = [self.setting.problem, self.setting.arch, self.method, self.label, f"{self.lr:g}", f"s{self.seed}"]
        return "-".join(filter(None, parts))

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it trains."""
        return (self.label,) if self.method == SINGLE else self.setting.tasks


@dataclass(frozen=True)
class Plan:
    """The study.

    Attributes:
        settings: problems and architectures.
        rates: learning rates that each method chooses from.
        n_points: points of weights, for each of the two ways to draw them.
        n_finalists: how many of the points are tried at the other rates too.
        n_report: seeds of what was chosen.
        horizon: epochs.
        batch_size: samples per step.
        decades: over which log-uniform weights are spread.
        seed: of the draws and of the trainings.
    """

    settings: Sequence[Setting]
    rates: Sequence[float] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    n_points: int = 36
    n_finalists: int = 2
    n_report: int = 5
    horizon: int = 30
    batch_size: int = 128
    decades: float = 4.0
    seed: int = 0

    @property
    def select_seed(self) -> int:
        """Seed of the trainings that serve a choice."""
        return SEEDS_APART * self.seed

    @property
    def report_seeds(self) -> range:
        """Seeds of those that are reported; the other is not among them."""
        return range(self.select_seed + 1, self.select_seed + 1 + self.n_report)

    @property
    def n_trainings(self) -> dict[str, int]:
        """How many trainings each method needs until its configuration is known.

        The points are laid at the rate that was best for equal weights, so that those trainings are part of the cost.
        """
        n_rates = len(self.rates)
        grid = n_rates + self.n_points + self.n_finalists * (n_rates - 1)
        return {**dict.fromkeys((EQUAL, *INVERSE), n_rates), **dict.fromkeys((SIMPLEX, LOG), grid)}

    def spec(self, trial: Trial) -> RunSpec:
        """What the trainer is told: Adam, cosine, no clip, no weight decay."""
        config = RunConfig(
            trial.setting.arch, optimizer="adam", lr=trial.lr, schedule="cosine", batch_size=self.batch_size, clip=0.0
        )
        if trial.method == SINGLE:
            config = replace(config, tasks=trial.tasks)
        elif trial.method in INVERSE:
            config = replace(config, balancer="inverse_norm", balancer_settings={"target": trial.method})
        elif trial.weights is not None:
            config = replace(config, balancer="fixed", balancer_settings={"weights": trial.weights})
        return RunSpec(trial.run, trial.setting.problem, config, trial.seed, self.horizon)

    def first_trials(self, setting: Setting) -> Iterator[Trial]:
        """Every task alone, equal weights and inverse norms, each at every rate."""
        names = [(SINGLE, task) for task in setting.tasks] + [(method, "") for method in (EQUAL, *INVERSE)]
        for method, label in names:
            for lr in self.rates:
                yield Trial(setting, method, label, lr, self.select_seed, "select")

    def grid_trials(self, setting: Setting, lr: float) -> Iterator[Trial]:
        """All points of weights at one rate, that of equal weights."""
        for method, points in ((SIMPLEX, self.simplex_points(setting)), (LOG, self.log_points(setting))):
            for number, weights in enumerate(points):
                yield Trial(setting, method, f"{number:02d}", lr, self.select_seed, "select", weights)

    def at_other_rates(self, trials: Iterable[Trial]) -> Iterator[Trial]:
        """The finalists of the grid at the rates that they were not tried at."""
        for trial in trials:
            yield from (replace(trial, lr=lr) for lr in self.rates if lr != trial.lr)

    def reports(self, trials: Iterable[Trial]) -> Iterator[Trial]:
        """What was chosen, with new seeds."""
        for trial in trials:
            yield from (replace(trial, seed=seed, purpose="report") for seed in self.report_seeds)

    def simplex_points(self, setting: Setting) -> list[tuple[float, ...]]:
        """The open grid on the simplex that has `n_points` points, or so many uniform draws where none has."""
        n_tasks = len(setting.tasks)
        for steps in range(n_tasks, n_tasks + self.n_points):
            if comb(steps - 1, n_tasks - 1) == self.n_points:
                return [_rounded(point) for point in simplex_grid(n_tasks, steps)]
        generator = self._generator(setting, 0)
        return [_rounded(dirichlet_weights(n_tasks, generator)) for _ in range(self.n_points)]

    def log_points(self, setting: Setting) -> list[tuple[float, ...]]:
        """Draws whose logarithms are uniform: weights that differ by powers of ten."""
        generator, n_tasks = self._generator(setting, 1), len(setting.tasks)
        return [_rounded(log_uniform_weights(n_tasks, generator, decades=self.decades)) for _ in range(self.n_points)]

    def _generator(self, setting: Setting, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(setting.problem.encode()), stream])


@lru_cache
def problem_of(name: str) -> Problem:
    """The problem of this name, made once."""
    return make_problem(name)


def _rounded(weights: np.ndarray) -> tuple[float, ...]:
    """Four significant digits, so that a log can be compared with the plan."""
    return tuple(float(f"{weight:.4g}") for weight in weights)


_SMALL = "mlp-32x2"

STUDY = Plan(
    [
        Setting("digits-pair", _SMALL),
        Setting("digits", _SMALL),
        Setting("fashion-ink", _SMALL),
        Setting("tabular", _SMALL),
        Setting("clicks", _SMALL),
        Setting("particles", _SMALL),
        Setting("waves", _SMALL),
        Setting("tabular-wide", _SMALL),
        Setting("particles", "mmoe-8x1e3"),
        Setting("tabular-wide", "mmoe-8x1e3"),
    ]
)
"""What `datasets/imbalance_study` records: eight problems of two to five tasks; two of them with a second network."""

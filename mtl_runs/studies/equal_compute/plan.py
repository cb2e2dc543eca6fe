"""What is trained once, so that every way to search can be replayed on it: methods, each at many learning rates."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_runs.balancers import log_uniform_weights
from mtl_runs.problems import make_problem
from mtl_runs.sweeps.space import CLIP
from mtl_runs.training import RunConfig, RunSpec

EQUAL, FIXED = "equal", "fixed"

COUNTS = {
    EQUAL: 16,
    FIXED: 32,
    "inverse_norm": 16,
    "autoscale": 12,
    "uncertainty": 12,
    "famo": 12,
    "cagrad": 12,
    "imtl_g": 12,
    "fairgrad": 12,
}
"""Balancers and how many configurations each has; those of `fixed` differ in their weights as well. They are the pool
that searches over everything draw from."""

RATES = (3e-4, 1e-1)
"""Learning rates, of Adam under a cosine, are spread evenly over the logarithms between these."""

SINGLE_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
"""At which each task is trained alone, the reference of Δm: the best by validation data."""

PROBLEMS = (
    "tabular?seed=21",
    "tabular-wide?seed=22",
    "clicks?seed=23",
    "waves?seed=24",
    "particles?seed=25",
    "particles-hot?seed=26",
    "digits-pair?seed=27",
    "digits-scaled?seed=28",
)
"""Their data have other seeds than those that the shipped model has learned from."""


@dataclass(frozen=True)
class Plan:
    """The trainings of the study.

    Attributes:
        problems: names that `make_problem` knows.
        counts: configurations of each method.
        arch: of all networks.
        horizon: epochs of a run.
        batch_size: samples of a step.
        seed: of all draws and trainings.
    """

    problems: Sequence[str] = PROBLEMS
    counts: tuple[tuple[str, int], ...] = tuple(COUNTS.items())
    arch: str = "mlp-32x2"
    horizon: int = 20
    batch_size: int = 256
    seed: int = 0

    def runs(self, problem: str) -> list[RunSpec]:
        """The pool: runs of each method in random order of their rates, so that any first n are spread over all."""
        n_tasks = len(make_problem(problem).tasks)
        generator = np.random.default_rng([self.seed, zlib.crc32(problem.encode())])
        specs = []
        for method, count in self.counts:
            for number, lr in enumerate(_rates(count, generator)):
                weights = tuple(_rounded(w) for w in log_uniform_weights(n_tasks, generator))
                settings = {"weights": weights} if method == FIXED else {}
                config = replace(self.usual(lr), balancer=method, balancer_settings=settings)
                seed = int(generator.integers(2**31))
                specs.append(RunSpec(f"{method}-{number:02d}", problem, config, seed, self.horizon))
        return specs

    def singles(self, problem: str) -> list[RunSpec]:
        """Each task alone at a few rates."""
        return [
            RunSpec(f"single-{task.name}-{lr:g}", problem, replace(self.usual(lr), tasks=(task.name,)), 0, self.horizon)
            for task in make_problem(problem).tasks
            for lr in SINGLE_RATES
        ]

    def usual(self, lr: float) -> RunConfig:
        """What all trainings have in common."""
        return RunConfig(self.arch, optimizer="adam", lr=lr, schedule="cosine", batch_size=self.batch_size, clip=CLIP)


def method_of(run: str) -> str:
    """The method of a run of the pool, by its name."""
    return run.rpartition("-")[0]


def _rates(count: int, generator: np.random.Generator) -> Iterator[float]:
    """So many rates, one in each of as many equal parts of the range, in random order."""
    low, high = np.log(RATES)
    places = (generator.permutation(count) + generator.uniform(size=count)) / count
    yield from (_rounded(np.exp(low + (high - low) * place)) for place in places)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")

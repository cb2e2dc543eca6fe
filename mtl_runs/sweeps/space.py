"""The space of configurations that a sweep draws from, and the seeded sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mtl_runs.balancers import log_uniform_weights
from mtl_runs.exchange import Exchange
from mtl_runs.networks import OWN, suits
from mtl_runs.problems import Problem
from mtl_runs.training import SCHEDULES, RunConfig, RunSpec
from mtl_runs.training.config import OptimizerName

Choice = TypeVar("Choice")

ARCHITECTURES: Sequence[str] = ("mlp-32x2", "mlp-64x2", "mlp-128x3", "mlp-256x1", "cnn-8x2", "cnn-16x3")

BALANCERS: Sequence[str] = ("equal", "fixed", "inverse_norm", "uncertainty", "pcgrad", "mgda", "cagrad", "fairgrad")

NOT_DRAWN = ("torchjd", "pivrg")
"""Balancers that need to be told what no sampler knows: the method's name, the losses of single-task trainings."""

INSIDE = ("mgda", "cagrad", "imtl_g")
"""What balancers around another one are drawn around: those whose logarithmic forms were published."""

BATCH_SIZES = (64, 128, 256)

CLIP = 1.0
"""Longest shared gradient of every run. The methods' own trainers differ in it (`RunConfig.clip`); where learning rates
are drawn from one range for all, one length for all compares like with like, and few runs diverge."""

OPTIMIZERS: Sequence[OptimizerName] = ("sgd", "adam")

LEARNING_RATES: dict[OptimizerName, tuple[float, float]] = {"sgd": (3e-3, 3e-1), "adam": (1e-4, 1e-2)}
"""Drawn log-uniformly between these."""

MOMENTA = (0.0, 0.9)

WEIGHT_DECAYS = (0.0, 1e-4, 1e-3)


SENSIBLE = RunConfig(optimizer="adam", lr=1e-3, schedule="cosine", clip=0.0)
"""A setting that is sensible everywhere: of what is not searched for, such as single-task baselines."""


def archs_for(problem: Problem, otherwise: Sequence[str]) -> tuple[str, ...]:
    """Architectures where none is named: the network that the problem brings, or those of the given ones that suit it.

    Where none of them does, those that suit it of all that a sweep draws from.
    """
    if problem.network is not None:
        return (OWN,)

    def fitting(archs: Sequence[str]) -> tuple[str, ...]:
        return tuple(arch for arch in archs if suits(arch, problem.input_shape, problem.tasks))

    return fitting(otherwise) or fitting(ARCHITECTURES) or tuple(otherwise)


def sample_runs(
    problem: str,
    n_tasks: int,
    n_runs: int,
    *,
    horizon: int,
    seed: int,
    balancers: Sequence[str] = BALANCERS,
    archs: Sequence[str] = ARCHITECTURES,
) -> list[RunSpec]:
    """Draw configurations: balancers, architectures, schedules, … evenly mixed, numbers at random.

    The first runs of a longer sweep with the same seed are those of a shorter one.

    Args:
        problem: name in `PROBLEMS`.
        n_tasks: its number of tasks.
        n_runs: how many.
        horizon: last epoch of every run.
        seed: decides all draws and the seeds of the runs.
        balancers: to draw from.
        archs: architectures to draw from.
    """
    generators = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(7)]
    next_balancer = _shuffled_blocks(balancers, generators[0])
    architectures = _shuffled_blocks(archs, generators[1])
    schedules = _shuffled_blocks(tuple(SCHEDULES), generators[2])
    batch_sizes = _shuffled_blocks(BATCH_SIZES, generators[3])
    optimizers = _shuffled_blocks(OPTIMIZERS, generators[4])
    numbers, settings = generators[5], generators[6]
    specs = []
    for index in range(n_runs):
        balancer, arch, optimizer = next(next_balancer), next(architectures), next(optimizers)
        low, high = np.log(LEARNING_RATES[optimizer])
        config = RunConfig(
            arch=arch,
            balancer=balancer,
            balancer_settings=_balancer_settings(balancer, n_tasks, settings),
            optimizer=optimizer,
            lr=_rounded(np.exp(numbers.uniform(low, high))),
            momentum=float(numbers.choice(MOMENTA)),
            weight_decay=float(numbers.choice(WEIGHT_DECAYS)),
            schedule=next(schedules),
            batch_size=next(batch_sizes),
            clip=CLIP,
        )
        name = f"r{index:04d}-{balancer}-{arch}"
        specs.append(RunSpec(name, problem, config, seed=int(numbers.integers(2**31)), horizon=horizon))
    return specs


def sample_population(
    problem: str, n_tasks: int, *, horizon: int, arch: str, balancer: str, exchange: Exchange
) -> list[RunSpec]:
    """The members of a population with loss weights drawn log-uniformly; those of the first are equal.

    The weights have the mean 1; all else is alike, at the setting that is sensible everywhere.

    Args:
        problem: name in `PROBLEMS`.
        n_tasks: its number of tasks.
        horizon: last epoch of every run.
        arch: their architecture.
        balancer: what balances the weighted losses; with `equal` the population searches for fixed weights.
        exchange: the rules, of any member; its seed decides all draws, and the seeds of the runs.
    """
    generator = np.random.default_rng(exchange.seed)
    specs = []
    for member in range(exchange.members):
        weights = [_rounded(w * n_tasks) for w in log_uniform_weights(n_tasks, generator)]
        config = replace(
            SENSIBLE,
            arch=arch,
            balancer=balancer,
            loss_weights=tuple(weights if member else [1.0] * n_tasks),
            exchange=replace(exchange, member=member),
        )
        name = f"m{member:02d}-{balancer}-{arch}"
        specs.append(RunSpec(name, problem, config, seed=int(generator.integers(2**31)), horizon=horizon))
    return specs


def _balancer_settings(balancer: str, n_tasks: int, generator: np.random.Generator) -> dict[str, Any]:
    """Settings of a balancer, drawn from what its authors and users report as sensible."""
    if balancer == "fixed":
        return {"weights": [_rounded(w) for w in log_uniform_weights(n_tasks, generator)]}
    if balancer == "cagrad":
        return {"c": _rounded(generator.uniform(0.2, 0.8))}
    if balancer == "fairgrad":
        return {"alpha": float(generator.choice([0.5, 1.0, 2.0]))}
    if balancer == "inverse_norm":
        return {"target": str(generator.choice(["norm_of_sum", "mean_of_norms", "sum_to_k"]))}
    if balancer in ("log", "cr_mogm"):
        return {"of": str(generator.choice(INSIDE))}
    return {}


def _shuffled_blocks(choices: Sequence[Choice], generator: np.random.Generator) -> Iterator[Choice]:
    """All choices in random order, again and again: evenly mixed after any number of draws."""
    while True:
        for i in generator.permutation(len(choices)):
            yield choices[i]


def _rounded(value: float) -> float:
    """Three significant digits: configurations that people can read, repeat and compare."""
    return float(f"{value:.3g}")

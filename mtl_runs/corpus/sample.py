"""The seeded definition of the corpus: every run, with its place in the splits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np

from mtl_runs.balancers import log_uniform_weights
from mtl_runs.corpus.space import (
    APART,
    BASELINE_BATCHES,
    BASELINE_RATES,
    GRADIENT_BALANCERS,
    HELD_OUT_ARCHS,
    HELD_OUT_PROBLEMS,
    HORIZON,
    LEARNING_RATES,
    LOSS_BALANCERS,
    PLANS,
    SETTINGS,
    Plan,
)
from mtl_runs.training import SCHEDULES, RunConfig, RunSpec
from mtl_runs.training.config import OptimizerName

Choice = TypeVar("Choice")

Part = Literal["train", "validation", "test"]

SHARES: Mapping[Part, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""Of a problem's configurations in the split by configuration."""

FIVE_SEEDS_EVERY = 4
"""One pack in so many has a configuration with five seeds."""


@dataclass(frozen=True)
class Entry:
    """A run of the corpus.

    Attributes:
        spec: what is trained.
        configuration: equal for runs that differ in the seed only.
        single: whether it trains one task alone, as a reference.
        split: part in the split by configuration; None for a reference.
        arch_split: part in the split by architecture, train or test.
        problem_split: part in the split by problem, train or test.
    """

    spec: RunSpec
    configuration: str
    single: bool
    split: Part | None
    arch_split: Part
    problem_split: Part


@dataclass(frozen=True)
class _Pack:
    """Configurations that are trained together: one architecture, one batch size, the same passes per step."""

    arch: str
    batch_size: int
    balancers: Sequence[str]
    size: int
    five_seeds: bool


def corpus_runs(seed: int = 0) -> list[RunSpec]:
    """All runs of the corpus, as `Sweep` takes them; a pure function of the seed."""
    return [entry.spec for entry in corpus_entries(seed)]


def corpus_entries(seed: int = 0, plans: Mapping[str, Plan] = PLANS) -> list[Entry]:
    """All runs of the corpus with their places in the splits.

    A problem's runs do not depend on the other problems: a new one changes nothing.

    Args:
        seed: decides all draws and the seeds of the runs.
        plans: by problem.
    """
    return [entry for problem, plan in plans.items() for entry in _of_problem(problem, plan, seed)]


def _of_problem(problem: str, plan: Plan, seed: int) -> Iterator[Entry]:
    """The references of a problem, then its packs."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(problem.encode())])
    shape, numbers, seeds, parts = (np.random.default_rng(child) for child in sequence.spawn(4))
    held_out: Part = "test" if problem in HELD_OUT_PROBLEMS else "train"

    def entry(name: str, configuration: str, config: RunConfig, part: Part | None) -> Entry:
        spec = RunSpec(f"{problem}-{name}", problem, config, int(seeds.integers(2**31)), HORIZON)
        of_arch: Part = "test" if config.arch in HELD_OUT_ARCHS else "train"
        return Entry(spec, f"{problem}-{configuration}", part is None, part, of_arch, held_out)

    for arch in plan.archs:
        for task in plan.tasks:
            for config in _references(arch, task, plan):
                name = f"single-{task}-{arch}-{config.lr:g}"
                yield entry(name, name, config, None)
    packs = list(_packs(plan, shape))
    draw = _Configurations(plan.tasks, numbers)
    configurations = [config for pack in packs for config in draw.of_pack(pack)]
    places = iter(_split(len(configurations), parts))
    at = iter(enumerate(configurations))
    for pack in packs:
        drawn = [next(at) for _ in range(_n_configurations(pack))]
        split = {index: next(places) for index, _ in drawn}
        for (index, config), n_seeds in zip(drawn, _seeds_per_configuration(pack, shape), strict=True):
            for repeat in range(n_seeds):
                name = f"{index:03d}" + (f"-s{repeat}" if repeat else "")
                yield entry(name, f"{index:03d}", config, split[index])


def _references(arch: str, task: str, plan: Plan) -> list[RunConfig]:
    """One task alone at a few rates; the best end is the reference of Δm."""
    batch_size = next(size for size in BASELINE_BATCHES if size in plan.batch_sizes)
    config = RunConfig(arch, optimizer="adam", schedule="cosine", batch_size=batch_size, clip=0.0, tasks=(task,))
    return [replace(config, lr=lr) for lr in BASELINE_RATES]


def _packs(plan: Plan, generator: np.random.Generator) -> Iterator[_Pack]:
    """Architectures in turn, each time with another batch size: the two say nothing about each other."""
    archs = _in_turn(plan.archs, generator)
    weights = np.linspace(3, 0.5, len(plan.batch_sizes))
    left: dict[str, list[int]] = {}

    def cell() -> tuple[str, int]:
        arch = next(archs)
        if not left.get(arch):
            left[arch] = generator.choice(
                plan.batch_sizes, len(plan.batch_sizes), replace=False, p=weights / weights.sum()
            ).tolist()
        return arch, left[arch].pop(0)

    per_pack = 2 + plan.members // 4
    by_gradients, by_losses = _in_turn(GRADIENT_BALANCERS, generator), _in_turn(LOSS_BALANCERS, generator)
    kinds = ["gradients"] * plan.by_gradients + ["losses"] * plan.by_losses
    kinds += [name for name in APART for _ in range(plan.apart)]
    for number, kind in enumerate(generator.permutation(kinds).tolist()):
        if kind in APART:
            yield _Pack(*cell(), (kind,), plan.members // 2, False)
            continue
        if kind == "gradients":
            balancers = [next(by_gradients) for _ in range(per_pack)]
        else:
            balancers = ["fixed", *(next(by_losses) for _ in range(per_pack - 1))]
        yield _Pack(*cell(), tuple(dict.fromkeys(balancers)), plan.members, number % FIVE_SEEDS_EVERY == 0)


def _n_configurations(pack: _Pack) -> int:
    """Two of them are trained twice, or one five times and one twice; in a small pack one is trained twice."""
    return pack.size - 5 if pack.five_seeds else pack.size - pack.size // 8


def _seeds_per_configuration(pack: _Pack, generator: np.random.Generator) -> list[int]:
    extra = [4, 1] if pack.five_seeds else [1] * (pack.size // 8)
    n_configurations = _n_configurations(pack)
    seeds = np.array([1 + more for more in extra] + [1] * (n_configurations - len(extra)))
    return [int(n) for n in generator.permutation(seeds)]


class _Configurations:
    """Draws the configurations of one problem: what is a choice in turn, what is a number evenly over its range."""

    def __init__(self, tasks: Sequence[str], generator: np.random.Generator) -> None:
        self.n_tasks = len(tasks)
        self.generator = generator
        self.schedules = _in_turn(tuple(SCHEDULES), generator)
        self.optimizers = _in_turn(tuple(LEARNING_RATES), generator)
        self.positions: dict[OptimizerName, Iterator[float]] = {name: _evenly(generator) for name in LEARNING_RATES}
        self.clips = _in_turn((1.0, 0.0), generator)

    def of_pack(self, pack: _Pack) -> Iterator[RunConfig]:
        """The configurations of a pack: balancers in turn, each with one setting for the whole pack."""
        settings = {name: self._settings(name) for name in pack.balancers}
        for index in range(_n_configurations(pack)):
            balancer = pack.balancers[index % len(pack.balancers)]
            yield self._one(pack, balancer, self._settings(balancer) if balancer == "fixed" else settings[balancer])

    def _one(self, pack: _Pack, balancer: str, settings: Mapping[str, Any]) -> RunConfig:
        generator = self.generator
        optimizer = next(self.optimizers)
        low, high = np.log(LEARNING_RATES[optimizer])
        weighted = balancer != "fixed" and generator.uniform() < 0.3
        loss_weights = self._weights(generator, 1.0) * self.n_tasks if weighted else None
        return RunConfig(
            arch=pack.arch,
            balancer=balancer,
            balancer_settings=settings,
            loss_weights=None if loss_weights is None else tuple(_rounded(w) for w in loss_weights),
            optimizer=optimizer,
            lr=_rounded(np.exp(low + (high - low) * next(self.positions[optimizer]))),
            momentum=float(generator.choice([0.0, 0.9, 0.9])) if optimizer == "sgd" else 0.9,
            weight_decay=float(generator.choice([0.0, 1e-4, 1e-3])),
            schedule=next(self.schedules),
            batch_size=pack.batch_size,
            reduction="sum" if generator.uniform() < 0.25 else "mean",
            clip=next(self.clips),
        )

    def _settings(self, balancer: str) -> dict[str, Any]:
        if balancer == "fixed":
            return {"weights": tuple(_rounded(w) for w in self._weights(self.generator, 2.5))}
        choices = SETTINGS.get(balancer, {})
        return {name: values[int(self.generator.integers(len(values)))] for name, values in choices.items()}

    def _weights(self, generator: np.random.Generator, decades: float) -> np.ndarray:
        return log_uniform_weights(self.n_tasks, generator, decades=decades)


def _split(n: int, generator: np.random.Generator) -> list[Part]:
    """A part for each of n configurations, in random order."""
    ends = [round(n * share) for share in np.cumsum(list(SHARES.values()))]
    parts: list[Part] = []
    for part, end in zip(SHARES, ends, strict=True):
        parts += [part] * (end - len(parts))
    return [parts[i] for i in generator.permutation(n)]


def _in_turn(choices: Sequence[Choice], generator: np.random.Generator) -> Iterator[Choice]:
    """All choices in random order, again and again: evenly mixed after any number of draws."""
    while True:
        for i in generator.permutation(len(choices)):
            yield choices[i]


def _evenly(generator: np.random.Generator, n: int = 20) -> Iterator[float]:
    """Uniform numbers in 0..1, of which each n lie in the n parts of equal length."""
    while True:
        yield from (generator.permutation(n) + generator.uniform(size=n)) / n


def _rounded(value: float) -> float:
    """Three significant digits: configurations that people can read, repeat and compare."""
    return float(f"{value:.3g}")

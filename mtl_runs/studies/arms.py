"""Methods beside each other: each chooses among as many candidates, and what was chosen is trained with new seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.problems import Problem
from mtl_runs.studies.imbalance.gaps import relative_gaps
from mtl_runs.sweeps.logs import last_status, last_values
from mtl_runs.sweeps.packs import PACK, make_packs
from mtl_runs.training import RunConfig, RunSpec, train_population
from mtl_runs.training.held_out import held_out_metrics

SELECT_SEED = 0
"""Of the trainings by which each arm chooses among its candidates, on validation data."""

Values = Mapping[str, float]
Score = Callable[[Values], float]


@dataclass(frozen=True)
class Arm:
    """A method with its candidates.

    Attributes:
        candidates: configurations that it chooses from.
        horizon: epochs.
        base: name of the arm that it is held against, seed by seed; empty = none.
    """

    candidates: tuple[RunConfig, ...]
    horizon: int
    base: str = ""


@dataclass(frozen=True)
class Experiment:
    """Arms on one problem.

    Attributes:
        name: of its folder.
        problem: makes the problem of a training with this seed; the same one for equal seeds.
        arms: by name.
        references: single tasks, by the name of the task: arms by which Δm is reckoned.
        seeds: that what was chosen is reported with; `SELECT_SEED` is not among them.
        score: of a training by its metrics, higher is better; None = Δm in per cent.
        shared: values of the shared parameters that trainings with this seed begin with, [P]; None = drawn ones.
        features: whether it is logged how far tasks use different features.
    """

    name: str
    problem: Callable[[int], Problem]
    arms: Mapping[str, Arm]
    references: Mapping[str, Arm] = field(default_factory=dict)
    seeds: tuple[int, ...] = tuple(range(1, 9))
    score: Score | None = None
    shared: Callable[[int], Tensor] | None = None
    features: bool = False

    def specs(self, arm: str, seeds: Iterable[int], chosen: int | None = None) -> Iterator[RunSpec]:
        """Trainings of all candidates of an arm, or of the one that was chosen; single tasks are arms as well."""
        one = {**self.references, **self.arms}[arm]
        for number, config in enumerate(one.candidates):
            if chosen in (None, number):
                for seed in seeds:
                    name = "".join(letter if letter.isalnum() else "_" for letter in arm)
                    yield RunSpec(f"{name}-{number}-s{seed}", self.problem(seed).name, config, seed, one.horizon)


def usual(lr: float, arch: str = "mlp-32x2", **settings: Any) -> RunConfig:
    """What all trainings have in common unless they say otherwise: Adam under a cosine, no clip."""
    common = {"optimizer": "adam", "schedule": "cosine", "batch_size": 128, "clip": 0.0}
    return RunConfig(arch, lr=lr, **{**common, **settings})


def at_rates(rates: Iterable[float], **settings: Any) -> tuple[RunConfig, ...]:
    """Candidates that differ in their learning rates."""
    return tuple(usual(lr, **settings) for lr in rates)


def conduct(experiment: Experiment, out: Path) -> pd.DataFrame:
    """Train what is missing of an experiment.

    Args:
        experiment: what is trained.
        out: folder; the logs are in one of the experiment's name.

    Returns:
        A row per arm and seed of `Experiment.seeds`: `arm`, `base`, `chosen` (number of the candidate), `seed`, `run`;
        on the test split `score` and the metrics by key; with references also `<key> gap`, how much worse the metric
        is than alone, in per cent. Runs that diverged have NaN.
    """
    folder = out / experiment.name
    directions = {metric.key: metric.direction for metric in experiment.problem(SELECT_SEED).metrics}
    # Here and below what no choice is waited for with is trained at once, so that stacks are large.
    both = [*experiment.references, *experiment.arms]
    train(experiment, [spec for name in both for spec in experiment.specs(name, (SELECT_SEED,))], folder)
    chosen: dict[str, int] = {}
    alone: dict[str, Values] = {}
    for task in experiment.references:
        chosen[task], alone[task] = _choose(
            experiment, task, lambda values: -_gaps(values, None, directions).mean(), folder
        )
    validation = {key: value for values in alone.values() for key, value in values.items()}
    score = experiment.score or (lambda values: -float(_gaps(values, validation, directions).mean()))
    for name in experiment.arms:
        chosen[name], _ = _choose(experiment, name, score, folder)
    specs = {name: list(experiment.specs(name, experiment.seeds, chosen[name])) for name in both}
    train(experiment, [spec for some in specs.values() for spec in some], folder)
    test: dict[str, float] = {}
    for task in experiment.references:
        found = _test(experiment, specs[task], folder)
        test |= {key: fmean(values[key] for values in found.values()) for key in alone[task]}
    rows = []
    for name, arm in experiment.arms.items():
        found = _test(experiment, specs[name], folder)
        for spec in specs[name]:
            row = {"arm": name, "base": arm.base, "chosen": chosen[name], "seed": spec.seed, "run": spec.run}
            values = found.get(spec.run, dict.fromkeys(directions, float("nan")))
            gaps = _gaps(values, test, directions) if test else pd.Series(dtype=float)
            row["score"] = experiment.score(values) if experiment.score else -gaps.mean(skipna=False)
            rows.append({**row, **values, **{f"{key} gap": gap for key, gap in gaps.items()}})
    return pd.DataFrame(rows)


def train(experiment: Experiment, specs: Sequence[RunSpec], folder: Path) -> None:
    """Train these runs here, in stacks where they can be; finished ones are left alone."""
    packs, _ = make_packs(specs, largest=PACK, bytes_of=lambda _: 0, memory=0.0)
    for pack in packs:
        begin = {} if experiment.shared is None else {spec.run: experiment.shared(spec.seed) for spec in pack}
        problem = experiment.problem(pack[0].seed)
        several = all(len(spec.config.tasks or problem.tasks) > 1 for spec in pack)  # alone a task shares nothing
        train_population(problem, pack, folder=folder, shared=begin, features=experiment.features and several)


def _gaps(values: Values, references: Values | None, directions: Mapping[str, str]) -> pd.Series:
    """How much worse each metric is than its reference, in per cent; than 1 where there is none."""
    keys = [key for key in directions if key in values]
    alone = pd.Series([1.0 if references is None else references[key] for key in keys], keys)
    return relative_gaps(pd.Series([values[key] for key in keys], keys), alone, pd.Series(directions)[keys])


def _choose(experiment: Experiment, arm: str, score: Score, folder: Path) -> tuple[int, dict[str, float]]:
    """The best candidate by its score on validation data, and its values there."""
    specs = list(experiment.specs(arm, (SELECT_SEED,)))
    found = {n: last_values(folder, s.run) for n, s in enumerate(specs) if last_status(folder, s.run) == "finished"}
    if not found:
        raise UsageError(f"all trainings of '{arm}' in {folder} diverged")
    best = max(found, key=lambda number: score(found[number]))
    return best, found[best]


def _test(experiment: Experiment, specs: Sequence[RunSpec], folder: Path) -> dict[str, dict[str, float]]:
    """Measure those that finished on the test split; metrics by run."""
    finished = [spec for spec in specs if last_status(folder, spec.run) == "finished"]
    found: dict[str, dict[str, float]] = {}
    for _, group in groupby(sorted(finished, key=lambda spec: spec.problem), lambda spec: spec.problem):
        some = list(group)
        found |= held_out_metrics(experiment.problem(some[0].seed), some, folder)
    return found

"""Trains the study in four stages, each of which rests on the choices of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lcode.table import RunStatus
from mtl_runs.studies.imbalance.gaps import add_gaps, chosen_references, chosen_singles, per_run
from mtl_runs.studies.imbalance.plan import EQUAL, INVERSE, LOG, SIMPLEX, SINGLE, Plan, Trial
from mtl_runs.studies.imbalance.record import collect
from mtl_runs.training import RunSpec


class Trainer(Protocol):
    """The part of `Sweep` that the study uses."""

    def run(self, specs: Sequence[RunSpec]) -> Mapping[str, RunStatus]:
        """Train these runs, or find that they are trained."""


def conduct(plan: Plan, trainer: Trainer, folder: Path) -> list[Trial]:
    """Train the whole study; called again, it goes on where it was.

    First every task alone, equal weights and inverse norms at all rates. Then the points of weights at the rate at
    which equal weights were best. Then the best points at the other rates. Last, with new seeds, what was best of
    each method. All choices are made by the validation split.

    Args:
        plan: what is to be trained.
        trainer: trains.
        folder: where the trainer's logs are.

    Returns:
        All trainings.
    """
    done: list[Trial] = []

    def train(trials: Iterable[Trial]) -> None:
        stage = list(trials)
        trainer.run([plan.spec(trial) for trial in stage])
        done.extend(stage)

    train(trial for setting in plan.settings for trial in plan.first_trials(setting))
    (equal,) = _best(plan, done, folder, [EQUAL], 1).values()
    train(trial for one in equal for trial in plan.grid_trials(one.setting, one.lr))
    finalists = _best(plan, done, folder, [SIMPLEX, LOG], plan.n_finalists).values()
    train(plan.at_other_rates(trial for some in finalists for trial in some))
    winners = _best(plan, done, folder, [EQUAL, *INVERSE, SIMPLEX, LOG], 1).values()
    train(plan.reports([*_singles(plan, done, folder), *(trial for some in winners for trial in some)]))
    return done


def _best(plan: Plan, done: Sequence[Trial], folder: Path, methods: Sequence[str], n: int) -> dict[str, list[Trial]]:
    """The best trials of each method, so many in each setting, by the Δm of the validation split."""
    table = collect(plan, done, folder, test=False)
    references = chosen_references(table, purpose="select", split="validation")
    runs = per_run(add_gaps(table, references, split="validation")).set_index("run")["delta_m"]
    chosen: dict[str, list[Trial]] = {}
    for method in methods:
        chosen[method] = []
        for setting in plan.settings:
            trials = {trial.run: trial for trial in done if trial.setting == setting and trial.method == method}
            order = runs[list(trials)].sort_values(ascending=False, kind="stable", na_position="last")
            chosen[method] += [trials[str(run)] for run in order.index[:n]]
    return chosen


def _singles(plan: Plan, done: Sequence[Trial], folder: Path) -> list[Trial]:
    """The best single-task training of every task."""
    tried = [trial for trial in done if trial.method == SINGLE]
    names = set(chosen_singles(collect(plan, tried, folder, test=False)))
    return [trial for trial in tried if trial.run in names]

"""Trains what the plan says, chooses rates, and reads off the logs how well each task was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from lcode.errors import UsageError
from mtl_runs.control import PolicyRun, train_policy
from mtl_runs.studies.imbalance.gaps import relative_gaps
from mtl_runs.studies.reinforcement.plan import Group, Plan
from mtl_runs.sweeps.logs import last_status, last_values

Tell = Callable[[str], None]


def conduct(plan: Plan, out: Path, tell: Tell) -> pd.DataFrame:
    """Train what is missing of the study.

    Args:
        plan: what is trained.
        out: folder; the logs are in one per world.
        tell: hears how far it is.

    Returns:
        A row per world, balancer and seed of `Plan.seeds`: `world, balancer, seed`; `rate`, the one that was chosen by
        the mean return over `Plan.choosing`; of the last epoch `return` and `success`, means over the tasks, and a
        task's return by its name; `delta_m`, by how many per cent returns are above the mean of the tasks alone, mean
        over tasks. NaN where the training diverged. The tasks alone are rows with the balancer `alone`, one per seed.
    """
    alone: dict[int, dict[str, float]] = {seed: {} for seed in plan.seeds}
    for group in plan.alone:
        _, found = _ends(plan, group, out, tell)
        for seed, values in found.items():
            alone[seed] |= values
    keys = [key for key in alone[plan.seeds[0]] if key.endswith("/return")]
    reference = {key: fmean(values[key] for values in alone.values()) for key in keys}
    rows = [_row(plan.worlds[0], "alone", seed, None, values, reference) for seed, values in alone.items()]
    for world in plan.worlds:
        for group in plan.together(world):
            rate, found = _ends(plan, group, out, tell)
            rows += [_row(world, group.name, seed, rate, values, reference) for seed, values in found.items()]
    return pd.DataFrame(rows)


def _ends(plan: Plan, group: Group, out: Path, tell: Tell) -> tuple[float, dict[int, dict[str, float]]]:
    """The rate that a group chose, and by seed the last values of its trainings at it."""
    folder = out / group.folder
    rate = _choose(plan, group, folder) if len(plan.rates) > 1 else plan.rates[0]
    chosen = plan.runs(group, plan.seeds, rate)
    _train(group, chosen, folder)
    tell(f"{group.folder}, {group.name}: trained")
    nothing = dict.fromkeys(last_values(folder, chosen[0].run), float("nan"))
    return rate, {run.seed: last_values(folder, run.run) if _finished(folder, run) else nothing for run in chosen}


def _choose(plan: Plan, group: Group, folder: Path) -> float:
    """The rate with the best mean return; one at which a training diverged is none to choose."""
    scores: dict[float, float] = {}
    for rate in plan.rates:
        tried = plan.runs(group, plan.choosing, rate)
        _train(group, tried, folder)
        if all(_finished(folder, run) for run in tried):
            scores[rate] = fmean(_mean(last_values(folder, run.run), "return") for run in tried)
    if not scores:
        raise UsageError(f"at every rate a training of '{group.name}' in {folder} diverged; give smaller --rates")
    return max(scores, key=lambda rate: scores[rate])


def _train(group: Group, runs: Sequence[PolicyRun], folder: Path) -> None:
    for run in runs:
        train_policy(group.world, run, folder)


def _finished(folder: Path, run: PolicyRun) -> bool:
    return last_status(folder, run.run) == "finished"


def _row(
    world: str,
    balancer: str,
    seed: int,
    rate: float | None,
    values: Mapping[str, float],
    reference: Mapping[str, float],
) -> dict[str, Any]:
    returns = pd.Series({key: values[key] for key in reference})
    gaps = relative_gaps(returns, pd.Series(reference), pd.Series("max", returns.index))
    return {
        "world": world,
        "balancer": balancer,
        "seed": seed,
        "rate": rate,
        "return": _mean(values, "return"),
        "success": _mean(values, "success"),
        "delta_m": -float(gaps.mean(skipna=False)),
        **{key.removesuffix("/return"): values[key] for key in reference},
    }


def _mean(values: Mapping[str, float], name: str) -> float:
    """Over the tasks."""
    return fmean(value for key, value in values.items() if key.endswith(f"/{name}"))

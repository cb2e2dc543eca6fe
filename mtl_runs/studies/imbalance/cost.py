"""What a training costs, in CPU time: the wall time in the logs depends on who else uses the machine."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd

from mtl_runs.studies.imbalance.plan import EQUAL, INVERSE, Plan, Setting, Trial, problem_of
from mtl_runs.sweeps.packs import PACK
from mtl_runs.training import train_population

COSTS = Path(__file__).parents[3] / "datasets" / "imbalance_study" / "costs.csv"
"""The recorded costs in a checkout."""


def measure_costs(plan: Plan, *, members: int = PACK, epochs: int = 2, repeats: int = 3) -> pd.DataFrame:
    """CPU seconds of one training to the horizon, as a member of a population.

    Args:
        plan: of the study.
        members: of the population.
        epochs: how many of the horizon's are run; validation included.
        repeats: the median of so many, taken in turn, counts.

    Returns:
        Columns `problem, arch, method, cpu_seconds`; fixed weights cost what equal weights do.
    """
    rows = []
    for setting in plan.settings:
        seconds: dict[str, list[float]] = {EQUAL: [], INVERSE[0]: []}
        for _ in range(repeats):
            for method, taken in seconds.items():
                taken.append(_cpu_seconds(plan, setting, method, members, epochs))
        rows += [
            {"problem": setting.problem, "arch": setting.arch, "method": method, "cpu_seconds": median(taken)}
            for method, taken in seconds.items()
        ]
    return pd.DataFrame(rows)


def _cpu_seconds(plan: Plan, setting: Setting, method: str, members: int, epochs: int) -> float:
    trials = [Trial(setting, method, "", plan.rates[0], seed, "select") for seed in range(members)]
    short = replace(plan, horizon=epochs)
    with TemporaryDirectory() as folder:
        start = time.process_time()
        train_population(problem_of(setting.problem), [short.spec(t) for t in trials], folder=Path(folder))
        return (time.process_time() - start) / (members * epochs) * plan.horizon

"""The trained runs of a problem as a table: what a search sees of them, and what they are worth."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

import lcode
from lcode.decisions import final_values, make_objective
from lcode.table import Metric, RunStatus, RunTable
from mtl_runs.problems import make_problem
from mtl_runs.studies.equal_compute.plan import Plan
from mtl_runs.sweeps import Sweep
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import RunSpec, train_population
from mtl_runs.training.held_out import held_out_metrics, write_held_out

POOL, SINGLES, TEST = "pool", "singles", "test.csv"


@dataclass(frozen=True)
class Pool:
    """The runs of one problem that finished.

    Attributes:
        problem: its name.
        table: their curves on the validation split.
        baseline: what single tasks came to on the validation split, by metric key: references of the Δm that searches
            go by.
        test_baseline: what the same trainings of single tasks came to on the test split.
        validation: run -> its final Δm on the validation split.
        test: run -> the same on the test split.
    """

    problem: str
    table: RunTable
    baseline: Mapping[str, float]
    test_baseline: Mapping[str, float]
    validation: Mapping[str, float]
    test: Mapping[str, float]


def folder_of(out: Path, problem: str) -> Path:
    """Where everything of a problem is."""
    return out / problem.replace("?seed=", "-")


def here(jobs: Sequence[Job], **_: object) -> dict[str, RunStatus]:
    """An engine of sweeps: trains the populations in this process, one after the other; nobody decides on them."""
    make = lru_cache(maxsize=1)(make_problem)
    return {
        result.run: result.status
        for job in jobs
        for result in train_population(make(job.specs[0].problem), job.specs, folder=job.folder, until=job.until)
    }


def train_pool(plan: Plan, problem: str, out: Path) -> None:
    """Train what is missing of a problem's runs, and measure all on the test split."""
    folder = folder_of(out, problem)
    made = make_problem(problem)
    for name, specs in ((POOL, plan.runs(problem)), (SINGLES, plan.singles(problem))):
        path = folder / name / TEST
        if not path.exists():
            statuses = Sweep(folder / name, workers=1, engine=here).run(specs)
            finished = [spec for spec in specs if statuses[spec.run] == "finished"]
            write_held_out(path, held_out_metrics(made, finished, folder / name))


def load_pool(plan: Plan, problem: str, out: Path) -> Pool:
    """The finished runs of a problem that `train_pool` has trained."""
    folder, metrics = folder_of(out, problem), make_problem(problem).metrics
    table = lcode.read_logs(folder / POOL).with_status("finished")
    baseline = _references(plan.singles(problem), metrics, folder / SINGLES)
    test = read_test(folder / POOL / TEST)
    names = table.run_ids
    ends = dict(zip(names, final_values(table), strict=True))
    return Pool(
        problem,
        table,
        baseline["validation"],
        baseline["test"],
        _gains(ends, table.metrics, baseline["validation"]),
        _gains(
            {run: np.array([test[run][metric.key] for metric in metrics]) for run in names}, metrics, baseline["test"]
        ),
    )


def read_test(path: Path) -> dict[str, dict[str, float]]:
    """What `write_held_out` wrote: run -> metric key -> value."""
    values: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values.setdefault(row["run"], {})[row["metric"]] = float(row["value"])
    return values


def delta_m(values: Sequence[float], metrics: Sequence[Metric], baseline: Mapping[str, float]) -> float:
    """Δm of one run in per cent."""
    objective = make_objective("delta_m", metrics, baseline=baseline)
    return float(objective.score(np.asarray(values), metrics))


def _gains(
    ends: Mapping[str, np.ndarray], metrics: Sequence[Metric], baseline: Mapping[str, float]
) -> dict[str, float]:
    return {run: delta_m(values.tolist(), metrics, baseline) for run, values in ends.items()}


def _references(specs: Sequence[RunSpec], metrics: Sequence[Metric], folder: Path) -> dict[str, dict[str, float]]:
    """Values of the best training of each task alone, chosen by its first metric on validation data, on both splits."""
    table, test = lcode.read_logs(folder).with_status("finished"), read_test(folder / TEST)
    ends = dict(zip(table.run_ids, final_values(table), strict=True))
    keys = [metric.key for metric in table.metrics]
    found: dict[str, dict[str, float]] = {"validation": {}, "test": {}}
    for task in dict.fromkeys(metric.task for metric in metrics):
        mine = [metric for metric in metrics if metric.task == task]
        runs = [spec.run for spec in specs if spec.config.tasks == (task,) and spec.run in ends]
        best = max(runs, key=lambda run: mine[0].sign * ends[run][keys.index(mine[0].key)])
        for metric in mine:
            found["validation"][metric.key] = float(ends[best][keys.index(metric.key)])
            found["test"][metric.key] = test[best][metric.key]
    return found

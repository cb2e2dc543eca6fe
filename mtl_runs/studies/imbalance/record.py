"""From run logs and last checkpoints to one tidy table, and that table in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lcode.errors import DataNotFoundError, UsageError
from mtl_runs.corpus.stored import rounded_signal
from mtl_runs.problems import Problem
from mtl_runs.studies.imbalance.plan import Plan, Trial, problem_of
from mtl_runs.training.held_out import held_out_metrics

RECORD = Path(__file__).parents[3] / "datasets" / "imbalance_study" / "runs.parquet"
"""The recorded study in a checkout."""

EARLY = 0.1
"""Share of the epochs that count as early."""


def collect(plan: Plan, trials: Iterable[Trial], folder: Path, *, test: bool) -> pd.DataFrame:
    """One row per training and metric.

    Args:
        plan: of the study.
        trials: trainings that are over.
        folder: folder of their logs.
        test: whether to look at the test split, at the last epoch's parameters; only after all choices.

    Returns:
        Columns `run, problem, arch, method, label, lr, seed, purpose, status, task, metric, direction, validation`
        (value after the last epoch; NaN where the training diverged), `weight` (mean of the loss weight over the run,
        the mean loss has 1/K), `norm_early` and `norm` (geometric mean over the early epochs and over all of them of
        the task's gradient norm, shared parameters, loss without weight); last, if wanted, `test`.

    Raises:
        UsageError: a training is not over, or lacks the checkpoint of its last epoch.
    """
    logs = {trial: _read_log(folder / f"{trial.run}.jsonl") for trial in trials}
    rows: list[dict[str, Any]] = []
    for trial, log in logs.items():
        rows += _rows(trial, problem_of(trial.setting.problem).restrict(trial.tasks), log)
    table = pd.DataFrame(rows)
    if test:
        values: dict[str, dict[str, float]] = {}
        finished = [trial for trial, log in logs.items() if log[-1]["status"] == "finished"]
        for name, group in groupby(finished, key=lambda trial: trial.setting.problem):
            values |= held_out_metrics(problem_of(name), [plan.spec(trial) for trial in group], folder)
        pairs = zip(table["run"], table["metric"], strict=True)
        table["test"] = [values.get(run, {}).get(metric, np.nan) for run, metric in pairs]
    return table


def write_record(path: Path, table: pd.DataFrame) -> None:
    """Store the table: metrics with five significant digits, signals with three; complete or not at all."""
    small = table.copy()
    for name in small.select_dtypes("float").columns:
        exact = small[name].map(_rounded).to_numpy(np.float32)
        small[name] = rounded_signal(name, exact.tolist()) if name in ("weight", "norm_early", "norm") else exact
    numbers = list(small.select_dtypes("float32").columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        pq.write_table(
            pa.Table.from_pandas(small, preserve_index=False),
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=[name for name in small.columns if name not in numbers],
            use_byte_stream_split=numbers,
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_record(path: Path = RECORD) -> pd.DataFrame:
    """The table of a study; by default the recorded one.

    Raises:
        DataNotFoundError: it is not there.
    """
    if not path.is_file():
        raise DataNotFoundError(
            f"there is no {path}; make it with `python -m mtl_runs.studies.imbalance`, or work in a checkout"
        )
    table = pd.read_parquet(path)
    floats = table.select_dtypes("float32").columns
    # By way of their text, 0.003 stays 0.003.
    table[floats] = table[floats].map(_rounded)
    return table


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _rows(trial: Trial, problem: Problem, log: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    *epochs, end = log
    early = epochs[: ceil(EARLY * len(epochs))]
    for metric in problem.metrics:
        signals = {name: [epoch["signals"][f"{metric.task}/{name}"] for epoch in epochs] for name in SIGNALS}
        yield {
            "run": trial.run,
            "problem": trial.setting.problem,
            "arch": trial.setting.arch,
            "method": trial.method,
            "label": trial.label,
            "lr": trial.lr,
            "seed": trial.seed,
            "purpose": trial.purpose,
            "status": end["status"],
            "task": metric.task,
            "metric": metric.key,
            "direction": metric.direction,
            "validation": epochs[-1]["values"][metric.key],
            "weight": float(np.mean(signals["weight"])),
            "norm_early": _geometric_mean(signals["grad_norm"][: len(early)]),
            "norm": _geometric_mean(signals["grad_norm"]),
        }


SIGNALS = ("weight", "grad_norm")
"""What of the logged signals is kept."""


def _geometric_mean(values: Sequence[float]) -> float:
    """Of a norm that falls by powers of ten, an arithmetic mean would see the first epochs only."""
    return float(np.exp(np.log(np.maximum(values, 1e-12)).mean()))


def _read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log after its header; the last one says how the run ended."""
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]] if path.is_file() else []
    if not lines or lines[-1]["type"] != "end":
        raise UsageError(f"the training '{path.stem}' is not over; run the study again, it goes on where it was")
    return [line for line in lines if line["type"] == "epoch"] + lines[-1:]

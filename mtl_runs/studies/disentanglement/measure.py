"""Trains a cell, and reads off its logs what was known early and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from mtl_runs.studies.arms import Experiment, train
from mtl_runs.studies.imbalance.gaps import relative_gaps
from mtl_runs.sweeps.logs import epoch_lines, last_status
from mtl_runs.training.held_out import held_out_metrics

APART, COSINE, RATIO, SO_FAR = "disentanglement", "cosine of gradients", "ratio of norms", "Δm so far"
"""What may tell early how a training ends."""

Lines = Mapping[int, Mapping[str, Any]]


def conduct(experiment: Experiment, looks: Sequence[int], out: Path) -> pd.DataFrame:
    """Train what is missing of a cell.

    Args:
        experiment: from `Plan.experiment`.
        looks: epochs after which it is asked what is known.
        out: folder; the logs are in one of the experiment's name.

    Returns:
        A row per balancer, seed and look: `balancer, seed, epoch`; `delta_m`, on the test split at the end, in per
        cent, beside the mean over seeds of the tasks alone; and what is known after that epoch, a column for each name
        above: the disentanglement, mean over pairs of tasks, 0..1; the cosine of their gradients, likewise, -1..1, and
        the logarithm of the ratio of the largest to the smallest norm, both means over that epoch; Δm so far, on
        validation data, beside the tasks alone after as many epochs, in per cent. Runs that diverged, or with a task of
        which a training alone did, have NaN.
    """
    folder, problem = out / experiment.name, experiment.problem(0)
    directions = {metric.key: metric.direction for metric in problem.metrics}
    specs = {
        name: list(experiment.specs(name, experiment.seeds)) for name in (*experiment.references, *experiment.arms)
    }
    everything = [spec for some in specs.values() for spec in some]
    train(experiment, everything, folder)
    logs: dict[str, Lines] = {spec.run: epoch_lines(folder, spec.run) for spec in everything}
    finished = [spec for spec in everything if last_status(folder, spec.run) == "finished"]
    test = held_out_metrics(problem, finished, folder)
    alone = [[spec.run for spec in specs[task]] for task in experiment.references]
    ends = {run: test.get(run, {}) for run in logs}
    references = {look: _alone([[_values(logs[run], look) for run in runs] for runs in alone]) for look in looks}
    reference = _alone([[ends[run] for run in runs] for runs in alone])
    rows = []
    for balancer in experiment.arms:
        for spec in specs[balancer]:
            delta_m = _delta_m(ends[spec.run], reference, directions)
            for look in looks:
                line = logs[spec.run].get(look)
                known = {} if line is None else _known(line["signals"], list(experiment.references))
                so_far = _delta_m(_values(logs[spec.run], look), references[look], directions)
                row: dict[str, Any] = {"balancer": balancer, "seed": spec.seed, "epoch": look, "delta_m": delta_m}
                rows.append({**row, **known, SO_FAR: so_far})
    return pd.DataFrame(rows)


def _known(signals: Mapping[str, float], tasks: Sequence[str]) -> dict[str, float]:
    norms = [max(signals[f"{task}/grad_norm"], 1e-12) for task in tasks]
    return {
        APART: fmean(value for name, value in signals.items() if name.endswith("/disentanglement")),
        COSINE: fmean(value for name, value in signals.items() if name.endswith("/cosine")),
        RATIO: float(np.log(max(norms) / min(norms))),
    }


def _values(lines: Lines, epoch: int) -> Mapping[str, float]:
    return lines[epoch]["values"] if epoch in lines else {}


def _alone(tasks: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, float]:
    """Metrics of the tasks alone: means over seeds, by key; those of a task of which one run has none are missing."""
    return {
        key: fmean(values[key] for values in seeds)
        for seeds in tasks
        for key in seeds[0]
        if all(key in v for v in seeds)
    }


def _delta_m(values: Mapping[str, float], alone: Mapping[str, float], directions: Mapping[str, str]) -> float:
    """Mean over metrics of minus the gaps to alone, in per cent; NaN where one is missing."""
    if any(key not in values or key not in alone for key in directions):
        return float("nan")
    columns = (pd.Series([of[key] for key in directions]) for of in (values, alone, directions))
    return float(-relative_gaps(*columns).mean(skipna=False))

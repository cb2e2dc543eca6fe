"""How much worse a task is in a multi-task training than alone, and Δm: from the table of `record` to per cents.

A gap is positive where the task is worse than alone. Δm is the mean over metrics of minus the gaps, so higher is
better, as in `lcode` and in arXiv 2509.23915 (most tables in the literature have the other sign).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lcode.errors import UsageError
from mtl_runs.studies.imbalance.plan import SINGLE, Purpose

SETTING = ["problem", "arch"]
"""Columns that name a setting."""

ZERO = 1e-8
"""A reference of at most this size counts as zero: a relative gap to it has no meaning."""


def relative_gaps(values: pd.Series, references: pd.Series, directions: pd.Series) -> pd.Series:
    """`100 · (value − reference) / |reference|` where smaller is better, its negative where larger is; in per cent.

    Args:
        values: of metrics.
        references: what they are compared with, in the same order.
        directions: `min` or `max`, in the same order.

    Raises:
        UsageError: a reference is zero.
    """
    if (references.abs() <= ZERO).any():
        raise UsageError("a single-task reference is 0: a gap to it in per cent has no meaning")
    sign = np.where(directions == "min", 1.0, -1.0)
    return 100 * sign * (values - references) / references.abs()


def chosen_singles(table: pd.DataFrame) -> list[str]:
    """Of the single-task trainings at several rates, the best of each task by validation: names of runs."""
    tried = table[(table["method"] == SINGLE) & (table["purpose"] == "select")].copy()
    means = tried.groupby([*SETTING, "metric"])["validation"].transform("mean")
    tried["gap"] = relative_gaps(tried["validation"], means, tried["direction"])
    per_run = tried.groupby([*SETTING, "label", "run"], sort=False)["gap"].mean()
    return [str(key[-1]) for key in per_run.groupby(level=[0, 1, 2], sort=False).idxmin()]


def chosen_references(table: pd.DataFrame, *, purpose: Purpose, split: str) -> pd.Series:
    """Single-task reference of each metric, at the task's best rate; by problem, architecture and metric.

    Args:
        table: of the study.
        purpose: `select` takes the training that was the best by validation, `report` the mean over its new seeds.
        split: `validation` or `test`.
    """
    singles = table[(table["method"] == SINGLE) & (table["purpose"] == purpose)]
    if purpose == "select":
        singles = singles[singles["run"].isin(chosen_singles(table))]
    return singles.groupby([*SETTING, "metric"])[split].mean()


def add_gaps(table: pd.DataFrame, references: pd.Series, *, split: str) -> pd.DataFrame:
    """The multi-task trainings with a column `gap`, in per cent.

    Args:
        table: of the study.
        references: from `chosen_references`.
        split: the column that is compared with them.
    """
    runs = table[table["method"] != SINGLE].join(references.rename("reference"), on=[*SETTING, "metric"])
    return runs.assign(gap=relative_gaps(runs[split], runs["reference"], runs["direction"]))


def gap_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per training and task: the mean `gap` of the task's metrics, its weight and its gradient norms.

    Args:
        runs: from `add_gaps`.
    """
    described = ["run", *SETTING, "method", "label", "lr", "seed", "purpose", "task"]
    return runs.groupby(described, sort=False)[["gap", "weight", "norm_early", "norm"]].mean().reset_index()


def per_run(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per training: `delta_m` in per cent, higher is better, and `worst`, the largest gap of a task.

    Args:
        runs: from `add_gaps`.
    """
    described = ["run", *SETTING, "method", "label", "lr", "seed", "purpose", "status"]
    groups = runs.groupby(described, sort=False)
    # A training that diverged has no values and must not get a Δm from those that are left.
    delta_m = -groups["gap"].agg(lambda gaps: gaps.mean(skipna=False))
    worst = gap_table(runs).groupby("run")["gap"].agg(lambda gaps: gaps.max(skipna=False))
    frame = delta_m.rename("delta_m").reset_index()
    return frame.assign(worst=frame["run"].map(worst))

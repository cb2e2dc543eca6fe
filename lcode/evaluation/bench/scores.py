"""The scores of one forecast: per metric and for Δm, over all test runs and over parts of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Objective, final_values, score_samples
from lcode.evaluation import metrics as measure
from lcode.evaluation.backtest import Exam
from lcode.evaluation.bench.sources import Problem
from lcode.forecast import LEVELS, Forecast, query_epochs, sample_quantiles
from lcode.table import RunTable
from lcode.table.groups import configuration_groups

DELTA_M = "delta_m"
"""Metric key of the relative gain over single-task references, in per cent."""

SETTLED = 300.0
"""A run with a metric that ended by more than so many per cent worse than its single-task reference blew up."""

SAMPLES = 512

MIN_RUNS = 4
"""A part with fewer runs is not scored: nothing can be said of ranks."""

Mask = NDArray[np.bool_]


def score_forecast(
    problem: Problem, test: RunTable, exam: Exam, forecast: Forecast
) -> Iterator[dict[str, float | str]]:
    """One record per metric and part of the test runs: `metric`, `subset` and the measures.

    Parts: `all`; `twins`, the runs with another seed of their configuration among the test runs; `learners`, those
    that ended below `Problem.learned_below`; `settled`, those whose every metric ended within `SETTLED` of its
    single-task reference, where there are references. There the Δm of the final values is scored as one more metric;
    runs that diverged have none and are left out. Nothing is clipped: a few runs that blew up can make most of a mean
    error over `all`.
    """
    truth = final_values(test)
    archs = [arch if isinstance(arch, str) else None for arch in test.runs["arch"]]
    parts = {"all": np.full(len(test), True), "twins": twin_of(test) >= 0}
    if problem.objective is not None:
        gains = [problem.objective.score(truth[:, [k]], [metric], archs) for k, metric in enumerate(test.metrics)]
        parts["settled"] = np.min(gains, axis=0) >= -SETTLED
        final = problem.objective.score(truth, test.metrics, archs)
        quantiles = _score_quantiles(forecast, problem.objective, archs)
        for subset, runs in _large(parts):
            yield {"metric": DELTA_M, "subset": subset, **_scalar_scores(final[runs], quantiles[runs])}
    for k, metric in enumerate(test.metrics):
        learners = {} if problem.learned_below is None else {"learners": truth[:, k] < problem.learned_below}
        for subset, runs in _large(parts | learners):
            yield {"metric": metric.key, "subset": subset, **exam.score(forecast, metric, runs)}


def _large(parts: dict[str, Mask]) -> Iterator[tuple[str, Mask]]:
    return ((name, runs) for name, runs in parts.items() if runs.sum() >= MIN_RUNS)


def twin_of(table: RunTable) -> NDArray[np.int64]:
    """Index of the next run of the same configuration, in a circle; -1 for a run that is alone, shape [R]."""
    groups = configuration_groups(table)
    order = np.argsort(groups, kind="stable")
    twins = np.full(len(table), -1, dtype=np.int64)
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) > 1:
            twins[members] = np.roll(members, -1)
    return twins


def twin_forecast(test: RunTable, exam: Exam) -> Forecast:
    """The curve of each run's twin as its forecast, NaN for a run without one.

    Args:
        test: whole runs.
        exam: made of them, with all their metrics.
    """
    epochs = query_epochs(exam.observed, exam.queries)
    twins = twin_of(test)
    values = np.full((len(test), len(test.metrics), epochs.shape[1]), np.nan)
    own = np.flatnonzero(twins >= 0)
    # A run and its twin are rows of the same curves: asked at the epochs of the run, read in the row of the twin.
    values[own] = exam.truth.rows(twins[own]).interpolate(epochs[own])
    return Forecast(
        run_ids=test.run_ids,
        metrics=test.metrics,
        epochs=epochs,
        quantiles=np.repeat(values[..., None], len(LEVELS), axis=-1),
        status=np.full((len(test), len(test.metrics)), "ok"),
        observed=np.repeat(exam.observed.last_epochs.to_numpy()[:, None], len(test.metrics), axis=1),
        horizons=test.runs["horizon"].to_numpy(np.int64),
        epoch_unit=test.epoch_unit,
    )


def _score_quantiles(forecast: Forecast, objective: Objective, archs: list[str | None]) -> NDArray[np.float64]:
    """The score's quantiles at `LEVELS`, from joint samples, shape [R, 21]."""
    return sample_quantiles(score_samples(forecast, objective, n=SAMPLES, seed=0, archs=archs), LEVELS).T


def _scalar_scores(truth: NDArray[np.float64], quantiles: NDArray[np.float64]) -> dict[str, float]:
    """The measures of one value per run, larger is better; truth [R], quantiles [R, 21]."""
    median = quantiles[:, int(np.argmin(np.abs(LEVELS - 0.5)))]
    known = np.isfinite(truth)
    covered = measure.coverage90(truth[:, None], quantiles[:, None])
    return {
        "final_mae": measure.final_mae(truth, median),
        "kendall": measure.kendall(truth, median),
        "spearman": measure.spearman(truth, median),
        "top1_regret": measure.top1_regret(truth, median, "max"),
        "top10_regret": measure.top10_regret(truth, median, "max"),
        "crps": measure.crps(truth[:, None], quantiles[:, None]),
        "coverage90": covered,
        "final_coverage90": covered,
        "curves": float((known & np.isfinite(median)).sum()),
        "diverged": float((~known).sum()),
        "not_forecast": float((known & ~np.isfinite(median)).sum()),
    }

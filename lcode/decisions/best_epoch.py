"""One best epoch for all tasks of a run: the epoch whose values the objective likes best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.objective import Objective
from lcode.table import Metric


def best_epoch_values(
    values: NDArray[np.float64],
    epochs: NDArray[np.int64],
    metrics: Sequence[Metric],
    objective: Objective,
    arch: str | None,
) -> NDArray[np.float64]:
    """Values of all metrics at the epoch of the best score, as LibMTL keeps its best model by Δm.

    Only epochs count at which every metric that has a say was measured. The later of equals is taken, and the last one
    where none is feasible.

    Args:
        values: curves of one run, or samples of them, [..., K, S]; NaN where there is no value.
        epochs: of each curve, [K, S], each at most once; they need not be those of the others.
        metrics: the K metrics.
        objective: scores the epochs.
        arch: architecture of the run, for its own references.

    Returns:
        [..., K]; NaN where no epoch counts.
    """
    measured = np.asarray(np.isfinite(values).reshape(-1, *epochs.shape).any(0))
    every = np.unique(epochs[measured])
    if not len(every):
        return np.full(values.shape[:-1], np.nan)
    aligned = np.full((*values.shape[:-2], len(every), len(metrics)), np.nan)
    for k, mine in enumerate(measured):
        aligned[..., np.searchsorted(every, epochs[k, mine]), k] = values[..., k, mine]
    scores = objective.score(aligned[..., None, :], metrics, [arch])[..., 0]
    # Infinite only after what is not known, so that an infeasible epoch is better than one without a score.
    order = np.where(np.isnan(scores), -np.inf, np.nan_to_num(scores, neginf=-np.finfo(float).max))
    last_best = len(every) - 1 - order[..., ::-1].argmax(-1)
    chosen = np.take_along_axis(aligned, last_best[..., None, None], -2)[..., 0, :]
    return np.where(np.isnan(scores).all(-1, keepdims=True), np.nan, chosen)

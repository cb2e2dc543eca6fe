"""Mixtures of forecasts given as quantiles: each part's distribution counts with its weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import LEVELS

Array = NDArray[np.float64]

MASS = np.linalg.solve(np.tril(np.ones((len(LEVELS),) * 2), -1) + np.eye(len(LEVELS)) / 2, LEVELS)
"""Probability that stands for each quantile of a forecast, so that each lies in the middle of its own, [21]."""

BLOCK = 4096
"""Cells at a time: bounds the memory."""


def mixture_quantiles(quantiles: Array, weights: Array) -> Array:
    """Quantiles of the mixture of E distributions in N cells.

    A mixture is wide where its parts disagree; an average of quantiles, level by level, is not. On `cifar10_cnn` with
    10, 30 and 199 finished runs its CRPS after calibration was 6, 4 and 3 % smaller, on TaskSet 1.4 %.

    Args:
        quantiles: finite, ascending in the last axis, [E, N, 21].
        weights: of the parts in each cell, non-negative with a positive sum, [E, N].

    Returns:
        [N, 21], ascending.
    """
    parts, cells, levels = quantiles.shape
    result = np.empty((cells, levels))
    for begin in range(0, cells, BLOCK):
        block = slice(begin, begin + BLOCK)
        atoms = quantiles[:, block].swapaxes(0, 1).reshape(-1, parts * levels)
        mass = (weights[:, block, None] * MASS).swapaxes(0, 1).reshape(-1, parts * levels)
        order = np.argsort(atoms, axis=-1)
        atoms, mass = np.take_along_axis(atoms, order, -1), np.take_along_axis(mass, order, -1)
        below = np.cumsum(mass, axis=-1)
        level = (below - mass / 2) / below[:, -1:]  # an atom stands in the middle of its mass
        right = np.stack([(level < wanted).sum(-1) for wanted in LEVELS], axis=-1)
        left, right = np.maximum(right - 1, 0), np.minimum(right, level.shape[1] - 1)
        begins, ends = np.take_along_axis(level, left, -1), np.take_along_axis(level, right, -1)
        share = np.clip((LEVELS - begins) / np.maximum(ends - begins, 1e-12), 0, 1)
        low, high = np.take_along_axis(atoms, left, -1), np.take_along_axis(atoms, right, -1)
        result[block] = low + share * (high - low)
    return result


def crps_terms(quantiles: Array, truth: Array) -> tuple[Array, Array]:
    """What the CRPS of a mixture is made of, for any weights w: w·a - w·B·w / 2, mean over N cells.

    Args:
        quantiles: of E parts, finite, [E, N, 21].
        truth: finite, [N].

    Returns:
        The parts' mean distance to the truth, a [E], and to each other, B [E, E]; see Gneiting and Raftery (2007),
        equation 21.
    """
    parts = len(quantiles)
    between = np.zeros((parts, parts))
    to_truth = (np.abs(quantiles - truth[:, None]) @ MASS).mean(-1)
    for i in range(parts):
        for j in range(i, parts):
            distance = np.abs(quantiles[i][:, :, None] - quantiles[j][:, None, :])
            between[i, j] = between[j, i] = (distance @ MASS @ MASS).mean()
    return to_truth, between

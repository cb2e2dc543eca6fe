"""The epochs at which a long future is forecast; in between forecasts are interpolated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 24
"""Epochs of a longer future at which a forecast is made."""


def node_epochs(asked: Array) -> Array:
    """The query epochs [R, Q] themselves, or `NODES` epochs of a longer future, close together early, [R, D]."""
    if asked.shape[1] <= NODES:
        return asked
    first, end = np.sqrt(asked.min(1, keepdims=True)), np.sqrt(asked.max(1, keepdims=True))
    return np.asarray((first + np.linspace(0, 1, NODES) * (end - first)) ** 2)


def at_queries(values: Array, nodes: Array, asked: Array) -> Array:
    """Values [R, K, D, L] at `node_epochs` [R, D], to the query epochs [R, Q], linear in the root of the epoch."""
    if nodes.shape == asked.shape:
        return values
    low, high = np.sqrt(nodes[:, :1]), np.sqrt(nodes[:, -1:])
    place = (np.sqrt(asked) - low) / np.maximum(high - low, 1e-9) * (nodes.shape[1] - 1)
    left = np.clip(place.astype(np.int64), 0, nodes.shape[1] - 2)
    share = np.clip(place - left, 0, 1)
    # As a product of matrices: several times faster than picking neighbours.
    matrix = np.zeros((*asked.shape, nodes.shape[1]))
    np.put_along_axis(matrix, left[..., None], (1 - share)[..., None], -1)
    np.put_along_axis(matrix, left[..., None] + 1, share[..., None], -1)
    return np.matmul(matrix[:, None], values)

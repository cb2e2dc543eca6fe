"""Quantiles of a trained network as a forecast needs them: by all members, or by the one that never saw a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.fitting.loop import Source
from lcode.models.lcgode import LCGODE
from lcode.tensors.batch import CurveBatch, GraphTensors, RunTensors
from lcode.tensors.own_scale import OwnScales

Array = NDArray[np.float64]

CHUNK = 256

MAX_DECODED = 24
"""A longer future is decoded at this many epochs and interpolated in between."""


def network_quantiles(
    model: LCGODE,
    runs: RunTensors,
    graphs: GraphTensors | None,
    task_of: Sequence[int],
    cutoffs: Array,
    asked: Array,
    own: OwnScales | None = None,
) -> Array:
    """The members' mean quantiles in the space of the metrics, [R, K, Q, 21].

    Args:
        model: the network.
        runs: R runs.
        graphs: the graphs that they point into.
        task_of: role number of each metric's task, [K].
        cutoffs: last epoch seen of each run, negative where nothing was, [R].
        asked: query epochs, [R, Q].
        own: puts curves on scales of their own, for a model that reads them so.
    """
    device = next(model.parameters()).device
    # With nothing observed the forecast starts one epoch before the first that could be.
    batch = CurveBatch(runs.to(device), torch.from_numpy(np.maximum(cutoffs, 0)).float().to(device))
    decoded = _decoded_epochs(asked)
    scale = None
    if own is not None:
        batch, scale = own.to(device)(batch)
    with torch.no_grad():
        tasks = torch.tensor(list(task_of), device=device)
        posterior, anchor = model.encode(batch, None if graphs is None else graphs.to(device), tasks)
        members = model(posterior, anchor, batch, torch.from_numpy(decoded).float().to(device))
    mean = members.mean(0).double()
    scaled = (mean if scale is None else scale.unscale(mean)).cpu().numpy()
    return scaled if decoded.shape == asked.shape else _interpolate_queries(scaled, decoded, asked)


@dataclass(frozen=True, eq=False)
class OutOfFoldNetwork:
    """Forecasts of training runs, each by the member that left it out.

    Attributes:
        model: the members.
        source: the runs and their folds.
    """

    model: LCGODE
    source: Source

    def __call__(self, rows: NDArray[np.int64], cutoff: int, epochs: Array) -> Array:
        """See `lcode.experts.committee.OutOfFoldForecast`."""
        return self.forecast(rows, np.full(len(rows), float(cutoff)), epochs)[0]

    def forecast(self, rows: NDArray[np.int64], cutoffs: Array, epochs: Array) -> tuple[Array, Array]:
        """Quantiles of n runs from their cutoffs [n] at epochs [n, Q], and their last values in model space.

        Returns:
            [n, K, Q, 21], NaN where every member has learned from the run, and [n, K].
        """
        device, members = self.source.folds.device, self.model.config.members
        parts, anchors = [], []
        for begin in range(0, len(rows), CHUNK):
            some = slice(begin, begin + CHUNK)
            index = torch.from_numpy(rows[some]).to(device)
            since = torch.from_numpy(np.maximum(cutoffs[some], 0)).float().to(device)
            batch, scale = CurveBatch(self.source.runs.rows(index), since), None
            if self.source.own is not None:
                batch, scale = self.source.own.to(device)(batch)
            with torch.no_grad():
                posterior, anchor = self.model.encode(batch, self.source.graphs, self.source.task_of)
                asked = torch.from_numpy(epochs[some]).float().to(device)
                quantiles = self.model(posterior, anchor, batch, asked).double()
            folds = self.source.folds[index]
            chosen = quantiles[folds.clamp(max=members - 1), torch.arange(len(index), device=device)]
            if scale is not None:
                chosen, anchor = scale.unscale(chosen), scale.last
            chosen[folds >= members] = torch.nan
            parts.append(chosen.cpu().numpy())
            anchors.append(anchor.double().cpu().numpy())
        return np.concatenate(parts), np.concatenate(anchors)


def _decoded_epochs(asked: Array) -> Array:
    """The epochs at which to decode: those asked for, or `MAX_DECODED` of a long future, close together early."""
    if asked.shape[1] <= MAX_DECODED:
        return asked
    first, end = np.sqrt(asked.min(1, keepdims=True)), np.sqrt(asked.max(1, keepdims=True))
    return (first + np.linspace(0, 1, MAX_DECODED) * (end - first)) ** 2


def _interpolate_queries(values: Array, at: Array, asked: Array) -> Array:
    """Values [B, K, D, 21] at epochs [B, D], equidistant in their roots, to epochs [B, Q], linear in the root."""
    low, high = np.sqrt(at[:, :1]), np.sqrt(at[:, -1:])
    place = (np.sqrt(asked) - low) / np.maximum(high - low, 1e-9) * (at.shape[1] - 1)
    left = np.clip(place.astype(np.int64), 0, at.shape[1] - 2)
    share = np.clip(place - left, 0, 1)
    # As a product of matrices: several times faster than picking neighbours.
    matrix = np.zeros((*asked.shape, at.shape[1]))
    np.put_along_axis(matrix, left[..., None], (1 - share)[..., None], -1)
    np.put_along_axis(matrix, left[..., None] + 1, share[..., None], -1)
    return np.matmul(matrix[:, None], values)

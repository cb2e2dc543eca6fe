"""Quantiles of a trained network as a forecast needs them: by all members, or by the one that never saw a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.batch import CurveBatch, GraphTensors, RunTensors
from lcode.curves.own_scale import OwnScales
from lcode.network.loop import Source
from lcode.network.model import LCGODE

Array = NDArray[np.float64]

CHUNK = 256


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
    with torch.inference_mode():
        # With nothing observed the forecast starts one epoch before the first that could be.
        batch = CurveBatch(runs.to(device), torch.from_numpy(np.maximum(cutoffs, 0)).float().to(device))
        scale = None
        if own is not None:
            batch, scale = own.to(device)(batch)
        tasks = torch.tensor(list(task_of), device=device)
        posterior, anchor = model.encode(batch, None if graphs is None else graphs.to(device), tasks)
        members = model(posterior, anchor, batch, torch.from_numpy(asked).float().to(device))
        mean = members.mean(0).double()
        return np.asarray((mean if scale is None else scale.unscale(mean)).cpu().numpy())


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
        """The same for runs that were all seen up to one cutoff."""
        return self.forecast(rows, np.full(len(rows), float(cutoff)), epochs)

    def forecast(self, rows: NDArray[np.int64], cutoffs: Array, epochs: Array) -> Array:
        """Quantiles in model space of n runs from their cutoffs [n] at epochs [n, Q], [n, K, Q, 21].

        NaN where every member has learned from the run.
        """
        device, members = self.source.folds.device, self.model.config.members
        parts = []
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
                chosen = scale.unscale(chosen)
            chosen[folds >= members] = torch.nan
            parts.append(chosen.cpu().numpy())
        return np.concatenate(parts)

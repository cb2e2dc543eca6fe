"""Where to cut training runs, and where to ask: drawn anew at every step, so that one model serves every epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.curves.batch import RunTensors

NOTHING_SEEN = 0.03
"""Share of training prefixes that are empty, so that a run can be forecast before its first epoch."""


def epoch_counts(runs: RunTensors) -> Tensor:
    """How many epochs of each run hold a value, [R], long."""
    return (runs.present.any(1) * torch.arange(1, runs.present.shape[-1] + 1, device=runs.epochs.device)).amax(-1)


def draw_cutoffs(runs: RunTensors, generator: torch.Generator) -> Tensor:
    """Index of the last epoch seen of each run, [B], long: drawn in proportion to 1 / (number of epochs seen).

    -1 means that nothing is seen. The last epoch is never drawn: something must be left to forecast.
    """
    count = epoch_counts(runs)
    places = torch.arange(runs.epochs.shape[1], device=runs.epochs.device)
    weight = (places < (count - 1).clamp(min=1)[:, None]) / (places + 1).float()
    drawn = torch.multinomial(weight, 1, generator=generator)[:, 0]
    nothing = torch.rand(len(count), generator=generator, dtype=torch.float32, device=weight.device) < NOTHING_SEEN
    return torch.where(nothing, -1, drawn)


def draw_queries(runs: RunTensors, cutoff_index: Tensor, queries: int, generator: torch.Generator) -> Tensor:
    """Indices of future epochs, the last one always among them, [B, Q], long."""
    last = epoch_counts(runs) - 1
    first = torch.minimum(cutoff_index + 1, last)
    share = torch.rand(len(last), queries, generator=generator, dtype=torch.float32, device=last.device)
    drawn = first[:, None] + (share * (last - first + 1)[:, None]).long()
    drawn[:, 0] = last
    return drawn.clamp(min=0)


def cutoff_epochs(runs: RunTensors, cutoff_index: Tensor) -> Tensor:
    """Epoch at each cutoff index, one before the first epoch where the index is -1, [B], float."""
    seen = runs.epochs.gather(1, cutoff_index.clamp(min=0)[:, None])[:, 0]
    return torch.where(cutoff_index >= 0, seen, runs.epochs[:, 0] - 1)


def values_at(runs: RunTensors, index: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled values and whether they exist, at epoch indices [B, Q]: two tensors [B, K, Q]."""
    place = index[:, None].expand(-1, runs.values.shape[1], -1)
    return runs.values.gather(-1, place), runs.present.gather(-1, place)

"""Reductions per member, for losses and tallies: a member's numbers never depend on the other members."""

from __future__ import annotations

import torch
from torch import Tensor


def histogram(bins: Tensor, n_bins: int, valid: Tensor | None = None) -> Tensor:
    """How often each member fell into each bin.

    Args:
        bins: int64 in 0..n_bins-1, [R, ...].
        n_bins: number of bins.
        valid: which entries count, [...]; None is all.

    Returns:
        float64 [R, n_bins].
    """
    members = len(bins)
    bins = bins.flatten(1) + n_bins * torch.arange(members, device=bins.device).unsqueeze(-1)
    if valid is not None:
        bins = bins[:, valid.flatten()]
    return torch.bincount(bins.flatten(), minlength=members * n_bins).view(members, n_bins).to(torch.float64)


def total(values: Tensor) -> Tensor:
    """Each member's sum over everything else, [R, B, ...] -> [R].

    In two stages, one sum per sample and then one over samples: a single large sum would be shared out among threads
    differently for one member than for many.
    """
    return values.flatten(2).sum(-1).sum(-1)


def mean_of_valid(values: Tensor, valid: Tensor) -> Tensor:
    """Each member's mean over the valid pixels of its batch; 0 where there is none.

    Args:
        values: [R, B, H, W].
        valid: bool, [R, B, H, W].

    Returns:
        [R].
    """
    return total(torch.where(valid, values, 0.0)) / valid.flatten(1).sum(-1).clamp(min=1)


def nan_unless_finite(outputs: Tensor) -> Tensor:
    """0 for a member whose outputs [R, ...] are all finite, else NaN, float64 [R, 1].

    Added to counts, which would otherwise hide that a run has diverged: the argmax of NaN is a class like any other.
    """
    finite = torch.isfinite(outputs).flatten(1).all(-1, keepdim=True)
    return torch.where(finite, 0.0, torch.nan).to(torch.float64)

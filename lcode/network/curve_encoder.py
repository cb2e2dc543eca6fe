"""From an irregular, masked prefix to a fixed-size summary of each curve."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lcode.curves.batch import OWN_FEATURES, CurveBatch
from lcode.network.stacked import StackedLinear, StackedMLP
from lcode.network.token_pooling import pool_tokens

TOKENS = 16
"""A prefix of any length is read as at most this many points."""

RECENT = 8
"""The last points are kept one by one; what came before is averaged in groups of equal count."""

WINDOWS = (3, 6, TOKENS)
"""Over how many of the last tokens trends are taken."""

POINT_FEATURES = 6
SUMMARY_FEATURES = 13 + OWN_FEATURES

EDGE = -7.0
"""Lower values are read as this one: a model of few runs, none of which learned, knows nothing of those that do, and
took them for runs that go up again. Their forecasts still begin where they are."""


def condense(batch: CurveBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Prefixes as tokens and hand-made summaries; the same for every member, so computed once per batch.

    Returns:
        tokens [B, K, 16, 6 + A], which of them are there [B, K, 16], the summaries [B, K, 21], and the last observed
        values [B, K] (0 = the mean of the training values, where nothing was observed).
    """
    observed = batch.observed
    runs = batch.runs
    count = observed.sum(-1)
    rank = observed.cumsum(-1) - 1  # 0 for the first observed point
    early = (count - RECENT).clamp(min=0)[..., None]
    width = torch.maximum(early, torch.full_like(early, TOKENS - RECENT))
    group = torch.div(rank * (TOKENS - RECENT), width, rounding_mode="floor")
    token = torch.where(rank >= early, TOKENS - (count[..., None] - rank), group).clamp(0, TOKENS - 1)

    log_epoch = torch.log1p(batch.times(runs.epochs))[:, None, :].expand_as(runs.values)
    share = (runs.epochs / runs.horizons[:, None])[:, None, :].expand_as(runs.values)
    values = runs.values.clamp(min=EDGE)
    columns = torch.stack([values, log_epoch, share, values**2], -1)
    columns = torch.cat([columns, runs.signals], -1) * observed[..., None]
    index = token[..., None].expand_as(columns)
    sums = columns.new_zeros(*columns.shape[:2], TOKENS, columns.shape[-1]).scatter_add_(2, index, columns)
    counts = columns.new_zeros(*columns.shape[:2], TOKENS).scatter_add_(2, token, observed.to(columns.dtype))
    mean = sums / counts.clamp(min=1)[..., None]
    there = counts > 0
    value, when, part, square = mean[..., :4].unbind(-1)

    last_index = (observed * torch.arange(1, observed.shape[-1] + 1, device=count.device)).argmax(-1)
    seen_any = count > 0
    anchor = runs.values.gather(-1, last_index[..., None])[..., 0] * seen_any
    last = anchor.clamp(min=EDGE)
    last_when = log_epoch.gather(-1, last_index[..., None])[..., 0] * seen_any
    spread = (square - value**2).clamp(min=0).sqrt()
    point = torch.stack([value, value - last[..., None], when / 5, when - last_when[..., None], part, spread], -1)
    tokens = torch.cat([point, mean[..., 4:]], -1) * there[..., None]

    big = torch.finfo(value.dtype).max
    lowest = torch.where(there, value, big).amin(-1).where(seen_any, last)
    highest = torch.where(there, value, -big).amax(-1).where(seen_any, last)
    cutoff_share = (batch.cutoffs / runs.horizons).clamp(0, 1)[:, None].expand_as(last)
    summary = torch.stack(
        [
            last,
            *_trends(value, when, there),
            lowest - last,
            highest - last,
            last_when / 5,
            cutoff_share,
            torch.log1p(batch.ends)[:, None].expand_as(last) / 5,
            torch.log1p(count.to(last.dtype)) / 5,
        ],
        -1,
    )
    marks = summary.new_zeros(*summary.shape[:-1], OWN_FEATURES) if batch.marks is None else batch.marks
    summary = torch.cat([summary, marks], -1)
    return tokens, there, summary, anchor


def _trends(value: Tensor, when: Tensor, there: Tensor) -> list[Tensor]:
    """For each of `WINDOWS` the mean less the last token, and the slope against log epoch (0 if fewer than two)."""
    place = torch.arange(TOKENS, device=value.device)
    inside = place >= TOKENS - torch.tensor(WINDOWS, device=value.device)[:, None]
    weight = (there[..., None, :] & inside).to(value.dtype)
    n = weight.sum(-1).clamp(min=1)
    v, t = value[..., None, :], when[..., None, :]
    v_mean, t_mean = (v * weight).sum(-1) / n, (t * weight).sum(-1) / n
    dt = (t - t_mean[..., None]) * weight
    slope = (dt * v).sum(-1) / (dt * dt).sum(-1).clamp(min=1e-3)
    ahead = (v_mean - value[..., -1:]) * there[..., -1:]
    return list(torch.stack([ahead, slope.clamp(-10, 10)], -1).flatten(-2).unbind(-1))


class CurveEncoder(nn.Module):
    """Attention pooling over the tokens of each curve, beside its summary: [M, B, K, H]."""

    def __init__(self, members: int, signals: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        queries = 2
        self.points = StackedMLP(members, (POINT_FEATURES + signals, hidden, hidden), generator)
        self.scores = StackedLinear(members, hidden, queries, generator)
        self.out = StackedMLP(members, (queries * hidden + SUMMARY_FEATURES, hidden, hidden), generator)

    def forward(self, tokens: Tensor, there: Tensor, summary: Tensor) -> Tensor:
        """Tokens [B, K, T, F], mask [B, K, T], summary [B, K, S] -> [M, B, K, H]."""
        inner, outer = self.points.linears
        scores = outer.weight @ self.scores.weight
        pooled = pool_tokens(tokens.flatten(0, 1), there.flatten(0, 1), inner.weight, inner.bias, scores)
        points = outer(pooled).flatten(-2).unflatten(1, there.shape[:2]) * there.any(-1)[..., None]
        return self.out(torch.cat([points, summary.expand(len(points), *summary.shape)], -1))

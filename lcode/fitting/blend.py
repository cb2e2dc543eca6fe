"""How much each part of a forecast counts: weights learned on forecasts of left-out runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.forecast import LEVELS

Array = NDArray[np.float64]

STEPS = 150

SHRINK = 4.0
"""In runs: with so many finished runs the data and the prior weights have about equal say."""


@dataclass(frozen=True)
class Blend:
    """Weights of the parts, by share of the horizon seen and by metric.

    Attributes:
        parts: names of the E parts.
        shares: ascending shares of the horizon at which the weights were learned, [S].
        weights: [S][K][E], each row non-negative with sum 1.
    """

    parts: tuple[str, ...]
    shares: tuple[float, ...]
    weights: tuple[tuple[tuple[float, ...], ...], ...]

    def mix(self, quantiles: Array, shares: Array) -> Array:
        """Average the parts' quantiles, level by level.

        Args:
            quantiles: in model space, [E, R, K, Q, 21]; a part that is NaN has no say there.
            shares: share of the horizon seen of each run, [R].

        Returns:
            [R, K, Q, 21]; NaN where every part is.
        """
        grid, table = np.sqrt(np.array(self.shares)), np.array(self.weights)
        place = np.clip(np.interp(np.sqrt(shares), grid, np.arange(len(grid))), 0, len(grid) - 1)
        left = np.minimum(place.astype(np.int64), max(len(grid) - 2, 0))
        right = np.minimum(left + 1, len(grid) - 1)
        t = (place - left)[:, None, None]
        weights = ((1 - t) * table[left] + t * table[right]).transpose(2, 0, 1)[..., None, None]  # [E, R, K, 1, 1]
        known = np.isfinite(quantiles)
        total = (weights * known).sum(0)
        mixed = (weights * np.where(known, quantiles, 0.0)).sum(0)
        return np.where(total > 0, mixed / np.where(total > 0, total, 1.0), np.nan)

    def mean_weights(self) -> dict[str, float]:
        """Mean weight of each part over prefixes and metrics."""
        mean = np.array(self.weights).mean(axis=(0, 1))
        return {part: float(weight) for part, weight in zip(self.parts, mean, strict=True)}

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"parts": self.parts, "shares": self.shares, "weights": self.weights}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        weights = tuple(tuple(tuple(float(w) for w in row) for row in rows) for rows in data["weights"])
        return cls(tuple(data["parts"]), tuple(float(s) for s in data["shares"]), weights)


def learn_blend(
    parts: Sequence[str],
    prior: Sequence[Sequence[float]],
    shares: Sequence[float],
    quantiles: Sequence[Array],
    truths: Sequence[Array],
) -> Blend:
    """Weights with the smallest pinball loss on left-out runs, drawn towards the prior weights.

    A metric's weights are drawn towards those of all metrics together, these towards the prior; the fewer runs, the
    more (`SHRINK`). The loss of a prefix and metric counts relative to that of the prior weights.

    Args:
        parts: names, E of them.
        prior: their weights where nothing is known, at each share, [S][E]; a part of weight 0 keeps it.
        shares: share of the horizon seen, [S].
        quantiles: left-out forecasts at each share, [E, N, K, Q, 21] in model space.
        truths: what came, NaN where unknown, [N, K, Q].
    """
    weights = [_learn(np.asarray(p, float), q, t) for p, q, t in zip(prior, quantiles, truths, strict=True)]
    rows = tuple(tuple(tuple(float(w) for w in row) for row in matrix) for matrix in weights)
    return Blend(tuple(parts), tuple(shares), rows)


def _learn(prior: Array, quantiles: Array, truth: Array) -> Array:
    """Weights at one prefix, [K, E]."""
    experts, runs, metrics = quantiles.shape[:3]
    levels = torch.from_numpy(LEVELS[::4])
    q, t = torch.from_numpy(quantiles[..., ::4].astype(float)), torch.from_numpy(truth)
    known = torch.isfinite(t) & torch.isfinite(q).all(-1).all(0)
    q, t = torch.nan_to_num(q), torch.nan_to_num(t)
    with np.errstate(divide="ignore"):
        start = torch.from_numpy(np.log(prior / prior.sum()))
    common = torch.zeros(experts, dtype=torch.float64, requires_grad=True)
    own = torch.zeros(metrics, experts, dtype=torch.float64, requires_grad=True)

    def losses(weights: torch.Tensor) -> torch.Tensor:
        error = t[..., None] - torch.einsum("ke,enkql->nkql", weights, q)
        pinball = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
        return (pinball * known).sum((0, 2)) / known.sum((0, 2)).clamp(min=1)

    with torch.no_grad():
        reference = losses(start.softmax(-1).expand(metrics, -1)).clamp(min=1e-12)
    optimiser = torch.optim.Adam([common, own], lr=0.1)
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        fit = (losses((start + common + own).softmax(-1)) / reference).mean()
        pull = (common**2).sum() + 3 * (own**2).sum() / metrics
        (fit + SHRINK / runs * pull).backward()
        optimiser.step()
    return (start + common + own).softmax(-1).detach().numpy()

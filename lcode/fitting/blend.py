"""How much each part of a forecast counts: weights learned on forecasts of left-out runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from lcode.fitting.mixture import crps_terms, mixture_quantiles
from lcode.fitting.shares import neighbours
from lcode.forecast import LEVELS

Array = NDArray[np.float64]

STEPS = 150

NODES = 24
"""Queries at which a mixture is taken exactly: it costs some thirty times as much as an average."""

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

    def mix(self, quantiles: Array, shares: Array, last: Array | None = None) -> Array:
        """The mixture of the parts.

        Where there are more than `NODES` queries, it is taken at so many of them; in between, its distance from the
        average of the parts' quantiles is interpolated.

        Args:
            quantiles: in model space, [E, R, K, Q, 21]; a part that is NaN has no say there.
            shares: share of the horizon seen of each run, [R].
            last: share of all weights that is moved to the last part, [R, K]; not to one that has no weight.

        Returns:
            [R, K, Q, 21]; NaN where every part is.
        """
        weights = self._at(shares)
        if last is not None:
            moved = np.where(weights[-1] > 0, last, 0.0)
            weights = (1 - moved) * weights
            weights[-1] += moved
        used = weights.any(axis=(1, 2))
        quantiles, weights = quantiles[used], weights[used]
        known = np.asarray(np.isfinite(quantiles).all(-1))
        weights = weights[..., None] * known  # [E, R, K, Q]
        total = weights.sum(0)
        filled = quantiles if known.all() else np.where(known[..., None], quantiles, 0.0)
        mean = np.einsum("erkq,erkql->rkql", weights / np.where(total > 0, total, 1.0), filled)
        queries = quantiles.shape[3]
        at = np.arange(queries)
        if queries > NODES:  # close together early, where curves bend
            at = np.unique(np.rint(np.linspace(0, np.sqrt(queries - 1), NODES) ** 2).astype(np.int64))
        cells = np.where(known[:, :, :, at, None], quantiles[:, :, :, at], mean[:, :, at])
        there = weights[:, :, :, at] + (total[:, :, at] == 0)
        mixed = mixture_quantiles(cells.reshape(len(cells), -1, len(LEVELS)), there.reshape(len(cells), -1))
        away = mixed.reshape(mean[:, :, at].shape) - mean[:, :, at]
        left = np.clip(np.searchsorted(at, np.arange(queries), side="right") - 1, 0, max(len(at) - 2, 0))
        right = np.minimum(left + 1, len(at) - 1)
        share = ((np.arange(queries) - at[left]) / np.maximum(at[right] - at[left], 1))[:, None]
        result = np.sort(mean + (1 - share) * away[:, :, left] + share * away[:, :, right], axis=-1)
        return np.where(total[..., None] > 0, result, np.nan)

    def _at(self, shares: Array) -> Array:
        """Weights at these shares of the horizon, [E, R, K]."""
        left, right, share = neighbours(shares, self.shares)
        table, t = np.array(self.weights), share[:, None, None]
        return ((1 - t) * table[left] + t * table[right]).transpose(2, 0, 1)

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
    prior: Sequence[ArrayLike],
    shares: Sequence[float],
    quantiles: Sequence[Array],
    truths: Sequence[Array],
    gains: Sequence[float] | None = None,
) -> Blend:
    """Weights with the smallest CRPS of the mixture on left-out runs, drawn towards the prior weights.

    A metric's weights are drawn towards those of all metrics together, these towards the prior; the fewer runs, the
    more (`SHRINK`). The loss of a prefix and metric counts relative to that of the prior weights.

    Args:
        parts: names, E of them.
        prior: their weights where nothing is known, at each share, [S][E] or [S][K][E]; a part of weight 0 keeps it.
        shares: share of the horizon seen, [S].
        quantiles: left-out forecasts at each share, [E, N, K, Q, 21] in model space.
        truths: what came, NaN where unknown, [N, K, Q].
        gains: CRPS of each part in a forecast over what it is on left-out runs, relative to each other, [E].
    """
    factors = np.ones(len(parts)) if gains is None else np.asarray(gains, float)
    terms = [_terms(q, t, factors) for q, t in zip(quantiles, truths, strict=True)]
    to_truth, between = (torch.from_numpy(np.stack(term)) for term in zip(*terms, strict=True))
    weights = _learn([np.asarray(p, float) for p in prior], to_truth, between, [q.shape[1] for q in quantiles])
    rows = tuple(tuple(tuple(float(w) for w in row) for row in matrix) for matrix in weights)
    return Blend(tuple(parts), tuple(shares), rows)


def _terms(quantiles: Array, truth: Array, gains: Array) -> tuple[Array, Array]:
    """The parts' mean distances to the truth and to each other at one prefix, see `crps_terms`: [K, E], [K, E, E]."""
    known = np.isfinite(truth) & np.isfinite(quantiles).all(-1).all(0)
    terms = [crps_terms(quantiles[:, :, k][:, known[:, k]], truth[:, k][known[:, k]]) for k in range(truth.shape[1])]
    to_truth, between = (np.nan_to_num(np.stack(term)) for term in zip(*terms, strict=True))
    alone = to_truth - between.diagonal(axis1=1, axis2=2) / 2  # the CRPS of each part by itself
    return to_truth + (gains - 1) * alone, between


def _learn(prior: Sequence[Array], to_truth: torch.Tensor, between: torch.Tensor, runs: Sequence[int]) -> Array:
    """Weights at S prefixes, [S, K, E], each with a loss of its own, all in the same steps.

    Args:
        prior: weights at each prefix, [E] or [K, E].
        to_truth: distances of the parts to the truth, [S, K, E].
        between: their distances to each other, [S, K, E, E].
        runs: left-out runs at each prefix, [S].
    """
    prefixes, metrics, experts = to_truth.shape
    with np.errstate(divide="ignore"):
        logs = [np.broadcast_to(np.log(p / p.sum(-1, keepdims=True)), (metrics, experts)) for p in prior]
    start, pull = torch.from_numpy(np.stack(logs)), SHRINK / torch.tensor(runs, dtype=torch.float64)
    common = torch.zeros(prefixes, 1, experts, dtype=torch.float64, requires_grad=True)
    own = torch.zeros(prefixes, metrics, experts, dtype=torch.float64, requires_grad=True)

    def losses(weights: torch.Tensor) -> torch.Tensor:
        pairs = (weights[..., None, :] @ between @ weights[..., None])[..., 0, 0]
        return (weights * to_truth).sum(-1) - pairs / 2

    with torch.no_grad():
        reference = losses(start.softmax(-1)).clamp(min=1e-12)
    optimiser = torch.optim.Adam([common, own], lr=0.1)
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        fit = (losses((start + common + own).softmax(-1)) / reference).mean(-1)
        drawn = (common**2).sum((1, 2)) + 3 * (own**2).sum((1, 2)) / metrics
        (fit + pull * drawn).sum().backward()
        optimiser.step()
    weights: Array = (start + common + own).softmax(-1).detach().numpy()
    return weights

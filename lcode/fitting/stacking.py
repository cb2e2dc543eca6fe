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

NEAR, FAR = 0.3, 0.7
"""Leads up to which, and from which on, one set of weights (and of widths) holds; in between they are interpolated."""

SHRINK = 2.0
"""In runs: with so many finished runs the data and the prior weights have about equal say.

With 10 to 100 finished runs, 4 had 4 % more CRPS on two workloads of AlgoPerf's design half and 1 % more on five tables
of LCBench's; 1 had 5 % less and the same, but intervals there covered .90 instead of .91 and .92.
"""

LEAST = 1e-6
"""Of a relative CRPS: where a part is exact there is nothing more to gain."""


@dataclass(frozen=True)
class Stacking:
    """Weights of the parts, by share of the horizon seen, by lead and by metric.

    Attributes:
        parts: names of the E parts.
        shares: ascending shares of the horizon at which the weights were learned, [S].
        weights: for near and for far queries (see `far`), [S][2][K][E], each row non-negative with sum 1.
    """

    parts: tuple[str, ...]
    shares: tuple[float, ...]
    weights: tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]

    def mix(self, quantiles: Array, shares: Array, leads: Array, last: Array | None = None) -> Array:
        """The mixture of the parts.

        Where there are more than `NODES` queries, it is taken at so many of them; in between, its distance from the
        average of the parts' quantiles is interpolated.

        Args:
            quantiles: in model space, [E, R, K, Q, 21]; a part that is NaN has no say there.
            shares: share of the horizon seen of each run, [R].
            leads: place of each query between cutoff (0) and horizon (1), [R, Q].
            last: share of all weights that is moved to the last part, [R, K]; not to one that has no weight.

        Returns:
            [R, K, Q, 21]; NaN where every part is.
        """
        weights = self._at(shares, leads)
        if last is not None:
            moved = np.where(weights[-1] > 0, last[..., None], 0.0)
            weights = (1 - moved) * weights
            weights[-1] += moved
        used = weights.any(axis=(1, 2, 3))
        quantiles, weights = quantiles[used], weights[used]
        known = np.asarray(np.isfinite(quantiles).all(-1))
        weights = weights * known  # [E, R, K, Q]
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

    def _at(self, shares: Array, leads: Array) -> Array:
        """Weights at these shares of the horizon and leads, [E, R, K, Q]."""
        left, right, share = neighbours(shares, self.shares)
        table, t, ahead = np.array(self.weights), share[:, None, None, None], far(leads)
        near_far = (1 - t) * table[left] + t * table[right]  # [R, 2, K, E]
        return np.einsum("trq,rtke->erkq", np.stack([1 - ahead, ahead]), near_far)

    def mean_weights(self) -> dict[str, float]:
        """Mean weight of each part over prefixes and metrics."""
        mean = np.array(self.weights).mean(axis=(0, 1, 2))
        return {part: float(weight) for part, weight in zip(self.parts, mean, strict=True)}

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"parts": self.parts, "shares": self.shares, "weights": self.weights}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        weights = np.array(data["weights"])
        if weights.ndim == 3:  # models of version 0.1: the same at all leads
            weights = np.stack([weights, weights], axis=1)
        return cls(tuple(data["parts"]), tuple(float(s) for s in data["shares"]), _as_tuples(weights))


def far(leads: Array) -> Array:
    """How far ahead a query lies: 0 up to the lead `NEAR`, 1 from `FAR` on, linear in between."""
    return np.clip((leads - NEAR) / (FAR - NEAR), 0, 1)


def learn_stacking(
    parts: Sequence[str],
    prior: Sequence[ArrayLike],
    shares: Sequence[float],
    leads: Sequence[Array],
    quantiles: Sequence[Array],
    truths: Sequence[Array],
    gains: Sequence[float] | None = None,
) -> Stacking:
    """Weights with the smallest CRPS of the mixture on left-out runs, drawn towards the prior weights.

    A metric's weights are drawn towards those of all metrics together, these towards the prior; the fewer runs, the
    more (`SHRINK`). What is minimised is the logarithm of the CRPS, as in the likelihood of an error's scale: a part
    that is ten times as good as the others needs few runs to be believed. Each query counts relative to the CRPS of the
    prior weights there, for errors grow with the lead, or shrink where all runs end alike.

    The CRPS is that of natural units, for the mixture has the same weights in any space, and users are told natural
    units. Model space stretches the range where most values lie: weights were right for the order of AlgoPerf's runs,
    which all end alike, and wrong for their values. With 10 to 100 finished runs of two workloads of its design half,
    natural units, the logarithm (alone: 2 %) and leads apart took 19 % off the CRPS and 25 % off the error of the final
    value; on five tables of LCBench's design half 1 %.

    Args:
        parts: names, E of them.
        prior: their weights where nothing is known, at each share, [S][E], or as `Stacking.weights`; a part of weight 0
            keeps it.
        shares: share of the horizon seen, [S].
        leads: place of each query between cutoff (0) and horizon (1) at each share, [N, Q].
        quantiles: left-out forecasts at each share, in natural units, [E, N, K, Q, 21].
        truths: what came, NaN where unknown, [N, K, Q].
        gains: CRPS of each part in a forecast over what it is on left-out runs, relative to each other, [E].
    """
    factors = np.ones(len(parts)) if gains is None else np.asarray(gains, float)
    metrics = truths[0].shape[1]
    start = np.stack([np.broadcast_to(np.asarray(p, float), (2, metrics, len(parts))) for p in prior])
    start = start / start.sum(-1, keepdims=True)
    terms = [_terms(*of_share, factors) for of_share in zip(start, leads, quantiles, truths, strict=True)]
    to_truth, between = (torch.from_numpy(np.stack(term)) for term in zip(*terms, strict=True))
    weights = _learn(start, to_truth, between, [truth.shape[0] for truth in truths])
    return Stacking(tuple(parts), tuple(shares), _as_tuples(weights))


def _terms(prior: Array, leads: Array, quantiles: Array, truth: Array, gains: Array) -> tuple[Array, Array]:
    """What the relative CRPS of near and of far queries is made of, see `crps_terms`: [2, K, E] and [2, K, E, E]."""
    experts, _, metrics, queries = quantiles.shape[:4]
    known = np.isfinite(truth) & np.isfinite(quantiles).all(-1).all(0)
    to_truth, between = np.zeros((2, metrics, experts)), np.zeros((2, metrics, experts, experts))
    ahead = far(leads.mean(0))
    # Where no query is near, or none far, all of them speak for that end too.
    counts = [of_end if of_end.any() else np.ones(queries) for of_end in (1 - ahead, ahead)]
    for k, q in np.ndindex(metrics, queries):
        rows = known[:, k, q]
        if not rows.any():
            continue
        a, b = crps_terms(quantiles[:, rows, k, q], truth[rows, k, q])
        a = a + (gains - 1) * (a - b.diagonal() / 2)  # the latter is the CRPS of each part by itself
        for end, count in enumerate(counts):
            w = prior[end, k]
            usual = max(w @ a - w @ b @ w / 2, np.finfo(float).tiny)
            to_truth[end, k] += count[q] * a / usual
            between[end, k] += count[q] * b / usual
    return to_truth, between


def _learn(prior: Array, to_truth: torch.Tensor, between: torch.Tensor, runs: Sequence[int]) -> Array:
    """Weights at S prefixes for near and far queries, [S, 2, K, E], each with a loss of its own, in the same steps.

    Args:
        prior: weights, rows sum to 1, [S, 2, K, E].
        to_truth: distances of the parts to the truth, [S, 2, K, E].
        between: their distances to each other, [S, 2, K, E, E].
        runs: left-out runs at each prefix, [S].
    """
    prefixes, ends, metrics, experts = prior.shape
    with np.errstate(divide="ignore"):
        start = torch.from_numpy(np.log(prior))
    pull = SHRINK / torch.tensor(runs, dtype=torch.float64)[:, None]
    common = torch.zeros(prefixes, ends, 1, experts, dtype=torch.float64, requires_grad=True)
    own = torch.zeros(prefixes, ends, metrics, experts, dtype=torch.float64, requires_grad=True)

    def losses(weights: torch.Tensor) -> torch.Tensor:
        pairs = (weights[..., None, :] @ between @ weights[..., None])[..., 0, 0]
        return (weights * to_truth).sum(-1) - pairs / 2

    with torch.no_grad():
        reference = losses(start.softmax(-1)).clamp(min=1e-12)
    optimiser = torch.optim.Adam([common, own], lr=0.1)
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        fit = (losses((start + common + own).softmax(-1)) / reference).clamp(min=LEAST).log().mean(-1)
        drawn = (common**2).sum((2, 3)) + 3 * (own**2).sum((2, 3)) / metrics
        (fit + pull * drawn).sum().backward()
        optimiser.step()
    weights: Array = (start + common + own).softmax(-1).detach().numpy()
    return weights


def _as_tuples(weights: Array) -> tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]:
    return tuple(tuple(tuple(tuple(row) for row in of_end) for of_end in ends) for ends in weights.tolist())

"""How much each base model counts: weights learned on forecasts of runs that the models had not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lcode.ensemble.leads import far
from lcode.ensemble.mixture import crps_terms, mixture_quantiles
from lcode.ensemble.names import IN_CONTEXT, PRETRAINED, RELATED
from lcode.ensemble.settings import SETTINGS

Array = NDArray[np.float64]

LEAST = 1e-6
"""Of a relative CRPS: where a base model is exact there is nothing more to gain."""

TINY = float(np.finfo(np.float64).tiny)
"""Of a CRPS: all models may be exact."""


@dataclass(frozen=True, eq=False)
class Stacking:
    """Weights of E base models for K metrics.

    Attributes:
        weights: for near and for far queries (see `far`), [2, K, E], each row non-negative with sum 1.
    """

    weights: Array

    @classmethod
    def prior(cls, names: Sequence[str], alike: Array, share: float) -> Self:
        """Weights before the left-out runs have spoken, at this share of the horizon.

        All alike, which is hard to beat where little is known (Timmermann 2006, Forecast combinations); but the
        pretrained network, which has read many curves and knows nothing else, counts less while there is none to read,
        and more once there is. Related runs count as they are the more, the more they end as the own ones do.

        Args:
            names: of the base models.
            alike: share of the own runs that ended where related ones did, of each metric, [K]; see `Beside`.
            share: of the horizon that was seen.
        """
        seasoned = SETTINGS.seasoned ** (2 * min(share / SETTINGS.ripe, 1) - 1)
        special = {PRETRAINED: seasoned, IN_CONTEXT: SETTINGS.examples, RELATED: SETTINGS.alike * alike**4}
        weights = np.stack([np.broadcast_to(special.get(name, 1.0), alike.shape) for name in names], axis=-1)
        return cls(np.broadcast_to(weights / weights.sum(-1, keepdims=True), (2, *weights.shape)))

    def mix(self, quantiles: Array, leads: Array, moved: Array | None = None) -> Array:
        """The mixture of the base models.

        Args:
            quantiles: in model space, [E, R, K, Q, 21]; a model that is NaN has no say there.
            leads: place of each query between cutoff (0) and horizon (1), [R, Q].
            moved: share of all weights that goes to each of the models instead, [R, K, E]; None: nothing.

        Returns:
            [R, K, Q, 21]; NaN where every model is.
        """
        ahead = far(leads)
        known = np.asarray(np.isfinite(quantiles).all(-1))
        weights = np.einsum("trq,tke->erkq", np.stack([1 - ahead, ahead]), self.weights)
        if moved is not None:
            weights = (1 - moved.sum(-1))[..., None] * weights + np.moveaxis(moved, -1, 0)[..., None]
        weights = weights * known
        some = weights.sum(0) > 0
        cells = np.where(known[..., None], quantiles, 0.0)[:, some]
        result = np.full(quantiles.shape[1:], np.nan)
        result[some] = mixture_quantiles(cells, weights[:, some])
        return result

    def learned(self, leads: Array, quantiles: Array, truth: Array) -> Self:
        """Weights with the smallest CRPS of the mixture on left-out runs, drawn towards these weights.

        A metric's weights are drawn towards those of all metrics together, these towards `self`; the fewer runs, the
        more (`shrink`). What is minimised is the logarithm of the CRPS, as in the likelihood of an error's scale: a
        model that is ten times as good as the others needs few runs to be believed. Each query counts relative to the
        CRPS that `self` has there, for errors grow with the lead, or shrink where all runs end alike; and a run counts
        the less, the more its own exceeds the median one, for a run that nobody foresaw would else decide alone (the
        CRPS of finals fell by 7 % on AlgoPerf's design half with 30 runs, by 0 to 3 % on tables of LCBench's, which the
        in-context network had not seen).

        Args:
            leads: place of each query between cutoff (0) and horizon (1), [N, Q].
            quantiles: left-out forecasts, [E, N, K, Q, 21]. In natural units: a mixture has the same weights in any
                space, and these are what users are told. Model space stretches the range where most values lie; its
                weights were right for the order of AlgoPerf's runs, which all end alike, and wrong for their values.
            truth: what came, NaN where unknown, [N, K, Q].
        """
        to_truth, between = self._terms(leads, quantiles, truth)
        prior = np.log(np.maximum(self.weights, TINY))
        shape, count = self.weights.shape, self.weights.size
        common = shape[0] * shape[2]
        pull = SETTINGS.shrink / max(len(truth), 1)
        usual = np.maximum(_crps(self.weights, to_truth, between), TINY)
        there = (to_truth > 0).any(-1)  # a metric may have no truth at all

        def loss(x: Array) -> tuple[float, Array]:
            shared, own = x[:common].reshape(shape[0], 1, shape[2]), x[common:].reshape(shape)
            weights = _softmax(prior + shared + own)
            relative = _crps(weights, to_truth, between) / usual
            inside = there & (relative > LEAST)
            slope = to_truth - np.einsum("tkef,tkf->tke", between, weights)
            slope = slope / usual[..., None] / np.maximum(relative, LEAST)[..., None] * inside[..., None] / shape[1]
            slope = weights * (slope - (weights * slope).sum(-1, keepdims=True))
            value = np.where(there, np.log(np.maximum(relative, LEAST)), 0.0).sum() / shape[1]
            value += pull * ((shared**2).sum() + 3 * (own**2).sum() / shape[1])
            down = [slope.sum(1) + 2 * pull * shared[:, 0], slope + 6 * pull * own / shape[1]]
            return float(value), np.concatenate([part.ravel() for part in down])

        found = minimize(loss, np.zeros(common + count), jac=True, method="L-BFGS-B").x
        return type(self)(
            _softmax(prior + found[:common].reshape(shape[0], 1, shape[2]) + found[common:].reshape(shape))
        )

    def _terms(self, leads: Array, quantiles: Array, truth: Array) -> tuple[Array, Array]:
        """What the relative CRPS of near and far queries is made of, see `crps_terms`: [2, K, E] and [2, K, E, E]."""
        models, _, metrics, queries = quantiles.shape[:4]
        known = np.isfinite(truth) & np.isfinite(quantiles).all(-1).all(0)
        to_truth, between = np.zeros((2, metrics, models)), np.zeros((2, metrics, models, models))
        ahead = far(leads.mean(0))
        # Where no query is near, or none far, all of them speak for that end too.
        counts = [of_end if of_end.any() else np.ones(queries) for of_end in (1 - ahead, ahead)]
        for k, q in np.ndindex(metrics, queries):
            rows = known[:, k, q]
            if not rows.any():
                continue
            a, b = crps_terms(quantiles[:, rows, k, q], truth[rows, k, q])
            for end, count in enumerate(counts):
                weights = self.weights[end, k]
                usual = a @ weights - np.einsum("e,nef,f->n", weights, b, weights) / 2
                says = 1 / (1 + usual / max(np.median(usual), TINY))
                if says @ usual > TINY:  # or else these weights are exact already
                    share = count[q] * says / (says @ usual)
                    to_truth[end, k] += share @ a
                    between[end, k] += np.einsum("n,nef->ef", share, b)
        return to_truth, between


def _crps(weights: Array, to_truth: Array, between: Array) -> Array:
    """CRPS of mixtures, [2, K]."""
    pairs = np.einsum("tke,tkef,tkf->tk", weights, between, weights)
    return np.asarray((weights * to_truth).sum(-1) - pairs / 2)


def _softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))

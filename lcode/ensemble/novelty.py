"""Runs that are unlike every finished one: what was learned from a few finished runs does not cover them.

Where no finished run had failed to learn, a run that stands still at chance level is forecast to learn after all, by
the adapted network and by the regressors; the pretrained network, which has seen such curves elsewhere, knows better.
With 30 finished runs of `cifar10_cnn`, none of which had failed, leaning on it took a quarter off the CRPS at 8 of 40
epochs (two divisions). Where all runs end alike, however they stand now, it is wrong: on four workloads of AlgoPerf's
design half it cost 31 % in all cases, and costs 16 % since the left-out runs are asked how far to do it; LCBench's
design half gained 0.5 % (two tables; 10 and 30 runs, 5 and 20 %).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.curves.prefix import Known
from lcode.ensemble.mixture import crps

Array = NDArray[np.float64]

STILL, BLUR = 0.01, 0.05
"""In model space: movement below which runs stand equally still, and what is added to the deviation of a trait, since
where all finished runs have the same a little more is not far."""

USUAL = 0.9
"""Quantile of the finished runs' distances to their nearest other one: so far from the next is not unusual yet."""

NEAR, FAR = 1.0, 3.0
"""In usual distances: up to where what was learned from the finished runs counts in full, and from where least."""

MOST, BELIEF = 0.9, 0.75
"""Share of the weights that goes to the pretrained network at most, and the probability that this is right before any
left-out run has spoken."""


class Novelty:
    """How unlike runs are to N finished ones, in where they stand and how much they still move.

    Only runs that stand worse than half of the finished ones are judged: one that is ahead of all goes on as those that
    are nearly as far.

    Args:
        known: what was known of the finished runs.
        folds: fold of each.
    """

    def __init__(self, known: Known, folds: NDArray[np.int64]) -> None:
        self._traits, self._folds = _traits(known), folds
        there = _or_zero(self._traits)
        self._scale = np.nanstd(there, axis=0) + BLUR
        self._middle = np.nanmedian(there[..., 0], axis=0)
        next_one = self._nearest(self._traits, np.eye(len(folds), dtype=bool))
        usual = np.nanquantile(_or_zero(np.where(np.isfinite(next_one), next_one, np.nan)), USUAL, axis=0)
        self._usual = np.maximum(usual, 1e-9)

    def of(self, known: Known) -> Array:
        """Share of the weights that may go to the pretrained network, of R runs, 0 to `MOST`, [R, K]."""
        traits = _traits(known)
        return self._score(traits, self._nearest(traits, None))

    def out_of_fold(self) -> Array:
        """The same of the finished runs, each beside those of the other folds, [N, K]."""
        return self._score(self._traits, self._nearest(self._traits, self._folds[:, None] == self._folds))

    def _score(self, traits: Array, nearest: Array) -> Array:
        judged = (traits[..., 0] > self._middle) & np.isfinite(nearest)
        far = np.clip((np.where(judged, nearest, 0.0) / self._usual - NEAR) / (FAR - NEAR), 0, 1)
        return np.where(judged, MOST * np.nan_to_num(far), 0.0)

    def _nearest(self, traits: Array, apart: NDArray[np.bool_] | None) -> Array:
        """Distance of runs [R, K, 2] to the nearest finished one, but for those of `apart` [R, N], [R, K]."""
        away = (traits[:, None] - self._traits[None]) / self._scale
        distance = np.sqrt((away**2).sum(-1))
        distance = np.where(np.isfinite(distance), distance, np.inf)
        return (distance if apart is None else np.where(apart[..., None], np.inf, distance)).min(1)


def belief(novelty: Array, plain: Array, leaning: Array, truth: Array) -> float:
    """Probability, from left-out runs, that leaning on the pretrained network is right.

    The logarithm of the ratio of two CRPS counts like that of two likelihoods, once for each run and metric.

    Args:
        novelty: of the runs, [N, K]; only those that are unlike the others speak.
        plain: forecasts without leaning, in natural units, [N, K, Q, 21].
        leaning: with it.
        truth: what came, NaN where unknown, [N, K, Q].
    """
    without, with_it = crps(plain, truth), crps(leaning, truth)
    known = np.isfinite(without) & np.isfinite(with_it) & (novelty > 0)[..., None]
    tiny = np.finfo(float).tiny
    ratio = np.where(known, np.log(np.maximum(with_it, tiny) / np.maximum(without, tiny)), 0.0)
    evidence = (ratio.sum(-1) / np.maximum(known.sum(-1), 1)).sum()
    odds = BELIEF / (1 - BELIEF) * np.exp(np.clip(-evidence, -30, 30))
    return float(odds / (1 + odds))


def _traits(known: Known) -> Array:
    """Last values, and the logarithm of how far these lie from the mean of the later half of the prefix, [R, K, 2]."""
    return np.stack([known.last, np.log(np.abs(known.curves[..., 4]) + STILL)], axis=-1)


def _or_zero(values: Array) -> Array:
    """The values [N, …], with 0 where none of the N is known."""
    return np.where(np.isfinite(values).any(0), values, 0.0)

"""Runs that are unlike every finished one: what was learned from a few finished runs does not cover them.

Where no finished run had failed to learn, a run that stands still at chance level is forecast to learn after all, by
the adapted network and by the regressors; the pretrained network, which has seen such curves elsewhere, knows better.
Where all runs end alike, however they stood at first, the pretrained network is wrong, and a forest of values, which
cannot leave the range of what came, is right. See `Leaning` for what decides between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.prefix import Known
from lcode.ensemble.mixture import crps
from lcode.ensemble.settings import SETTINGS

Array = NDArray[np.float64]

STILL, BLUR = 0.01, 0.05
"""In model space: movement below which runs stand equally still, and what is added to the deviation of a trait, since
where all finished runs have the same a little more is not far."""


class Novelty:
    """How unlike runs are to N finished ones, in where they stand and how much they still move.

    Only runs that stand worse than half of the finished ones are judged: one that is ahead of all goes on as those that
    are nearly as far.

    Args:
        known: what was known of the finished runs.
        folds: fold of each.
        slope: of the line from their last values to their ends, 0 to 1, [K].
    """

    def __init__(self, known: Known, folds: NDArray[np.int64], slope: Array) -> None:
        self._traits, self._folds, self._slope = _traits(known), folds, slope
        there = _or_zero(self._traits)
        self._scale = np.nanstd(there, axis=0) + BLUR
        self._middle = np.nanmedian(there[..., 0], axis=0)
        next_one = self._nearest(self._traits, np.eye(len(folds), dtype=bool))
        usual = np.nanquantile(_or_zero(np.where(np.isfinite(next_one), next_one, np.nan)), SETTINGS.usual, axis=0)
        self._usual = np.maximum(usual, 1e-9)

    def of(self, known: Known) -> Array:
        """Share of the weights that may go elsewhere, of R runs, 0 to `SETTINGS.yields`, [R, K]."""
        traits = _traits(known)
        return self._score(traits, self._nearest(traits, None))

    def out_of_fold(self) -> Array:
        """The same of the finished runs, each beside those of the other folds, [N, K]."""
        return self._score(self._traits, self._nearest(self._traits, self._folds[:, None] == self._folds))

    def stays(self, known: Known) -> Array:
        """Probability that what sets R runs apart lasts to the end, rather than that they end as all others, [R, K].

        Within the range of the finished runs' last values it is the slope; of a run that lies far beyond, in their
        deviations, the slope says nothing, and either is as likely.
        """
        return self._stays(_traits(known))

    def stays_out_of_fold(self) -> Array:
        """The same of the finished runs, [N, K]."""
        return self._stays(self._traits)

    def _stays(self, traits: Array) -> Array:
        beyond = np.nan_to_num((traits[..., 0] - np.nanmax(_or_zero(self._traits[..., 0]), axis=0)) / self._scale[:, 0])
        return 0.5 + (self._slope - 0.5) / (1 + np.maximum(beyond, 0.0))

    def _score(self, traits: Array, nearest: Array) -> Array:
        judged = (traits[..., 0] > self._middle) & np.isfinite(nearest)
        far = np.clip((np.where(judged, nearest, 0.0) / self._usual - 1) / (SETTINGS.unlike - 1), 0, 1)
        return np.where(judged, SETTINGS.yields * np.nan_to_num(far), 0.0)

    def _nearest(self, traits: Array, apart: NDArray[np.bool_] | None) -> Array:
        """Distance of runs [R, K, 2] to the nearest finished one, but for those of `apart` [R, N], [R, K]."""
        away = (traits[:, None] - self._traits[None]) / self._scale
        distance = np.sqrt((away**2).sum(-1))
        distance = np.where(np.isfinite(distance), distance, np.inf)
        return (distance if apart is None else np.where(apart[..., None], np.inf, distance)).min(1)


@dataclass(frozen=True, eq=False)
class Leaning:
    """By which base models runs are forecast that are unlike every finished one.

    Three ways are possible: as all runs, by the weights of the stacking; by the pretrained network, if what sets them
    apart lasts; by the forest of values, if they end as all others. A run's probabilities are those of `Novelty.stays`,
    with `SETTINGS.belief` for the latter two together, times what left-out runs say of each.

    On the design half neither the slope alone, nor how far apart finished runs end, nor the distance between the two
    forecasts tells runs that fail for good (in `cells`) from those that catch up (in AlgoPerf), so both have a say.

    Attributes:
        towards: where the weights go, if what is different lasts and if it does not, [2, E].
        likelihood: of both beside that of the stacking's weights, [2].
    """

    towards: Array
    likelihood: Array

    @classmethod
    def learned(
        cls,
        towards: Array,
        unlike: Array,
        mix: Callable[[NDArray[np.int64], Array | None], Array],
        truth: Array,
    ) -> Self:
        """Learned from left-out runs.

        Args:
            towards: see there.
            unlike: how unlike the runs are to those of other folds, [N, K].
            mix: left-out forecasts in natural units of the runs in these R rows, [R, K, Q, 21], with these shares of
                the weights moved, [R, K, E].
            truth: what came, NaN where unknown, [N, K, Q].
        """
        rows, ways = np.flatnonzero(unlike.any(1)), np.flatnonzero(towards.any(1))
        likelihood = np.ones(len(towards))
        if len(rows) and len(ways):
            unlike, truth, plain = unlike[rows], truth[rows], mix(rows, None)
            for way in ways:
                moved = mix(rows, unlike[..., None] * towards[way])
                likelihood[way] = _likelihood(unlike, plain, moved, truth)
        return cls(towards, likelihood)

    def moved(self, unlike: Array, stays: Array) -> Array | None:
        """Shares of the weights that go elsewhere, of R runs by `Novelty`, [R, K, E]; None: nothing."""
        if not unlike.any() or not self.towards.any():
            return None
        belief = SETTINGS.belief
        ways = belief * np.stack([stays, 1 - stays], axis=-1) * self.towards.any(1) * self.likelihood
        return unlike[..., None] * (ways / (1 - belief + ways.sum(-1, keepdims=True))) @ self.towards


def _likelihood(novelty: Array, plain: Array, other: Array, truth: Array) -> float:
    """Likelihood of other forecasts beside that of plain ones, by the runs [N, K] that are unlike the others.

    The logarithm of the ratio of two CRPS counts like that of two likelihoods, once for each run and metric. All
    [N, K, Q, 21] but for the truth [N, K, Q].
    """
    without, with_it = crps(plain, truth), crps(other, truth)
    known = np.isfinite(without) & np.isfinite(with_it) & (novelty > 0)[..., None]
    tiny = np.finfo(float).tiny
    ratio = np.where(known, np.log(np.maximum(with_it, tiny) / np.maximum(without, tiny)), 0.0)
    evidence = (ratio.sum(-1) / np.maximum(known.sum(-1), 1)).sum()
    return float(np.exp(np.clip(-evidence, -30, 30)))


def _traits(known: Known) -> Array:
    """Last values, and the logarithm of how far these lie from the mean of the later half of the prefix, [R, K, 2]."""
    return np.stack([known.last, np.log(np.abs(known.curves[..., 4]) + STILL)], axis=-1)


def _or_zero(values: Array) -> Array:
    """The values [N, …], with 0 where none of the N is known."""
    return np.where(np.isfinite(values).any(0), values, 0.0)

"""Runs as tokens: what is known of each, on the scale of other runs that have finished.

A network that reads finished runs as examples (`lcode.network.in_context`) must not depend on the unit of a metric, nor
on how far apart the runs of a problem end. So everything is told relative to where the examples went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.curves.common_settings import COMMON_SETTINGS
from lcode.curves.prefix import CURVE, OTHERS, SIDE, SIGNALS, Evidence, Known
from lcode.regressors.kernel_regression import KernelRegression

Array = NDArray[np.float64]

POINTS = 8
"""A prefix is read at so many points, close together early, where curves bend; the last is the last."""

VIEWS = ((SIDE,), (CURVE, SIDE), (CURVE, OTHERS, SIGNALS, SIDE))
"""Blocks of what is known of a run that a Gaussian process reads: what was known beforehand says most at first, the
curve later, and how much the rest says is different from problem to problem."""

_BEFOREHAND = VIEWS.index((SIDE,))
"""Place of the process that does not read the curve."""

ANCHORS = 1 + len(VIEWS)
"""Values near which a run may end: its last, and what each process expects."""

FEATURES = 2 * POINTS + 7 + 2 * len(COMMON_SETTINGS) + 6 + 2 * len(VIEWS)
"""Numbers of a token beside what came of its run."""

_SPREAD = (0.16, 0.84)
"""Quantiles of the examples' values that lie two units apart."""

_LEAST = 1e-3
"""Of a scale, in model space: examples may all have ended alike."""

_FAR = 4.0
"""Units beyond which a setting or a standing counts as no further away."""


def seen_shares(cutoff: int, horizons: NDArray[np.int64]) -> Array:
    """Shares of the horizons [R] that lie behind a cutoff, 0 before the first epoch, [R]."""
    return np.clip(max(cutoff, 0) / np.maximum(horizons, 1), 0, 1)


@dataclass(frozen=True, eq=False)
class Prefixes:
    """What is known of R runs in one metric at their cutoffs.

    Attributes:
        points: `POINTS` of the curve in model space, the last of them its last value; NaN where nothing was seen,
            [R, POINTS].
        seen: evaluations so far, [R].
        shares: share of the horizon that was seen, [R].
        settings: places of `COMMON_SETTINGS` within the sweep, 0 where one is unknown, [R, P].
        evidence: all that is known of the runs.
    """

    points: Array
    seen: NDArray[np.int64]
    shares: Array
    settings: Array
    evidence: Evidence

    @classmethod
    def of(cls, known: Known, metric: int, cutoff: int, horizons: NDArray[np.int64]) -> Prefixes:
        """Of one metric of what is known at a cutoff."""
        shares = seen_shares(cutoff, horizons)
        evidence = known.evidence(metric)
        return cls.thinned(known.points[:, metric], known.seen[:, metric], shares, known.settings, evidence)

    @classmethod
    def thinned(
        cls, points: Array, seen: NDArray[np.int64], shares: Array, settings: Array, evidence: Evidence
    ) -> Prefixes:
        """Of all points of the curves, NaN beyond those there are, [R, S]; for the others see the attributes."""
        count = np.isfinite(points).sum(1)
        place = np.rint(np.geomspace(1, np.maximum(count, 1), POINTS, axis=1)).astype(np.int64) - 1
        return cls(np.take_along_axis(points, place, axis=1), seen, shares, settings, evidence)

    def __len__(self) -> int:
        return len(self.points)

    def rows(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Prefixes:
        """These runs only."""
        points, seen, shares, settings = self.points[index], self.seen[index], self.shares[index], self.settings[index]
        return Prefixes(points, seen, shares, settings, self.evidence.rows(index))


class Tokens(NamedTuple):
    """Runs as seen from N examples, for each of J leads.

    Attributes:
        features: [J, R, FEATURES].
        anchors: values on the examples' scale near which a run may end, see `ANCHORS`, [J, R, A]. The last value is 0
            where nothing was seen.
    """

    features: Array
    anchors: Array


@dataclass(frozen=True, eq=False)
class ExampleScale:
    """The scale of a metric at J leads, by what came of N examples.

    Attributes:
        examples: what was known of them.
        leads: places between cutoff (0) and horizon (1), [J].
        centre: median of what came, in model space, [J].
        unit: half the distance that two thirds of it lie within, [J].
        processes: what each of `VIEWS` says of what came, or of the change since the last value if it has the curve.
    """

    examples: Prefixes
    leads: Array
    centre: Array
    unit: Array
    processes: Sequence[KernelRegression]

    @classmethod
    def of(cls, examples: Prefixes, came: Array, leads: Array) -> ExampleScale:
        """Of N examples with values [N, J] in model space, all finite, at leads [J]."""
        low, high = np.quantile(came, _SPREAD, axis=0)
        known = np.where(np.isfinite(examples.points), examples.points, came[:, -1:])
        whole = max(np.ptp(np.concatenate([known, came], axis=1)), 0.0)
        unit = np.maximum.reduce([(high - low) / 2, 0.25 * came.std(0), np.full(came.shape[1], 0.02 * whole + _LEAST)])
        centre = np.median(came, axis=0)
        scale = cls(examples, leads, centre, unit, ())
        target, last = scale.scaled(came), scale._curves(examples)[..., -1].T  # [N, J]; 0 where nothing was seen
        parts = [(examples.evidence.blocks(*view), target - last * (CURVE in view)) for view in VIEWS]
        return replace(scale, processes=[KernelRegression.fit(part.values, part.columns, y) for part, y in parts])

    def scaled(self, values: Array) -> Array:
        """Values [..., J] in model space on this scale."""
        return np.asarray(np.arcsinh((values - self.centre) / self.unit))

    def unscaled(self, scaled: Array) -> Array:
        """The inverse of `scaled`, for [J, ...]: leads come first."""
        shape = (-1, *[1] * (scaled.ndim - 1))
        return np.asarray(np.sinh(scaled) * self.unit.reshape(shape) + self.centre.reshape(shape))

    def example_tokens(self) -> Tokens:
        """The examples as tokens; of what came of each its processes have not learned."""
        return self._tokens(self.examples, [process.out_of_fold() for process in self.processes])

    def tokens(self, runs: Prefixes) -> Tokens:
        """R runs as tokens."""
        parts = [runs.evidence.blocks(*view).values for view in VIEWS]
        said = [process.predict(part) for process, part in zip(self.processes, parts, strict=True)]
        return self._tokens(runs, said)

    def _tokens(self, runs: Prefixes, said: Sequence[tuple[Array, Array]]) -> Tokens:
        """Of R runs with mean and deviation by each process, [R, J]."""
        theirs, own = self._curves(self.examples), self._curves(runs)
        last, among = own[..., -1], np.sort(theirs[..., -1], axis=1)
        below = np.stack([np.searchsorted(row, values) for row, values in zip(among, last, strict=True)])
        deviation = theirs[..., -1].std(1, keepdims=True) + _LEAST
        standing = np.clip((last - theirs[..., -1].mean(1, keepdims=True)) / deviation, -_FAR, _FAR)
        moved = own - last[..., None]
        reach = np.abs(moved).max(-1) + _LEAST
        steps = np.diff(own, axis=-1).std(-1)
        begun = np.broadcast_to(runs.seen > 0, last.shape)
        curve = [
            own,
            moved / reach[..., None],
            np.stack(
                [
                    own[..., -3:].mean(-1),
                    own.min(-1),
                    np.log(steps + 1e-4) / 4,
                    np.log(reach),
                    2 * below / len(self.examples) - 1,
                    standing,
                    np.ones_like(last),
                ],
                axis=-1,
            ),
        ]
        told = np.concatenate(curve, axis=-1) * begun[..., None]
        mean, sure = (np.stack(parts, axis=-1).swapaxes(0, 1) for parts in zip(*said, strict=True))
        mean = mean + last[..., None] * np.array([CURVE in view for view in VIEWS])
        # Of a change since the last value nothing follows for a run that has none.
        mean, sure = (np.where(begun[..., None], part, part[..., _BEFOREHAND, None]) for part in (mean, sure))
        expected = np.concatenate([mean, np.log(sure + _LEAST)], axis=-1)
        anchors = np.concatenate([(last * begun)[..., None], mean], axis=-1)
        parts = [told, self._settings(runs), self._when(runs), expected]
        return Tokens(np.concatenate(parts, axis=-1), anchors)

    def _curves(self, runs: Prefixes) -> Array:
        """Prefixes on the scale of each lead, [J, R, POINTS]; 0 where nothing was seen."""
        scaled = np.arcsinh((runs.points - self.centre[:, None, None]) / self.unit[:, None, None])
        return np.where(np.isfinite(scaled), scaled, 0.0)

    def _settings(self, runs: Prefixes) -> Array:
        """Settings as compared with the examples', and which of them vary, [J, R, 2 P]."""
        theirs = self.examples.settings
        deviation = theirs.std(0)
        varies = deviation > 1e-6
        place = np.clip((runs.settings - theirs.mean(0)) / np.maximum(deviation, 0.2), -_FAR, _FAR)
        both = np.concatenate([place * varies, np.broadcast_to(varies, place.shape)], axis=1)
        return np.broadcast_to(both, (len(self.leads), *both.shape))

    def _when(self, runs: Prefixes) -> Array:
        """How much was seen, of how many examples and how far ahead, [J, R, 6]."""
        seen = np.maximum(runs.seen, 1).astype(np.float64)
        total = np.maximum(seen / np.maximum(runs.shares, 1e-4), seen)
        ahead = self.leads[:, None]
        parts = [
            np.log(seen) / 2,
            2 * runs.shares - 1,
            np.full(len(runs), np.log(len(self.examples)) / 2 - 1.5),
            np.log(total) / 2 - 1.5,
            2 * ahead - 1,
            np.log(1 + ahead * (total / seen - 1)),
        ]
        shape = (len(self.leads), len(runs))
        return np.stack([np.broadcast_to(part, shape) for part in parts], axis=-1)

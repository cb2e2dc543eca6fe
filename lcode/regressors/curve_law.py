"""A law of learning curves whose coefficients depend on the configuration and are each run's own.

    y(t) = c + a₁ · g₁(S(t)) + a₂ · g₂(S(t)) - b · Σ_k f_k · (1 - (1 + C · r_k^-γ · (S(t) - S_k))^-β)

S is the training behind epoch t, counted in epochs at the highest learning rate; g are power laws of it, scaled to fall
from 1 at the start to 0 at the end of a training, a slow and a fast one, so that runs may learn at their own speed; f_k
is a fall of the rate, at S_k, to r_k. It is the multi-power law of Luo et al. (ICLR 2025, arXiv 2503.12811, eq. 5).
Where rates are constant, or not known, the last term is left out.

Exponents are common to all runs. The coefficients (c, a₁, a₂, b) have a Gaussian prior over the runs: what is common to
all, a Gaussian process over the configuration, and an own part. A run is forecast from the finished runs, the nearer
its configuration the more, and from its points so far: one whose rate has not fallen yet borrows from those whose did.
Everything is conjugate, so there is nothing to iterate; exponents and scales are chosen by the marginal likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POWERS = ((0.15, 0.8), (0.3, 1.2), (0.5, 2.0))
"""Slow and fast exponents that are tried: power laws fitted to single curves have 0.1 to 2."""

SPEEDS, DECAY, BEND = (10.0, 100.0, 1000.0), 0.5, 0.5
"""Values of C, per length of a training, that are tried; β and γ."""

LENGTHS, SHARES, SPREADS, NOISES = (0.3, 1.0, 3.0), (0.5, 0.9), (0.1, 0.3, 1.0), (0.5,)
"""What is tried of the share of the variance between runs that the configuration explains, of the standard deviations
of a₁, a₂ and b as shares of their means, and of the noise as a share of what one law for all runs leaves."""

POINTS_COUNTED = 8.0
"""A curve counts as so many points at most: deviations from the law last, they are not drawn anew at each point."""

MOST_RUNS, MOST_TRIED = 100, 24
"""So many runs are learned from, and choices are made on so many: the cost grows with the cube of their number."""


class Falls(NamedTuple):
    """Falls of the learning rate of R runs, M each: how far, to which rate, and S when it fell; each [R, M]."""

    size: Array
    after: Array
    when: Array

    def rows(self, chosen: NDArray[np.int64]) -> Falls:
        """Those of these runs only."""
        return Falls(self.size[chosen], self.after[chosen], self.when[chosen])


class Curves(NamedTuple):
    """Points of R curves: S [R, T], values [R, T] (NaN: no point), falls of the rate, and the configuration [R, P]."""

    passed: Array
    values: Array
    falls: Falls
    side: Array

    def rows(self, chosen: NDArray[np.int64]) -> Curves:
        """These curves only."""
        return Curves(self.passed[chosen], self.values[chosen], self.falls.rows(chosen), self.side[chosen])


class Shape(NamedTuple):
    """What is common to all runs: the exponents, and the length of a training, in the unit of S as `offset` is."""

    powers: tuple[float, float]
    speed: float
    offset: float
    length: float

    def terms(self, falls: Falls, passed: Array) -> Array:
        """What c, a₁ and a₂ are multiplied with, and b where a rate falls, [R, T, 3 or 4]."""
        columns = [np.ones_like(passed), *(self._left(passed, power) for power in self.powers)]
        if self.speed:
            columns.append(-self._gained(falls, passed))
        return np.stack(columns, axis=-1)

    def _left(self, passed: Array, power: float) -> Array:
        """1 at the start, 0 at the end of a training, [R, T]."""
        start, end = self.offset**-power, (self.length + self.offset) ** -power
        return ((np.maximum(passed, 0.0) + self.offset) ** -power - end) / (start - end)

    def _gained(self, falls: Falls, passed: Array) -> Array:
        """What the falls gained until S, per unit of b, [R, T]; 0 before the first one."""
        since = np.maximum(passed[:, None, :] - falls.when[..., None], 0.0) / self.length
        pace = self.speed * np.maximum(falls.after, 1e-3) ** -BEND
        return (falls.size[..., None] * (1.0 - (1.0 + pace[..., None] * since) ** -DECAY)).sum(1)


class _Scales(NamedTuple):
    """Scales of the prior; see the constants of these names."""

    length: float
    share: float
    spread: float
    noise: float


_FIRST = _Scales(1.0, 0.9, 0.3, 0.5)
"""Those at which exponents are compared."""


class CurveLaw:
    """The law, learned from N curves.

    Args:
        curves: at least two points of each.
        offset: what is added to S, in its unit: the mean distance of two points.
        shape: the exponents; default: the likeliest.

    Attributes:
        shape: the exponents.
    """

    def __init__(self, curves: Curves, offset: float, shape: Shape | None = None) -> None:
        curves = curves.rows(_evenly(len(curves.values), MOST_RUNS))
        self._middle = float(np.nanmean(curves.values))
        some = curves.rows(_evenly(len(curves.values), MOST_TRIED))
        shapes = [shape] if shape is not None else _shapes(some, offset)
        tried = [_Problem.of(some, one, self._middle) for one in shapes]
        best = int(np.argmax([problem.likelihood(_FIRST) for problem in tried]))
        self.shape = shapes[best]
        self._posterior = _Problem.of(curves, self.shape, self._middle).posterior(tried[best].chosen())

    def predict(self, curves: Curves, queries: Array) -> tuple[Array, Array]:
        """Mean and variance of R curves at S = `queries` [R, Q], given their points so far; each [R, Q]."""
        known = np.isfinite(curves.values)
        weight, rows = _weights(known), self.shape.terms(curves.falls, curves.passed)
        noise = self._posterior.noise
        mean, covariance = self._posterior.prior(curves.side)
        gram = np.einsum("rt,rtp,rtq->rpq", weight, rows, rows) / noise
        values = np.where(known, curves.values - self._middle, 0.0)
        away = np.einsum("rt,rtp,rt->rp", weight, rows, values) / noise - (gram @ mean[..., None])[..., 0]
        posterior = np.linalg.inv(np.linalg.inv(covariance) + gram)
        own = mean + (posterior @ away[..., None])[..., 0]
        at = self.shape.terms(curves.falls, queries)
        return self._middle + (at @ own[..., None])[..., 0], np.einsum("rqi,rij,rqj->rq", at, posterior, at) + noise


def _shapes(curves: Curves, offset: float) -> list[Shape]:
    """The exponents that are tried."""
    ends = np.where(np.isfinite(curves.values), curves.passed, 0.0).max(axis=1)
    length = max(float(np.median(ends)), 1e-9)
    speeds = SPEEDS if curves.falls.size.any() else (0.0,)
    return [Shape(powers, speed, offset, length) for speed in speeds for powers in POWERS]


@dataclass(frozen=True, eq=False)
class _Problem:
    """N curves in sufficient statistics of their C terms.

    Attributes:
        gram, cross, square: weighted products of terms with terms [N, C, C], terms with values [N, C], values [N].
        count: points counted, [N].
        common: coefficients of one law for all curves but for their c, [C].
        left: variance that it leaves.
        between: standard deviation of the curves' means.
        apart: squared distances of the configurations by group of columns, [N, N, G].
        side: the configurations by group, see `_by_group`.
    """

    gram: Array
    cross: Array
    square: Array
    count: Array
    common: Array
    left: float
    between: float
    apart: Array
    side: Array

    @classmethod
    def of(cls, curves: Curves, shape: Shape, middle: float) -> _Problem:
        known = np.isfinite(curves.values)
        weight, values = _weights(known), np.where(known, curves.values - middle, 0.0)
        rows, count = shape.terms(curves.falls, curves.passed), weight.sum(1)
        share = weight / np.maximum(count, 1e-9)[:, None]
        level = (share * values).sum(1)
        inner = rows[..., 1:] - np.einsum("nt,ntp->np", share, rows[..., 1:])[:, None]
        rest = values - level[:, None]
        square = np.einsum("nt,ntp,ntq->pq", weight, inner, inner)
        common = np.linalg.solve(
            square + np.diag(1e-3 * np.diag(square) + 1e-9), np.einsum("nt,ntp,nt->p", weight, inner, rest)
        )
        left = float((weight * (rest - inner @ common) ** 2).sum() / max(count.sum(), 1.0))
        return cls(
            np.einsum("nt,ntp,ntq->npq", weight, rows, rows),
            np.einsum("nt,ntp,nt->np", weight, rows, values),
            (weight * values**2).sum(1),
            count,
            np.concatenate([[0.0], common]),
            max(left, 1e-8),
            float(level.std()) + 1e-3,
            _apart(curves.side, curves.side),
            curves.side,
        )

    def chosen(self) -> _Scales:
        """The likeliest scales."""
        grid = [_Scales(*scales) for scales in product(LENGTHS, SHARES, SPREADS, NOISES)]
        return max(grid, key=self.likelihood)

    def likelihood(self, scales: _Scales) -> float:
        """Marginal likelihood of the curves, log, but for a constant."""
        system = self._system(scales)
        reached = np.linalg.solve(system.inner, system.prior @ system.away)
        rest = self.square - 2 * self.cross @ self.common + self.common @ self.gram @ self.common
        spent = np.linalg.slogdet(system.inner)[1] + self.count.sum() * np.log(system.noise)
        return float(-0.5 * (rest.sum() / system.noise - system.away @ reached + spent))

    def posterior(self, scales: _Scales) -> _Posterior:
        """What is known of the coefficients of all curves."""
        system = self._system(scales)
        sides = np.column_stack([system.prior, system.prior @ system.away])
        reached = np.asarray(np.linalg.solve(system.inner, sides), dtype=np.float64)
        # By Woodbury, with P the precision and K the prior: (K + P⁻¹)⁻¹ = P - P (1 + K P)⁻¹ K P.
        away = system.away - system.weighed(reached[:, -1:].T)[0]
        matrix = system.weighed(system.weighed(reached[:, :-1]).T).T
        precision = system.weighed(np.eye(len(matrix)))
        return _Posterior(
            self.common, system.own, system.shared, system.noise, scales, self.side, away, precision - matrix
        )

    def _system(self, scales: _Scales) -> _System:
        """The equations that both solve."""
        size, terms = self.cross.shape
        own, shared = self._variances(scales)
        noise = self.left * scales.noise
        kernel = scales.share * np.exp(-0.5 * self.apart / scales.length**2) + (1 - scales.share) * np.eye(size)
        prior = np.kron(kernel, np.diag(own)) + np.kron(np.ones((size, size)), np.diag(shared))
        away = (self.cross - self.gram @ self.common).ravel() / noise
        system = _System(own, shared, noise, prior, self.gram / noise, away, prior)
        return system._replace(inner=np.eye(terms * size) + system.weighed(prior))

    def _variances(self, scales: _Scales) -> tuple[Array, Array]:
        """Variances of the coefficients between runs, and of what is common to all, each [C]."""
        size = self.between + np.abs(self.common[1:3]).sum()
        fallen = np.abs(self.common[3:]) + 0.01 * size
        own = np.array([self.between, scales.spread * size, scales.spread * size, *(scales.spread * fallen)])
        shared = np.array([1.0, size, size, *fallen]) * 0.5
        return own**2, shared**2 + 1e-6


class _System(NamedTuple):
    """Variances, noise, the prior covariance K of all coefficients, blocks of their precision P, and 1 + K P."""

    own: Array
    shared: Array
    noise: float
    prior: Array
    blocks: Array
    away: Array
    inner: Array

    def weighed(self, rows: Array) -> Array:
        """Rows times P, [S, N · C]."""
        size, terms = self.blocks.shape[:2]
        return np.einsum("sna,nab->snb", rows.reshape(len(rows), size, terms), self.blocks).reshape(len(rows), -1)


class _Posterior(NamedTuple):
    common: Array
    own: Array
    shared: Array
    noise: float
    scales: _Scales
    side: Array
    away: Array
    matrix: Array

    def prior(self, side: Array) -> tuple[Array, Array]:
        """Mean [R, C] and covariance [R, C, C] of the coefficients of runs of which the configuration is known."""
        kernel = self.scales.share * np.exp(-0.5 * _apart(side, self.side) / self.scales.length**2)
        cross = np.einsum("rn,pq->rpnq", kernel, np.diag(self.own)) + np.diag(self.shared)[:, None, :]
        cross = cross.reshape(len(kernel), len(self.own), -1)
        covariance = np.diag(self.own + self.shared) - cross @ self.matrix @ cross.transpose(0, 2, 1)
        covariance = (covariance + covariance.transpose(0, 2, 1)) / 2 + 1e-9 * np.eye(len(self.own))
        return self.common + cross @ self.away, covariance


def _weights(known: NDArray[np.bool_]) -> Array:
    """Weight of each point, [R, T]: a curve's sum to its number of points, to `POINTS_COUNTED` at most."""
    count = known.sum(1, keepdims=True)
    return known * (np.minimum(count, POINTS_COUNTED) / np.maximum(count, 1))


def _apart(left: Array, right: Array) -> Array:
    """Mean squared differences over the columns of two configurations, [R, N]."""
    return ((left[:, None] - right[None]) ** 2).sum(-1) / max(left.shape[1], 1)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of the rows, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))

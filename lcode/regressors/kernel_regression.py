"""Gaussian process regression with a kernel of fixed shape: what it says of a run takes one decomposition to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LENGTHS = (0.5, 1.0, 2.0)
"""Length scales of the smooth part, of which none is chosen: in units in which two rows lie about √2 apart."""

LINEAR, OFFSET = 0.5, 10.0
"""Variance of the linear part and of the constant, that of the smooth part is 1."""

NOISES = np.array([0.03, 0.1, 0.3, 1.0, 3.0])
"""Variances of the noise, of which the one is taken that makes left-out rows most likely."""

FAR = 4.0
"""Standard deviations from the mean beyond which a feature counts as no further away."""

LEAST = 1e-6
"""Of a standard deviation, in the larger of 1 and the mean: a feature that varies by less says nothing."""

_LARGEST = 1e100
"""Of a feature: the square of more is no number."""


@dataclass(frozen=True, eq=False)
class Columns:
    """What P columns of a matrix are.

    Attributes:
        groups: columns of one number count together as one, [P].
        blocks: groups of one number count together as one: a block of many has no more say than a block of one, [P].
    """

    groups: NDArray[np.int64]
    blocks: NDArray[np.int64]

    def weights(self, varies: NDArray[np.bool_]) -> Array:
        """Factors of the columns, [P]; 0 for those that do not vary."""
        share = np.zeros(len(varies))
        for block in np.unique(self.blocks[varies]):
            there = varies & (self.blocks == block)
            groups, columns = np.unique(self.groups[there], return_inverse=True)
            share[there] = 1 / np.bincount(columns)[columns] / len(groups)
        return np.sqrt(share / max(share.sum(), 1.0))


@dataclass(frozen=True, eq=False)
class KernelRegression:
    """The posterior of J outputs by N rows (Rasmussen & Williams 2006, equations 2.25, 2.26 and 5.10 to 5.12).

    Noise and amplitude of each output are those under which left-out rows are likeliest; nothing else is chosen.

    Attributes:
        centre, deviation, weights: what brings a row to the kernel's scale, each [P].
        rows: the training rows on it, [N, P].
        vectors: eigenvectors of the kernel matrix, [N, N].
        inverse: one over eigenvalue and noise, [N, J].
        noise: variance of the noise, in squares of `amplitude`, [J].
        amplitude: standard deviation of the smooth part, [J].
        outputs: [N, J].
    """

    centre: Array
    deviation: Array
    weights: Array
    rows: Array
    vectors: Array
    inverse: Array
    noise: Array
    amplitude: Array
    outputs: Array

    @classmethod
    def fit(cls, features: Array, columns: Columns, outputs: Array) -> Self:
        """Learn N rows [N, P], and their outputs [N, J]."""
        features = np.clip(features, -_LARGEST, _LARGEST)
        centre, deviation = features.mean(0), features.std(0)
        varies = deviation > LEAST * np.maximum(np.abs(centre), 1)
        deviation, weights = np.where(varies, deviation, 1.0), columns.weights(varies)
        rows = _placed(features, centre, deviation, weights)
        values, vectors = np.linalg.eigh(_kernel(rows, rows))
        inverse = 1 / (np.maximum(values, 0)[:, None] + NOISES)  # [N, noises]
        turned = vectors.T @ outputs
        precision = vectors**2 @ inverse  # of a left-out row, [N, noises]
        weighed = (turned[:, :, None] * inverse[:, None]).reshape(len(rows), -1)
        away = (vectors @ weighed).reshape(len(rows), -1, len(NOISES)) / precision[:, None]
        amplitude = (away**2 * precision[:, None]).mean(0)  # [J, noises]
        score = np.log(np.maximum(amplitude, LEAST**2)) - np.log(precision).mean(0)
        best = score.argmin(1)
        chosen = np.sqrt(np.maximum(np.take_along_axis(amplitude, best[:, None], axis=1)[:, 0], LEAST**2))
        return cls(centre, deviation, weights, rows, vectors, inverse[:, best], NOISES[best], chosen, outputs)

    def out_of_fold(self) -> tuple[Array, Array]:
        """Mean and standard deviation of each training row, learned from the others: each [N, J].

        But for noise and amplitude, which are chosen with it: of ten rows the deviation is a tenth too small.
        """
        precision = self.vectors**2 @ self.inverse
        away = self.vectors @ (self.inverse * (self.vectors.T @ self.outputs)) / precision
        return self.outputs - away, self.amplitude / np.sqrt(precision)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of R rows: [R, P] to [R, J], [R, J]."""
        rows = _placed(features, self.centre, self.deviation, self.weights)
        turned = _kernel(rows, self.rows) @ self.vectors
        mean = turned @ (self.inverse * (self.vectors.T @ self.outputs))
        own = OFFSET + 1 + LINEAR * (rows**2).sum(1)
        variance = own[:, None] + self.noise - turned**2 @ self.inverse
        return mean, self.amplitude * np.sqrt(np.maximum(variance, self.noise))


def _placed(features: Array, centre: Array, deviation: Array, weights: Array) -> Array:
    return np.asarray(np.clip((features - centre) / deviation, -FAR, FAR) * weights)


def _kernel(rows: Array, others: Array) -> Array:
    """[R, N]; variance 1 of the smooth part, the mean of several."""
    inner = rows @ others.T
    apart = np.maximum((rows**2).sum(1)[:, None] + (others**2).sum(1) - 2 * inner, 0)
    smooth = np.mean([np.exp(-apart / (2 * length**2)) for length in LENGTHS], axis=0)
    return np.asarray(OFFSET + LINEAR * inner + smooth)

"""A response surface of second order, learned across problems (Box & Wilson 1951): numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RIDGE = 0.02
"""Penalty of the squared weights, beside squared errors of unit variance per problem: ten times less or five times more
ranks the runs of left-out problems of the design half no better."""


@dataclass(frozen=True, eq=False)
class ResponseSurface:
    """Response = constant + linear + squares + products of two features, as differences from other rows' mean.

    Attributes:
        weights: of the features, then of the squares and products (`_terms`), [S + S (S + 1) / 2].
    """

    weights: Array

    @classmethod
    def learned(cls, problems: Sequence[tuple[Array, Array, float]]) -> Self:
        """Ridge regression over problems.

        Args:
            problems: of each, the features of N rows [N, S], the response [N], and how much the problem counts.
        """
        terms = [(_terms(features), response, weight) for features, response, weight in problems]
        width = terms[0][0].shape[1]
        total = sum(weight for *_, weight in terms)
        squares, products = np.zeros((width, width)), np.zeros(width)
        for row, response, weight in terms:
            centred = row - row.mean(0)
            share = weight / total / len(row)
            squares += share * centred.T @ centred
            products += share * centred.T @ (response - response.mean())
        return cls(np.asarray(np.linalg.solve(squares + RIDGE * np.eye(width), products), dtype=np.float64))

    def above_mean(self, features: Array, others: Array) -> Array:
        """By how much the response to rows [R, S] is above the mean of that to others [N, S], [R]."""
        return (_terms(features) - _terms(others).mean(0)) @ self.weights

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"weights": self.weights.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(np.asarray(data["weights"], dtype=np.float64))


def _terms(features: Array) -> Array:
    first, second = np.triu_indices(features.shape[1])
    return np.concatenate([features, features[:, first] * features[:, second]], axis=1)

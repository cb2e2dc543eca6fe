"""How much the pretrained network's intervals are widened where no run has finished: one set for any metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lcode.ensemble.conformal import scaled_from_median
from lcode.ensemble.leads import far

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Widths:
    """Factors by the share of the horizon seen, and how lasting errors are.

    Attributes:
        shares: ascending shares of the horizon seen, [S].
        factors: log of what the distance from the median is multiplied by, for near and for far queries, [S][2].
        persistence: see `Forecast`.
    """

    shares: tuple[float, ...] = (0.0,)
    factors: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    persistence: float = 0.9

    def widen(self, quantiles: Array, shares: Array, leads: Array) -> Array:
        """Apply the factors; between the shares they are interpolated over the roots.

        Args:
            quantiles: in model space, [R, K, Q, 21].
            shares: share of the horizon seen, [R].
            leads: place of each query between cutoff (0) and horizon (1), [R, Q].
        """
        near, out = (
            np.interp(np.sqrt(shares), np.sqrt(self.shares), column) for column in zip(*self.factors, strict=True)
        )
        ahead = far(leads)
        return scaled_from_median(quantiles, ((1 - ahead) * near[:, None] + ahead * out[:, None])[:, None])

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"shares": self.shares, "factors": self.factors, "persistence": self.persistence}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(tuple(data["shares"]), tuple(_pair(row) for row in data["factors"]), float(data["persistence"]))


def _pair(row: Sequence[float]) -> tuple[float, float]:
    near, out = row
    return float(near), float(out)

"""What stopping has cost so far: the regret that is expected of the runs that were stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import sample_quantiles

CHANCES: NDArray[np.float64] = np.exp2(-np.arange(1.0, 10.0))
"""A stopped run is remembered by the scores that it would have exceeded with these chances: 1/2, 1/4 … 1/512."""

GRID = 65
"""Scores between the incumbent's and the highest at which the expected regret is added up."""


@dataclass(frozen=True)
class Stopped:
    """How a run that was stopped would have ended, as it was forecast then.

    Attributes:
        expected: the median of its score.
        tail: the scores that it would have exceeded with `CHANCES`, ascending.
    """

    expected: float
    tail: tuple[float, ...]

    @classmethod
    def of(cls, samples: NDArray[np.float64]) -> Self:
        """From samples of its score, [n]."""
        tail = sample_quantiles(samples, 1 - CHANCES).tolist()
        return cls(tail[0], tuple(tail))

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(float(plain["expected"]), tuple(float(score) for score in plain["tail"]))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


DEPENDENCE = 3.0
"""θ of the copula that joins the scores of stopped runs."""


def expected_regret(stopped: Iterable[Stopped], best: float) -> float:
    """E[max(best score of the stopped runs − best, 0)], the regret if nothing better is found.

    It is the integral of P(one of them ends above x) over x from `best` on. The forecasts come from one forecaster
    and err together, so their scores are joined by a Gumbel copula: P(all end below x) =
    exp(−(Σ_r (−log P(run r ends below x))^θ)^(1/θ)), θ = `DEPENDENCE` ≥ 1 (1: independent). Where a better run is
    found, what was stopped before costs less.

    Args:
        stopped: the runs.
        best: score of the best run that is left.
    """
    tails = np.array([run.tail for run in stopped]).reshape(-1, len(CHANCES))
    tails = tails[tails[:, -1] > best]
    if not len(tails):
        return 0.0
    at = np.linspace(best, tails.max(), GRID)
    chances = np.log2(CHANCES)
    together = np.zeros(GRID)
    for tail in tails:
        above = np.exp2(np.interp(at, tail, chances, left=-1.0, right=-np.inf))
        together += (-np.log1p(-above)) ** DEPENDENCE
    some = -np.expm1(-(together ** (1 / DEPENDENCE)))
    return float((some[:-1] + some[1:]).sum() / 2 * (at[1] - at[0]))

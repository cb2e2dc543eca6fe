"""What stopping has risked so far: how likely the runs that were stopped would have ended far above the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import sample_quantiles

KNOTS: NDArray[np.float64] = np.arange(-7.0, 10.0)
"""Places v of the chances by which an outlook is remembered: 2^-v from a half down to 1/512, 1 − 2^(v-2) above that."""

GRID = 129
"""Scores of the best run that is left at which chances are added up."""

DEPENDENCE = 10.0
"""θ of the copula that joins the scores of runs, ≥ 1."""


@dataclass(frozen=True)
class Outlook:
    """How a run will end, or would have ended, as it was forecast last.

    Attributes:
        scores: those that it exceeds with the chances of `KNOTS`, ascending, 17 of them.
    """

    scores: tuple[float, ...]

    @classmethod
    def of(cls, samples: NDArray[np.float64]) -> Self:
        """From samples of its score, [n]."""
        return cls(tuple(sample_quantiles(samples, 1 - _chance(KNOTS)).tolist()))

    def pooled(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """These samples of its score, [n], and as many from this outlook, [2 n]: the linear pool of both."""
        levels = (np.arange(len(samples)) + 0.5) / len(samples)
        return np.concatenate([samples, np.interp(levels, 1 - _chance(KNOTS), self.scores)])

    @property
    def expected(self) -> float:
        """The median."""
        return self.scores[len(self.scores) // 2]

    def below(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that it ends below these scores."""
        return 1 - _chance(np.interp(at, self.scores, KNOTS, left=-np.inf, right=np.inf))


def chance_of_loss(stopped: Sequence[Outlook], left: Collection[Outlook], best: float | None, allowed: float) -> float:
    """P(best score of the stopped runs − best score of those that are left > what may be lost), 0 to 1.

    It is the integral of P(one that was stopped ends above x + allowed) over the best score x of those that are left.
    The forecasts come from one forecaster and err together, so the scores of several runs are joined by a Gumbel
    copula: P(all end below x) = exp(−(Σ_r (−log P(run r ends below x))^θ)^(1/θ)), θ = `DEPENDENCE`; with θ = 1 they are
    independent, and with a large one a hundred runs of a small chance cost no more than one. Where a better run is
    found, what was stopped before costs less.

    Args:
        stopped: runs that were stopped.
        left: runs that are live.
        best: best score of the runs that have ended; None if none has.
        allowed: what may be lost, ≥ 0.
    """
    if not stopped:
        return 0.0
    lowest = min((run.scores[0] for run in left), default=np.inf) if best is None else best
    highest = max((run.scores[-1] for run in left), default=lowest)
    if not np.isfinite(lowest):
        return 1.0  # nothing is left
    at = np.linspace(lowest, max(highest, lowest), GRID if left else 1)
    lost, reached = 1 - _all_below(stopped, at + allowed), _all_below(left, at)
    reached[-1] = 1.0
    return float(lost[0] * reached[0] + ((lost[:-1] + lost[1:]) / 2 * np.diff(reached)).sum())


def _all_below(runs: Collection[Outlook], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that all of these runs end below these scores; 1 of no run."""
    together = np.zeros(len(at))
    with np.errstate(divide="ignore"):
        for run in runs:
            together += (-np.log(run.below(at))) ** DEPENDENCE
    return np.exp(-(together ** (1 / DEPENDENCE)))


def _chance(knot: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance of exceeding the score at this place of `KNOTS`."""
    return np.where(knot >= 1, np.exp2(-np.maximum(knot, 1)), 1 - np.exp2(np.minimum(knot, 1) - 2))

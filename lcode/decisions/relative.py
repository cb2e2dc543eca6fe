"""Objectives that score runs against one another: mean rank, the Pareto front, hypervolume."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from lcode.decisions.objective import Objective, signs, task_scores
from lcode.decisions.pareto import on_front, volume_shares
from lcode.decisions.references import left_out_text
from lcode.table import Direction, Metric


class RelativeObjective(Objective):
    """An objective whose scores depend on which other runs there are.

    Values are of runs that are compared, [..., R, K]: of joint samples the score is that of each sample, and their mean
    the expected rank, or the probability of being on the front. A run without a value of some metric has the score NaN,
    and is better than nobody. Such scores cannot be kept while runs come and go, so a monitor takes none.
    """

    relative = True

    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """See `Objective.score`; values have shape [..., R, K], and the architecture makes no difference."""
        return np.where(np.isnan(values).any(-1), np.nan, self.among(values, metrics))

    def among(self, values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
        """The same with a score for runs that lack a value as well: they come last."""
        batch = values.reshape(-1, *values.shape[-2:])
        return self._score(batch, metrics).reshape(values.shape[:-1])

    @abstractmethod
    def _score(self, values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
        """Scores of n samples of R runs, [n, R, K] to [n, R]."""


@dataclass(frozen=True)
class MeanRank(RelativeObjective):
    """MR, the mean over the K metrics of a run's rank among all runs, 1 the best; equal values share their ranks.

    As tables of balancers report it beside Δm (Navon et al., ICML 2022; Liu et al., NeurIPS 2023). The score is −MR.
    """

    unit = "mean rank"
    direction: Direction = "min"
    notes = ("the mean over metrics of a run's expected rank among all runs; lower is better",)

    def _score(self, values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
        worst_last = np.where(np.isnan(values), np.inf, -signs(metrics) * values)
        ranks: NDArray[np.float64] = rankdata(worst_last, axis=1)
        return -ranks.mean(-1)


@dataclass(frozen=True)
class _OfTasks(RelativeObjective):
    """What compares runs in all tasks at once, each task with the mean of its metrics on a common scale.

    Attributes:
        centre: median of the finished runs by metric key; NaN for a metric that has no say, since no run has a value.
        scale: inter-quartile range by metric key.
    """

    centre: Mapping[str, float]
    scale: Mapping[str, float]

    front = True

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What has no say although it should."""
        missing = [key for key, middle in self.centre.items() if np.isnan(middle)]
        return (left_out_text(missing),) if missing else ()


@dataclass(frozen=True)
class ParetoFront(_OfTasks):
    """1 for a run on the Pareto front, 0 for one that another run dominates: as good in all tasks, better in one.

    Its mean over joint samples is the probability of ending on the front.
    """

    unit = "P(on the front)"

    def _score(self, values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
        return on_front(task_scores(values, metrics, self.centre, self.scale)).astype(float)


@dataclass(frozen=True)
class Hypervolume(_OfTasks):
    """Contribution to the hypervolume above the median run: the volume that no other run dominates; see `pareto`.

    A run that is below the median of the finished runs in some task contributes nothing.
    """

    unit = "volume, in inter-quartile ranges"

    def _score(self, values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
        return volume_shares(task_scores(values, metrics, self.centre, self.scale))

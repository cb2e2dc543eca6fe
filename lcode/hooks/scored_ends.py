"""Scores of runs as they are expected to end: of one on its own, or of all among each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Constrained, Objective
from lcode.decisions.ending import Ending, joint_samples
from lcode.decisions.rule import SAMPLES
from lcode.table import Metric


class Scored(NamedTuple):
    """Samples of the score that a live run will end with, and whether each is within the bounds, both [n]."""

    samples: NDArray[np.float64]
    feasible: NDArray[np.bool_]


def alone(
    ending: Ending, objective: Objective, metrics: Sequence[Metric], *, arch: str | None, others: Iterable[float]
) -> Scored:
    """Of one run, by an objective that looks at no other.

    Args:
        ending: how it will end.
        objective: scores it.
        metrics: the K metrics.
        arch: its architecture.
        others: scores of the other runs.
    """
    samples = objective.score(_final_values(ending, tuple(metrics)), metrics, [arch])[:, 0]
    feasible = ~np.isneginf(samples)
    if not feasible.all():
        # An infeasible end beats nobody; as the worst score known it leaves all that is computed finite.
        samples = np.where(feasible, samples, min([*samples[feasible], *others], default=0.0))
    return Scored(samples, feasible)


def among(ends: Mapping[str, Ending], objective: Objective, metrics: Sequence[Metric]) -> dict[str, Scored]:
    """Of all runs among each other, joint samples, as `lcode.rank` counts them.

    Args:
        ends: how each has ended or will end.
        objective: scores them against one another.
        metrics: the K metrics.
    """
    names = sorted(ends)  # samples belong to places
    values = joint_samples([ends[name] for name in names], metrics, n=SAMPLES, seed=0)
    if isinstance(objective, Constrained):
        scores, feasible = objective.parts(values, metrics)
        scores = np.where(feasible, scores, np.nanmin(scores, initial=np.inf))
    else:
        scores, feasible = objective.score(values, metrics), np.ones(values.shape[:2], dtype=bool)
    return {name: Scored(scores[:, i], feasible[:, i]) for i, name in enumerate(names)}


@lru_cache(maxsize=1024)  # while the objective is made of forecasts, all runs are scored at each of them: 16 KB a run
def _final_values(ending: Ending, metrics: tuple[Metric, ...]) -> NDArray[np.float64]:
    """Samples of what one run ends with, [n, 1, K]; not to be written to."""
    values = joint_samples([ending], metrics, n=SAMPLES, seed=0)
    values.flags.writeable = False
    return values

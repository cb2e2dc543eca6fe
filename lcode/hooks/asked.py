"""What the user wants runs compared by, before all metrics are known that it is made of."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import (
    Constraint,
    FinalValue,
    Objective,
    make_objective,
    read_baseline,
    scores_alone,
    takes_baseline,
)
from lcode.decisions.constraints import parse_constraints
from lcode.decisions.kinds import check_adds_up, check_objective
from lcode.decisions.objective import ScoreFunction, check_function
from lcode.errors import InputError, UsageError
from lcode.table import Metric
from lcode.table.reading import BASELINE

Baseline = Mapping[str, float] | str | os.PathLike[str] | None


class Asked:
    """An objective with its references and bounds, made for the metrics that are measured so far.

    Args:
        objective: see `make_objective`.
        baseline: single-task references of `delta_m`.
        constraints: bounds on final values.
        learns: whether more metrics may come: references and bounds of theirs then wait for them.

    Raises:
        UsageError: an unknown objective, references that are none, or no constraint.
        InputError: a file of references that cannot be read, or a reference of 0.
    """

    def __init__(
        self,
        objective: str | Objective | ScoreFunction,
        baseline: Baseline,
        constraints: Sequence[str | Constraint],
        *,
        learns: bool,
    ) -> None:
        self._spec, self._baseline, self._learns = objective, baseline, learns
        check_objective(objective, baseline)
        self._constraints = parse_constraints(constraints)

    def awaited(self, metrics: Sequence[Metric]) -> dict[str, str]:
        """Metrics that may still come, and where they are named; a file of references may have any rows."""
        if not self._learns:
            return {}
        keys = [metric.key for metric in metrics]
        named = {one.metric: "a bound" for one in self._constraints}
        named |= dict.fromkeys(self._baseline if isinstance(self._baseline, Mapping) else (), "the baseline")
        return {name: where for name, where in named.items() if name not in keys}

    def objective(self, metrics: Sequence[Metric], population: NDArray[np.float64] | None) -> Objective:
        """The objective of these metrics.

        Args:
            metrics: the K metrics.
            population: final values of N runs, [N, K].

        Raises:
            NotEnoughDataError: it needs a population.
            InputError: a reference is 0, or the baseline lacks a metric.
            UsageError: a bound on what is not measured, or a function that gives no score per run.
        """
        check_function(self._spec, metrics)
        later, baseline = self.awaited(metrics), self._baseline
        if isinstance(baseline, Mapping):
            baseline = {name: value for name, value in baseline.items() if name not in later}
        if isinstance(baseline, LyingThere) and not baseline.fits(metrics):
            baseline = None
        bounds = [one for one in self._constraints if one.metric not in later]
        return make_objective(self._spec, metrics, population=population, baseline=baseline, constraints=bounds)


class LyingThere(os.PathLike[str]):
    """The references that lie in a folder of run logs, which nobody has named: they count where they fit."""

    def __init__(self, path: Path) -> None:
        self._path, self._told = path, False

    @classmethod
    def of(cls, folder: str | os.PathLike[str], objective: object) -> LyingThere | None:
        """Those of a folder; None where there are none, or the objective takes none."""
        found = cls(Path(folder) / BASELINE)
        return found if takes_baseline(objective) and found._path.is_file() and found.fits(()) else None

    def fits(self, metrics: Sequence[Metric]) -> bool:
        """Whether there is a reference for each of these metrics; if not, a warning says once why."""
        try:
            read_baseline(self._path, metrics)
        except InputError as error:
            if not self._told:
                warnings.warn(f"references that lie there are not taken up: {error}", stacklevel=2)
            self._told = True
            return False
        return True

    def __fspath__(self) -> str:
        return str(self._path)


def check_among_runs(objective: str | Objective | ScoreFunction, final: FinalValue, regret: object) -> None:
    """Refuse what needs scores that stay while runs come and go.

    Raises:
        UsageError: an objective that scores runs against one another can have neither.
    """
    if regret is not None:
        check_adds_up(objective)
    if final.together and not scores_alone(objective):
        raise UsageError(
            "final='best-epoch' chooses the epoch by a score of the run on its own, and this objective scores runs "
            "against one another: choose delta_m, mean, worst or weights:NAME=W, or another final value"
        )

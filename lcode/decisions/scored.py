"""Every run of a forecast with joint samples of its score: what rankings and suggestions are counted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_count
from lcode.decisions.constraints import Constrained, Constraint
from lcode.decisions.final import FinalValue, architectures, forecast_rows
from lcode.decisions.kinds import Baseline, make_objective
from lcode.decisions.objective import DeltaM, Objective, ScoreFunction
from lcode.errors import NotEnoughDataError
from lcode.forecast import Forecast, check_forecast
from lcode.table import RunTable
from lcode.table.given import check_table

LIKELY = 0.5
"""Runs at least so likely to be feasible stand before the others: what each ends with, more likely than not."""


@dataclass(frozen=True, eq=False)
class ScoredRuns:
    """R runs in the order of their names.

    Attributes:
        forecast: of their final values, Q = 1.
        objective: what the scores are.
        plain: joint samples of the scores, whatever the constraints; higher is better, NaN without a forecast, [n, R].
        feasible: whether the constraints hold, [n, R].
        finished: runs that ended with a result, [R].
        going: those, and the ones that may still end: neither stopped nor failed, [R].
    """

    forecast: Forecast
    objective: Objective
    plain: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    going: NDArray[np.bool_]

    @property
    def samples(self) -> NDArray[np.float64]:
        """The scores as they count: −∞ where infeasible, [n, R]."""
        return np.where(self.feasible, self.plain, -np.inf)

    @property
    def ends(self) -> NDArray[np.float64]:
        """The scores where an infeasible end loses as much as the worst score of all would, [n, R]."""
        return np.where(self.feasible, self.plain, self.plain[:, self.alive].min(initial=np.inf))

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Runs that have a score, [R]."""
        return np.asarray(~np.isnan(self.plain).any(axis=0))


def scored(
    forecast: Forecast,
    objective: str | Objective | ScoreFunction,
    *,
    table: RunTable | None,
    baseline: Baseline,
    final: FinalValue,
    constraints: Sequence[str | Constraint],
    n_samples: int,
    seed: int,
) -> ScoredRuns:
    """Score the runs of a forecast; for the arguments, and what may be wrong with them, see `rank`."""
    check_forecast("forecast", forecast)
    if table is not None:
        check_table("table", table)
    check_count("n_samples", n_samples, 1)
    check_count("seed", seed, 0)
    # Samples belong to positions: a fixed order of the runs makes the result independent of the given one.
    order = np.argsort(np.array(forecast.run_ids, dtype=object), kind="stable")
    forecast = forecast_rows(forecast, order)
    finished = (forecast.status == "finished").all(1)
    going = np.ones(len(finished), dtype=bool)
    archs: list[str | None] | None = None
    if table is not None:
        known = table.runs.reindex(list(forecast.run_ids))
        finished |= (known["status"] == "finished").to_numpy()
        going = finished | ~known["status"].isin(("stopped", "failed")).to_numpy()
        archs = architectures(table.select(forecast.run_ids))
    scaled_by = final.measured_by.of_forecast(forecast, table)
    made = _with_references(objective, scaled_by, finished, final.measured_by, table, baseline, constraints)
    forecast = final.of_forecast(forecast, table, made) if final.together else scaled_by
    values = forecast.final().sample(n_samples, seed=seed)[..., 0]
    if made.relative and going.any():
        values[:, ~going] = np.nan  # they end nowhere, and so take no place from the others
    if isinstance(made, Constrained):
        plain, feasible = made.parts(values, forecast.metrics, archs)
    else:
        plain = made.score(values, forecast.metrics, archs)
        feasible = np.ones(plain.shape, dtype=bool)
    return ScoredRuns(forecast, made, plain, feasible, finished, going)


def diverged_runs(forecast: Forecast) -> NDArray[np.bool_]:
    """Runs that diverged, [R]. A metric that is lost in every run that has it says nothing of any of them."""
    lost = forecast.status == "diverged"
    somewhere = np.isfinite(forecast.quantiles).any((0, 2, 3))
    return np.asarray((lost[:, somewhere] if somewhere.any() else lost).any(1))


def _with_references(
    objective: str | Objective | ScoreFunction,
    forecast: Forecast,
    finished: NDArray[np.bool_],
    final: FinalValue,
    table: RunTable | None,
    baseline: Baseline,
    constraints: Sequence[str | Constraint],
) -> Objective:
    """The objective, with references from finished runs where there are some and from all forecasts otherwise.

    A metric that no run ends with has no say.
    """
    medians = forecast.quantile(0.5)[..., 0]
    if table is not None and table.metrics == forecast.metrics:
        population = final.of_table(table.with_status("finished"))
    else:
        population = medians[finished]
    # What the finished runs have lost and the live ones still have is a difference between them that must count.
    lacking = ~np.isfinite(population).any(0)
    lost = lacking & np.isfinite(medians).any(0) & (forecast.status[finished] == "diverged").any(0)
    if lost.any():
        population = medians
    try:
        made = make_objective(objective, forecast.metrics, population=population, baseline=baseline)
    except NotEnoughDataError:
        made = make_objective(objective, forecast.metrics, population=medians, baseline=baseline)
        if isinstance(made, DeltaM) and baseline is None:
            made = replace(made, references=made.references.of_forecasts())
    empty = [not np.isfinite(values).any() for values in medians.T]
    if isinstance(made, DeltaM) and baseline is not None and not all(empty):
        keys = tuple(metric.key for metric, lost in zip(forecast.metrics, empty, strict=True) if lost)
        made = replace(made, references=replace(made.references, unmeasured=keys))
    return make_objective(made, forecast.metrics, constraints=constraints)

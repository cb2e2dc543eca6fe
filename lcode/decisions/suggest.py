"""Which run to train next: a paused one to go on with, or a candidate to start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lcode.arguments import as_number, check_kind, check_number
from lcode.decisions.budget import RegretBudget
from lcode.decisions.constraints import Constraint
from lcode.decisions.final import HORIZON, FinalValue
from lcode.decisions.freeze_thaw import thaw_rule
from lcode.decisions.kinds import Baseline, scores_alone
from lcode.decisions.objective import Objective, ScoreFunction
from lcode.decisions.price import price
from lcode.decisions.scored import ScoredRuns, diverged_runs, scored
from lcode.decisions.stopping import epochs_to_come
from lcode.decisions.suggest_within import suggested_within
from lcode.decisions.suggestions import Suggestion, Suggestions
from lcode.errors import UsageError
from lcode.forecast import Forecast, check_forecast, sample_quantiles
from lcode.show import interval, printable, probability
from lcode.table import RunTable
from lcode.table.axis import epoch_text


def suggest(
    forecast: Forecast,
    objective: str | Objective | ScoreFunction = "delta_m",
    *,
    table: RunTable | None = None,
    baseline: Baseline = None,
    budget: float | None = None,
    n_samples: int = 512,
    seed: int = 0,
    incumbent: float | None = None,
    final: str | FinalValue = HORIZON,
    constraints: Sequence[str | Constraint] = (),
    regret: float | str | RegretBudget | None = None,
    alpha: float | None = None,
    keep: int | None = None,
    min_epochs: int | None = None,
    earlier: Sequence[Forecast] = (),
) -> Suggestions:
    """Which runs to train next, and for how many epochs before looking again (freeze-thaw, Swersky et al. 2014).

    Runs that are running or were stopped count as paused, and those that have not begun as candidates; finished, failed
    and diverged ones are over. Each has a price: what an epoch may cost so that training it is still worth its expected
    improvement over the incumbent, if it may be given up on the way (see `lcode.decisions.price`). The dearest is
    trained first, and a budget goes to the dearest epochs of all runs.

    With `regret` a sweep has an end: every run is trained to `min_epochs`, the best `keep` to their horizons, and then
    those go on that would otherwise lose more than that with too large a chance, until there is none
    (`lcode.decisions.freeze_thaw`).

    Args:
        forecast: R runs × K metrics; the last query epoch of each run is taken as its horizon.
        objective: see `make_objective`; one that scores a run on its own.
        table: see `rank`.
        baseline: see `rank`.
        budget: epochs that may be trained, all runs together; default: as many as they want.
        n_samples: joint samples that gains are counted on.
        seed: the same seed gives the same suggestions.
        incumbent: the score to beat; default: the best of the finished runs, or else the best median of the runs that
            have begun, or of all. With `regret` it counts beside those of the finished runs.
        final: see `rank`.
        constraints: see `rank`.
        regret: what may be lost by leaving runs paused: `0.5` in the objective's unit, `"0.1 spread"` of best minus
            median score, or `"0.5 sd"` between seeds. Default: runs are trained by price.
        alpha: chance with which more than `regret` may be lost; default: 0.1.
        keep: with `regret`, so many runs are trained to their ends in any case; default: 3.
        min_epochs: with `regret`, every run is trained so far; default: 2.
        earlier: with `regret`, forecasts of the open runs from their looks before, see `earlier_looks`; what is
            believed of a run is the mean of them all.

    Raises:
        UsageError: see `rank`; an objective that scores runs against one another, a budget that is no number > 0, or
            settings of `regret` without it; `earlier` is no list of forecasts.
        InputError: see `rank`.
        NotEnoughDataError: see `rank`.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> new = lcode.candidates([{"lr": 0.01}, {"lr": 0.3}], like=table)
        >>> model = lcode.forecaster("trees").fit(table)
        >>> both = table.concat(new)
        >>> {step.step for step in lcode.suggest(model.predict(both), "mean", table=both).steps} >= {"start"}
        True
    """
    check_number("incumbent", incumbent)
    check_kind("earlier", earlier, Sequence, "a list of forecasts, such as [forecast]")
    for place, one in enumerate(earlier):
        check_forecast(f"earlier[{place}]", one)
    check_suggested(objective, budget)
    settings = {"alpha": alpha, "keep": keep, "min_epochs": min_epochs}
    given = [name for name, value in settings.items() if value is not None]
    if regret is None and (given or earlier):
        raise UsageError(f"{[*given, 'earlier'][0]} belongs to a budget of regret; give regret as well")
    rule = None if regret is None else thaw_rule(regret, **settings)  # type: ignore[arg-type]
    ends = FinalValue.parse(final)
    known = scored(
        forecast,
        objective,
        table=table,
        baseline=baseline,
        final=ends,
        constraints=constraints,
        n_samples=n_samples,
        seed=seed,
    )
    name, best = _to_beat(known) if incumbent is None else (None, incumbent)

    def dearest_first(step: Suggestion) -> tuple[float, float, str]:
        hoped_for = step.score_q95 if known.objective.direction == "max" else -step.score_q05
        return -step.price, -hoped_for, step.run

    if budget is not None:  # an epoch is trained as a whole
        budget = max(math.floor(budget / known.forecast.epoch_unit + 1e-9), 0) * known.forecast.epoch_unit
    every = _evaluated_every(table, known.forecast.epoch_unit)
    steps = sorted(_steps(known, table, name, best, every), key=dearest_first)
    notes = (*known.forecast.notes, *known.objective.notes)
    told = float(known.objective.told(np.array(best)))
    found = Suggestions(tuple(steps), name, told, known.objective, notes)
    if rule is None:
        return replace(found, steps=tuple(_granted(steps, budget)))
    before = [
        scored(
            one, known.objective, table=table, baseline=None, final=ends, constraints=(), n_samples=n_samples, seed=seed
        )
        for one in earlier
    ]
    apart = every * known.forecast.epoch_unit
    return suggested_within(rule, found, known, before, table, apart=apart, incumbent=incumbent, budget=budget)


def _to_beat(known: ScoredRuns) -> tuple[str | None, float]:
    """The incumbent and its score: of the best finished run, or else the best as forecast."""
    medians = np.where(known.feasible.mean(0) >= 0.5, np.median(known.plain, axis=0), np.nan)
    begun = known.forecast.observed.max(1, initial=-1) >= 0
    for runs in (known.finished, begun, np.ones_like(begun)):
        scores = np.where(runs, medians, np.nan)
        if np.isfinite(scores).any():
            best = int(np.nanargmax(scores))
            return known.forecast.run_ids[best], float(scores[best])
    # Nobody is likely to be feasible: whoever is at all is better.
    return None, float(known.plain[:, known.alive].min(initial=np.inf))


def _steps(
    known: ScoredRuns, table: RunTable | None, incumbent: str | None, best: float, every: int
) -> Iterator[Suggestion]:
    """What training each run is worth that is not over."""
    forecast, samples = known.forecast, known.samples
    unit, ahead = forecast.epoch_unit, epochs_to_come(forecast)
    failed = np.zeros(len(ahead), dtype=bool)
    if table is not None:
        failed = (table.runs.reindex(list(forecast.run_ids))["status"] == "failed").to_numpy()
    open_ = known.alive & ~known.finished & ~failed & ~diverged_runs(forecast) & (ahead > 0)
    rival = "the incumbent" if incumbent is None else printable(incumbent)
    for i in np.flatnonzero(open_):
        cost, look = price(samples[:, i], best, int(ahead[i]), forecast.persistence, every)
        gains = samples[:, i] - best
        gain, chance = float(np.maximum(gains, 0).mean()), float((gains > 0).mean())
        ends = known.objective.told(sample_quantiles(known.plain[:, i], (0.5, 0.05, 0.95)))
        median, low, high = float(ends[0]), float(ends[1:].min()), float(ends[1:].max())
        last = int(forecast.observed[i].max())
        seen = "has not begun" if last < 0 else f"seen up to epoch {epoch_text(last, unit)}"
        told = f"{seen}, expected {interval(median, low, high)}; P(beats {rival}) {probability(chance)}"
        yield Suggestion(
            run=forecast.run_ids[i],
            step="start" if last < 0 else "go on",
            epochs=look * unit,
            to_end=int(ahead[i]) * unit,
            price=cost / unit,
            gain=gain,
            p_better=chance,
            score=median,
            score_q05=low,
            score_q95=high,
            reason=f"{told}, gain {gain:.2g}",
            granted=0.0,
        )


def _evaluated_every(table: RunTable | None, unit: float) -> int:
    """Ticks between two evaluations of a run, as most are; 1 where nothing tells."""
    if table is None:
        return 1
    points = table.in_unit(unit).points
    epochs = points.drop_duplicates(["run", "epoch"]).sort_values("epoch").groupby("run", observed=True)["epoch"]
    gaps = epochs.diff().dropna()
    return max(int(gaps.median()), 1) if len(gaps) else 1


def check_suggested(objective: str | Objective | ScoreFunction, budget: float | None) -> None:
    """Refuse what suggestions cannot be made by, before anything is forecast for them.

    Raises:
        UsageError: an objective that scores runs against one another, or a budget that is no number > 0.
    """
    if not scores_alone(objective):
        raise UsageError(
            f"the objective '{objective}' scores runs against one another, and an improvement is one over the best so "
            "far; choose delta_m, mean, worst or weights:NAME=W"
        )
    if budget is not None and (not 0 < (as_number(budget) or 0) < np.inf):
        raise UsageError(f"the budget is {budget!r}; it is a number of epochs above 0")


def _granted(steps: Sequence[Suggestion], budget: float | None) -> Iterator[Suggestion]:
    """The steps with the epochs that a budget reaches to, the dearest epochs first.

    Up to its next look a run's epochs have its price; those after it are worth, as far as is known now, the expected
    improvement per epoch, which is less.
    """
    if budget is None:
        yield from (replace(step, granted=step.epochs if step.price > 0 else 0.0) for step in steps)
        return
    first = [(step.price, i, step.epochs) for i, step in enumerate(steps)]
    rest = [(step.gain / step.to_end, i, step.to_end - step.epochs) for i, step in enumerate(steps)]
    granted, left = [0.0] * len(steps), float(budget)
    for worth, i, epochs in sorted([*first, *rest], key=lambda part: -part[0]):
        taken = min(epochs, left) if worth > 0 else 0.0
        granted[i] += taken
        left -= taken
    yield from (replace(step, granted=epochs) for step, epochs in zip(steps, granted, strict=True))

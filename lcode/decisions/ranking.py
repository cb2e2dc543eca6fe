"""The order of runs by their forecast score, with the probability of being best or among the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.arguments import check_number, check_share
from lcode.decisions.budget import RegretBudget, between_seeds
from lcode.decisions.chances import alike, mean_of_alike, p_best_and_top
from lcode.decisions.constraints import Constrained, Constraint
from lcode.decisions.final import HORIZON, FinalValue
from lcode.decisions.kinds import Baseline, check_adds_up
from lcode.decisions.objective import Objective, ScoreFunction
from lcode.decisions.regret_rule import RegretRule, stop_rule
from lcode.decisions.relative import ParetoFront
from lcode.decisions.scored import LIKELY, diverged_runs, scored
from lcode.decisions.stopping import StoppingCurve, epochs_to_come, stopping_curve
from lcode.decisions.verdict import Action
from lcode.decisions.within_budget import stopped_within_budget
from lcode.forecast import Forecast, sample_quantiles
from lcode.show import ARROWS, SHOWN, counted, html_table, intervals, printable, probability
from lcode.table import RunTable

BARELY_SEEN = 1
"""A ranking says how many of its runs were seen no further than this epoch."""

NAMED = 3
"""Runs that a remark names."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Runs in the order of their forecast score, best first; R runs, every run of the forecast once.

    Attributes:
        runs: names of the runs, length R; those that are forecast alike in the order of their names. Runs without a
            forecast (diverged, or a task not seen yet) come last.
        score: median of the score of the final values in the objective's unit; higher is better unless the objective's
            `direction` is `min`. Of an objective that scores runs against one another it is the mean: the expected
            rank, or the probability of being on the front. NaN = no forecast. [R]
        score_q05: the score that is exceeded with probability 0.95, [R].
        score_q95: the score that is exceeded with probability 0.05, [R].
        p_best: probability of the best score of all runs, 0 to 1; they sum to 1, or to the probability that any run is
            feasible. A run that was stopped or failed will end nowhere: it has 0 and is no rival of the others, as long
            as one of these is left. [R]
        p_top_10pct: likewise, of being among the best tenth of the runs (at least one run), 0 to 1. [R]
        action: `continue` or `stop`, [R].
        objective: what the score is.
        notes: remarks for the user: where the references come from, which values count as final unless it is those at
            the horizon, and on how little the order rests if it does.
        stopping: what stopping runs now saves and loses, by the threshold; None for a ranking made by hand, or by a
            budget of regret.
        p_feasible: probability of fulfilling all constraints, 0 to 1 (0 without a forecast), [R]; None if there are
            none. Runs that are more likely than not to fulfil them come first, by their score, then the others by this.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> ranking = lcode.rank(lcode.forecaster("power").fit(table).predict(table), "mean", table=table)
        >>> ranking.runs[0], ranking.action[0]
        ('run9', 'continue')
        >>> round(float(ranking.p_best.sum()), 6)
        1.0
    """

    runs: tuple[str, ...]
    score: NDArray[np.float64]
    score_q05: NDArray[np.float64]
    score_q95: NDArray[np.float64]
    p_best: NDArray[np.float64]
    p_top_10pct: NDArray[np.float64]
    action: tuple[Action, ...]
    objective: Objective
    notes: tuple[str, ...] = ()
    stopping: StoppingCurve | None = None
    p_feasible: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.runs)

    def _repr_html_(self) -> str:
        """What a notebook shows: the best runs, their scores, and what to do."""
        ends = (end[:SHOWN].tolist() for end in (self.score, self.score_q05, self.score_q95))
        scores = intervals(list(zip(*ends, strict=True)))
        rows = [
            [str(place), self.runs[place - 1], self.action[place - 1], score, probability(float(p))]
            for place, (score, p) in enumerate(zip(scores, self.p_best, strict=False), start=1)
        ]
        headings = ["rank", "run", "action", self.score_title, "P(best)"]
        caption = f"Ranking of {counted(len(self), 'run')}: {self.action.count('stop')} to stop"
        return html_table(headings, rows, caption=caption, more=len(self) - SHOWN)

    @property
    def score_title(self) -> str:
        """`score` with its unit where it has one, and an arrow where lower is better."""
        unit, arrow = self.objective.unit, f" {ARROWS['min']}" if self.objective.direction == "min" else ""
        return f"score{arrow}" if unit in ("", "score") else f"score ({unit}{arrow})"

    def to_frame(self) -> pd.DataFrame:
        """One row per run, best first, in the columns of `lcode rank`, with constraints also `p_feasible`."""
        frame = pd.DataFrame(
            {
                "run": pd.Series(self.runs, dtype=object),
                "rank": np.arange(1, len(self) + 1),
                "score": self.score,
                "score_q05": self.score_q05,
                "score_q95": self.score_q95,
                "p_best": self.p_best,
                "p_top_10pct": self.p_top_10pct,
                "action": pd.Series(self.action, dtype=object),
            }
        )
        return frame if self.p_feasible is None else frame.assign(p_feasible=self.p_feasible)


def rank(
    forecast: Forecast,
    objective: str | Objective | ScoreFunction = "delta_m",
    *,
    table: RunTable | None = None,
    baseline: Baseline = None,
    n_samples: int = 512,
    seed: int = 0,
    incumbent: float | None = None,
    delta: float = 0.05,
    final: str | FinalValue = HORIZON,
    constraints: Sequence[str | Constraint] = (),
    regret: float | str | RegretBudget | None = None,
    alpha: float | None = None,
) -> Ranking:
    """Rank runs by the score they are forecast to end with.

    A run is advised to `stop` when it diverged, or when both the probability of ending among the best tenth and
    that of beating the incumbent are below `delta`. A finished run has nothing to stop and says `continue`.

    Args:
        forecast: R runs × K metrics; the last query epoch of each run is taken as its horizon.
        objective: see `make_objective`.
        table: the table the forecast was made from, or one that holds its runs: its finished runs set references
            and scales, and its architectures select references by architecture. Without it those that the forecast
            calls finished are used, or all forecast medians where there is none. Best values and means need it.
        baseline: single-task references of `delta_m`, see `make_objective`.
        n_samples: joint samples that probabilities are counted on; their standard error is at most 0.5/√n.
        seed: the same seed gives the same ranking, in whatever order the runs are.
        incumbent: a score to beat; default: the best score among the finished runs, if there are any.
        delta: probability under which a run is not worth its compute.
        final: which value of a curve the score is made of: `horizon`, `best` (best so far, of each metric on its own),
            `best-epoch` (of all metrics at one epoch, that of the best score) or `last:5` (mean of the last 5 epochs);
            all but the first need a forecast made with `predict(table, "full")`.
        constraints: bounds on final values, such as `depth/abs_err<=0.4`: only feasible ends count for `p_best`,
            `p_top_10pct`, the incumbent and the action.
        regret: what may be lost by stopping, in place of `delta`: `0.5` in the objective's unit, `"0.1 spread"` of best
            minus median score, or `"0.5 sd"` between seeds. Runs are then stopped as `Monitor(regret=…)` would stop
            them if all reported now, see `RegretRule`; the fewer have finished, the less is stopped.
        alpha: chance with which more than `regret` may be lost; default: 0.1.

    Raises:
        UsageError: an unknown objective, task, metric, baseline name, final value or constraint, or a table or epochs
            missing for that final value; a budget that cannot be, or one for an objective that scores runs against one
            another; an argument of another type or out of its range.
        InputError: a baseline that cannot be read, or a reference of 0.
        NotEnoughDataError: no run has a value of any metric. One that none ends with is left out of the objective.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> forecast = lcode.forecaster("power").fit(table).predict(table)
        >>> len(lcode.rank(forecast, "weights:seg=1,depth=2", table=table))
        12
    """
    check_share("delta", delta)
    check_number("incumbent", incumbent)
    final = FinalValue.parse(final)
    rule = stop_rule(regret, alpha=alpha)
    if isinstance(rule, RegretRule):
        check_adds_up(objective)
    known = scored(
        forecast,
        objective,
        table=table,
        baseline=baseline,
        final=final,
        constraints=constraints,
        n_samples=n_samples,
        seed=seed,
    )
    forecast, objective, plain, samples = known.forecast, known.objective, known.plain, known.samples
    alive, finished, going = known.alive, known.finished, known.going
    runs = len(forecast.run_ids)
    low, score, high = np.full((3, runs), np.nan)
    low[alive], score[alive], high[alive] = sample_quantiles(plain[:, alive], (0.05, 0.5, 0.95))
    if objective.relative:
        score[alive] = plain[:, alive].mean(0)
    if isinstance(objective.objective if isinstance(objective, Constrained) else objective, ParetoFront):
        low, high = score.copy(), score.copy()  # a probability: whether a run is on the front has no interval
    places = alike(low, score, high)
    # A run that was stopped or failed ends nowhere: it is no rival, unless there is no other.
    rivals = going if (alive & going).any() else np.ones(runs, dtype=bool)
    p_best, p_top = np.zeros((2, runs))
    counted_on = np.where(alive, samples, -np.inf)[:, rivals]
    for chances, count in zip((p_best, p_top), p_best_and_top(counted_on, alive[rivals]), strict=True):
        chances[rivals] = mean_of_alike(count, places[rivals])

    chance = _worth(objective, samples, p_top, alive & finished, incumbent)
    chance = np.where(alive & ~finished, chance, np.nan)
    chance[~alive & ~going] = 0.0
    chance[diverged_runs(forecast)] = -np.inf
    ends = known.ends
    to_come = epochs_to_come(forecast)
    stopping: StoppingCurve | None = None
    notes: tuple[str, ...] = ()
    if not isinstance(rule, RegretRule):
        stop = chance < delta
        stopping = stopping_curve(ends[:, going], chance[going], to_come[going], delta=delta)
    else:
        stop = np.isneginf(chance) | (~alive & ~going)
        left = to_come[going] / np.maximum(forecast.horizons[going], 1)
        seen = np.maximum(forecast.observed.max(1), 0)[going] * forecast.epoch_unit
        names, ended = [forecast.run_ids[i] for i in np.flatnonzero(going)], (alive & finished)[going]
        deviation = between_seeds(table, forecast.run_ids, np.where(alive & finished, ends[0], np.nan))
        if rule.regret.unit == "sd" and deviation is None:
            notes = (
                f"no configuration has finished with several seeds, so a regret of {rule.regret} cannot be told "
                "and no run is stopped for it; say it in the objective's unit, or as a share of the spread.",
            )
        stop[going] |= stopped_within_budget(rule, names, ends[:, going], ended, seen, left, deviation)

    likely = known.feasible.mean(0)
    if isinstance(objective, Constrained) and (best := likely[alive].max(initial=0.0)) < LIKELY:
        bounds = " and ".join(map(str, objective.constraints))
        notes += (f"no run is likely to keep {bounds}: the best chance is {probability(best)}; is the bound right?",)
    best_first = np.lexsort((np.arange(runs), places, np.where(likely >= LIKELY, -1.0, -likely), ~alive))
    actions: tuple[Action, ...] = tuple("stop" if stop[i] else "continue" for i in best_first)
    low, score, high = (objective.told(of[best_first]) for of in (low, score, high))
    return Ranking(
        runs=tuple(forecast.run_ids[i] for i in best_first),
        score=score,
        score_q05=np.minimum(low, high),
        score_q95=np.maximum(low, high),
        p_best=p_best[best_first],
        p_top_10pct=p_top[best_first],
        action=actions,
        objective=objective,
        notes=(*forecast.notes, *objective.notes, *notes, *_remarks(forecast, finished, final)),
        stopping=stopping,
        p_feasible=likely[best_first] if isinstance(objective, Constrained) else None,
    )


def _worth(
    objective: Objective,
    samples: NDArray[np.float64],
    p_top: NDArray[np.float64],
    finished: NDArray[np.bool_],
    incumbent: float | None,
) -> NDArray[np.float64]:
    """Chance of each run to be worth its compute, [R]: of the front, or of the best tenth or beating the incumbent."""
    if objective.front:
        return (samples > 0).mean(0)
    if incumbent is None and not finished.any():
        return p_top
    best = samples[:, finished].max(1, keepdims=True) if incumbent is None else incumbent
    return np.maximum(p_top, (samples > best).mean(0))


def _remarks(forecast: Forecast, finished: NDArray[np.bool_], final: FinalValue) -> Iterator[str]:
    """What counts as final unless it is the value at the horizon, and on how little evidence the order rests."""
    if final != HORIZON:
        yield f"final value: {final}"
    if not finished.any():
        yield "no run has finished: the order, and without a baseline the references too, rest on forecasts alone"
    lacking = finished[:, None] & (forecast.observed < 0) & (forecast.observed >= 0).any(0)
    for k in np.flatnonzero(lacking.any(0)).tolist():
        names = [printable(forecast.run_ids[i]) for i in np.flatnonzero(lacking[:, k])]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield (
            f"{', '.join(names[:NAMED])}{more} finished without {forecast.metrics[k].key}: what is shown of it (~) is "
            "a forecast, and so in part their scores are"
        )
    diverged = diverged_runs(forecast)
    seen = forecast.observed.max(1)
    begun, open_runs = seen >= 0, ~finished & ~diverged
    candidates = int((~begun & open_runs).sum())
    if candidates:
        yield f"{counted(candidates, 'candidate')} not begun: forecast by configuration and architecture alone"
    unseen = int(((seen * forecast.epoch_unit <= BARELY_SEEN) & begun & open_runs).sum())
    if unseen:
        yield (
            f"{unseen} of {len(finished)} runs were seen up to epoch {BARELY_SEEN} at most: their places may change "
            "much with the next epochs"
        )

"""From what is known of a live run to its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from lcode.decisions import Constrained, FinalValue, StopRule, Verdict, diverged_verdict
from lcode.decisions.ending import Ending
from lcode.decisions.rule import LASTING
from lcode.errors import UsageError
from lcode.forecast import Forecast
from lcode.forecasters.base import Forecaster
from lcode.hooks.live_run import LiveRun
from lcode.hooks.scoreboard import MIN_REFERENCE_RUNS, Scoreboard
from lcode.isolation import importing, isolated
from lcode.table import Metric


def model_or_pretrained(model: Forecaster | None) -> Forecaster:
    """The model that was given, or else the shipped one.

    That one computes on the CPU, for one run alone gains nothing by a GPU, which the training may fill.

    Raises:
        UsageError: something else was given.
    """
    if model is None:
        with importing():
            from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster

        return LCGODEForecaster.load(SHIPPED, device="cpu")
    if not callable(getattr(model, "predict", None)):
        raise UsageError(
            f"model is of type {type(model).__name__}; give a fitted forecaster, such as lcode.load('model/')"
        )
    return model


@dataclass(frozen=True)
class Judge:
    """Says whether a live run shall go on.

    Attributes:
        model: gives the forecaster, which may have learned since; only asked where a forecast is due.
        rule: when to stop.
        final: which value of a curve counts as its final one.
        num_threads: torch threads while forecasting.
        compares: whether the run is compared with others; one that is not needs no forecast here.
    """

    model: Callable[[], Forecaster]
    rule: StopRule
    final: FinalValue
    num_threads: int
    compares: bool = True

    def decide(
        self, live: LiveRun, metrics: Sequence[Metric], scores: Scoreboard, unit: float, *, otherwise: str | None = None
    ) -> Verdict:
        """The verdict on a run that has just reported.

        Args:
            live: the run.
            metrics: the K metrics.
            scores: what is known of the others.
            unit: of the epochs.
            otherwise: why the run is compared with no other although there are some.
        """
        for lost in live.undefined:
            if lost.reports >= LASTING:
                verdict = diverged_verdict(live.name, lost.since, lost.metric, lost.value)
                return replace(verdict, epoch=live.last_epoch)
        verdict = self._by_curves(live, metrics, scores, unit, otherwise)
        if live.undefined and verdict.score is None:
            gaps = ", ".join(f"{one.metric} is {one.value:g} at epoch {one.since}" for one in live.undefined)
            verdict = replace(verdict, reason=f"{verdict.reason}; {gaps}: the run has diverged if it lasts")
        return verdict

    def _by_curves(
        self, live: LiveRun, metrics: Sequence[Metric], scores: Scoreboard, unit: float, otherwise: str | None
    ) -> Verdict:
        """The verdict on a run by its finite values."""
        run, epoch = live.name, live.last_epoch
        if epoch >= live.end:
            if live.is_over(metrics):
                return Verdict(run, epoch, "continue", f"finished: reached its last epoch {epoch}")
            return Verdict(run, epoch, "continue", f"at its last epoch {epoch}, with a task still missing")
        if not self.compares:
            return Verdict(run, epoch, "continue", "compared with no other run")
        if otherwise is not None:
            return Verdict(run, epoch, "continue", otherwise)
        if not self.rule.due(epoch, live.previous_epoch):
            return Verdict(run, epoch, "continue", f"no forecast before epoch {self.rule.next_due(epoch)}")
        with isolated(self.num_threads):
            table = live.to_table(metrics, unit)
            curves = self.model().predict(table, self.final.at)
            forecast = self.final.measured_by.of_forecast(curves, table)
        if (forecast.status == "diverged").any():
            return Verdict(run, epoch, "stop", "diverged, says the forecaster", 0.0, forecast=summary(forecast))
        if self.final.together:
            scores.propose(run, Ending.of(forecast))
            if scores.objective is not None:
                forecast = self.final.of_forecast(curves, table, scores.objective)
        ending, told = Ending.of(forecast), summary(forecast)
        scored, objective = scores.score(run, ending), scores.objective
        if scored is None or objective is None:
            why = scores.obstacle or "no other run to compare with so far"
            return Verdict(run, epoch, "continue", why, forecast=told, ending=ending)
        samples, feasible = scored
        unit_told = objective.unit if objective.direction == "max" else f"(minus the {objective.unit})"
        left = 1 - epoch / live.end if live.end > 0 else 0.0
        verdict = self.rule.decide(
            run, epoch, samples, scores.standings,
            left=left, unit=unit_told, forecast=told, by_mean=objective.relative,
        )  # fmt: skip
        verdict = verdict if verdict.score is None else replace(verdict, ending=ending)
        if scores.provisional:
            verdict = replace(
                verdict, reason=f"{verdict.reason}; measured by forecasts until {MIN_REFERENCE_RUNS} runs have finished"
            )
        if isinstance(objective, Constrained):
            bounds = " and ".join(map(str, objective.constraints))
            verdict = replace(verdict, reason=f"{verdict.reason}; P({bounds}) = {feasible.mean():.2f}")
        if objective.left_out:
            lacking = "; ".join(f"{key} left out: {why}" for key, why in objective.left_out.items())
            verdict = replace(verdict, reason=f"{verdict.reason}; {lacking}")
        for where in dict.fromkeys(scores.awaited.values()):
            names = ", ".join(name for name, named in scores.awaited.items() if named == where)
            verdict = replace(
                verdict, reason=f"{verdict.reason}; {where} names {names}, which no run has reported so far"
            )
        return verdict


def summary(forecast: Forecast) -> dict[str, dict[str, float]]:
    """Median and 90 % interval of each metric of the first run at its last query, in natural units, where forecast."""
    final = forecast.final()
    levels = {"median": 0.5, "q05": 0.05, "q95": 0.95}
    columns = {name: final.quantile(level)[0, :, 0] for name, level in levels.items()}
    told = {m.key: {name: float(column[k]) for name, column in columns.items()} for k, m in enumerate(final.metrics)}
    return {key: values for key, values in told.items() if isfinite(values["median"])}

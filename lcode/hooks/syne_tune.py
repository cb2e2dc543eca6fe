"""Syne Tune: a scheduler around any other, which ends trials by their forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.monitor import Monitor
from lcode.hooks.trials import TrialRuns
from lcode.table import Direction

try:
    from syne_tune.backend.trial_status import Trial
    from syne_tune.optimizer.scheduler import SchedulerDecision, TrialScheduler, TrialSuggestion
except ImportError as error:
    raise missing("Syne Tune", "syne-tune") from error


class LcodeScheduler(TrialScheduler):
    """Ends a trial whose forecast says that it will hardly beat the best one; all else another scheduler says.

    That one suggests configurations, hears every result, and may stop or pause trials too. The trials that finished are
    learned from while the sweep goes on. What is known is kept where Syne Tune keeps its schedulers, in the file of the
    tuner: a tuner that is loaded goes on with the same decisions.

    Examples:
        >>> from syne_tune.config_space import loguniform
        >>> from syne_tune.optimizer.baselines import RandomSearch
        >>> from lcode.hooks.syne_tune import LcodeScheduler
        >>> search = RandomSearch({"lr": loguniform(1e-4, 1)}, metrics=["miou"], do_minimize=False)
        >>> scheduler = LcodeScheduler(search, {"miou": "max", "abs_err": "min"}, horizon=30, time_attr="epoch")
    """

    def __init__(
        self,
        scheduler: TrialScheduler,
        metrics: Mapping[str, Direction] | Sequence[str],
        *,
        horizon: float,
        time_attr: str = "training_iteration",
        **options: Any,
    ) -> None:
        """Wrap a scheduler.

        Args:
            scheduler: suggests the configurations, such as `RandomSearch`.
            metrics: the metrics that trials report, each with `min` or `max`, or as a list where the names say it.
            horizon: last planned epoch of each trial, at which it is ended, as by `max_t` of Syne Tune's own.
            time_attr: what counts the epochs in a result.
            options: of `lcode.Monitor`, by name: `min_epochs` is what `grace_period` is to Syne Tune's own schedulers;
                `history`, `objective`, `baseline`, `keep`, `every`, `nan`, `dry_run` …

        Raises:
            UsageError: no metric, an option out of range or of the wrong type.
        """
        check_passed_on(options, LcodeScheduler, Monitor, said_by={"directions": "metrics"})
        super().__init__(random_seed=scheduler.random_seed)
        self.scheduler = scheduler
        self.trials = TrialRuns(metrics, horizon=horizon, time_attr=time_attr, options=options)

    def suggest(self) -> TrialSuggestion | None:
        """What the other scheduler suggests."""
        return self.scheduler.suggest()

    def on_trial_add(self, trial: Trial) -> None:
        """A trial begins, or goes on after a pause."""
        self.trials.start(_run(trial), trial.config)
        self.scheduler.on_trial_add(trial)

    def on_trial_result(self, trial: Trial, result: dict[str, Any]) -> str:
        """Whether the trial goes on: stopped by its forecast or at its horizon, else what the other scheduler says.

        Raises:
            UsageError: the result lacks the epoch or a metric; the text lists what it has.
        """
        run = _run(trial)
        verdict = self.trials.report(run, result)
        decision: str = self.scheduler.on_trial_result(trial, result)
        if verdict.stop or (self.trials.is_over(run) and not verdict.dry_run):
            return SchedulerDecision.STOP
        if decision == SchedulerDecision.STOP:
            self.trials.end(run, "stopped")
        return decision

    def on_trial_complete(self, trial: Trial, result: dict[str, Any]) -> None:
        """The trial ended by itself."""
        self.trials.complete(_run(trial), result)
        self.scheduler.on_trial_complete(trial, result)

    def on_trial_error(self, trial: Trial) -> None:
        """The trial failed."""
        self.trials.end(_run(trial), "failed")
        self.scheduler.on_trial_error(trial)

    def on_trial_remove(self, trial: Trial) -> None:
        """The trial was stopped or paused by a decision, of which the other scheduler may want to hear."""
        self.scheduler.on_trial_remove(trial)

    def metric_names(self) -> list[str]:
        """The metrics."""
        return list(self.trials.names)

    def metric_mode(self) -> list[Direction]:
        """`min` or `max` for each of them."""
        ways = {name: m.direction for m in self.trials.monitor.metrics for name in (m.key, f"{m.task}/{m.name}")}
        return [ways[name] for name in self.trials.names]

    def metadata(self) -> dict[str, Any]:
        """What Syne Tune keeps beside the results: of the other scheduler, and the metrics."""
        own = {"metric_names": self.metric_names(), "metric_mode": self.metric_mode()}
        return {**self.scheduler.metadata(), "scheduler_name": type(self).__name__, **own}


def _run(trial: Trial) -> str:
    return f"trial {trial.trial_id}"

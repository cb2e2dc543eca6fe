"""Ray Tune: a scheduler that ends trials by their forecasts, and whose memory survives `Tuner.restore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lcode.errors import UsageError
from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.monitor import Monitor
from lcode.hooks.trials import TrialRuns
from lcode.table import Direction

try:
    from ray.tune import Callback
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler
except ImportError as error:
    raise missing("Ray Tune", "ray") from error

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial


class LcodeScheduler(FIFOScheduler):
    """Ends a trial whose forecast says that it will hardly beat the best one; otherwise first come, first served.

    The trials that finished are learned from while the sweep goes on. A trial is known by its identity: one that is
    restored, paused or tried again goes on with its curve, from wherever its epochs say. A scheduler that is given to a
    second tuner begins anew; `history` is what an earlier sweep may teach.

    Ray keeps nothing of a scheduler. Hand over `as_callback()` as well, which is kept, and `Tuner.restore` goes on with
    the same decisions.

    Examples:
        >>> from ray import tune
        >>> from lcode.hooks.ray_tune import LcodeScheduler
        >>> scheduler = LcodeScheduler(metrics={"seg/miou": "max", "depth/abs_err": "min"}, horizon=30)
        >>> tuner = tune.Tuner(
        ...     lambda config: None,
        ...     tune_config=tune.TuneConfig(scheduler=scheduler),
        ...     run_config=tune.RunConfig(callbacks=[scheduler.as_callback()]),
        ... )
    """

    def __init__(
        self,
        metrics: Mapping[str, Direction] | Sequence[str] | None = None,
        *,
        horizon: float,
        time_attr: str = "training_iteration",
        action: Literal["stop", "pause"] = "stop",
        **options: Any,
    ) -> None:
        """Make a scheduler, which is given to the tuner: `TuneConfig(scheduler=…)`.

        Args:
            metrics: the metrics that trials report, each with `min` or `max`, or as a list where the names say it. Ray
                joins nested ones: `{"seg": {"miou": 0.3}}` is `seg/miou`. Default: the one of `TuneConfig`.
            horizon: last planned epoch of each trial, at which it is ended, as by `max_t` of Ray's own schedulers.
            time_attr: what counts the epochs in a result.
            action: what becomes of a trial that hardly beats the best one. `pause`: it waits, from its last checkpoint,
                until it is worth going on with, because another ended lower than was thought or failed; what waits when
                all others have ended is stopped then.
            options: of `lcode.Monitor`, by name: `min_epochs` is what `grace_period` is to Ray's own schedulers;
                `history`, `objective`, `baseline`, `keep`, `every`, `nan`, `dry_run` …

        Raises:
            UsageError: an option out of range or of the wrong type.
        """
        super().__init__()
        check_passed_on(options, LcodeScheduler, Monitor, said_by={"directions": "metrics"})
        if action not in ("stop", "pause"):
            raise UsageError(f"action is {action!r}; it is 'stop' or 'pause'")
        self._pauses, self._waiting = action == "pause", dict[str, _Waiting]()
        self._metrics = metrics
        self._settings: dict[str, Any] = {"horizon": horizon, "time_attr": time_attr, "options": options}
        self._trials = None if metrics is None else TrialRuns(metrics, **self._settings)

    @property
    def trials(self) -> TrialRuns:
        """What is known of the trials; `trials.monitor.log` has the verdicts with their reasons.

        Raises:
            UsageError: no metric is known.
        """
        if self._trials is None:
            raise UsageError(
                "no metric is known; say LcodeScheduler(metrics={'seg/miou': 'max'}, …) or TuneConfig(metric=, mode=)"
            )
        return self._trials

    def as_callback(self) -> Callback:
        """What keeps the memory with the experiment's state: `RunConfig(callbacks=[scheduler.as_callback()])`."""
        return _Memory(self)

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """A sweep begins: trials of an earlier one count no more, and `TuneConfig` says the metric if none was given.

        Ray calls this before it hands the callback the state of an experiment that is restored.
        """
        named: Any = None if metric is None else [metric] if mode is None else {metric: mode}
        metrics = named if self._metrics is None else self._metrics
        if self._metrics is None or self.trials.begun:
            self._trials = None if metrics is None else TrialRuns(metrics, **self._settings)
            self._waiting.clear()
        return True

    def on_trial_add(self, tune_controller: object, trial: Trial) -> None:
        """A trial is there: a new one, one that is tried again, or one of a restored experiment."""
        self.trials.start(trial.trial_id, trial.config)

    def on_trial_result(self, tune_controller: object, trial: Trial, result: dict[str, Any]) -> str:
        """Whether the trial goes on.

        Raises:
            UsageError: the result lacks the epoch or a metric; the text lists what it has.
        """
        verdict = self.trials.report(trial.trial_id, result)
        if self._pauses and verdict.stop and verdict.score is not None:  # a diverged one is not waited for
            self._waiting[trial.trial_id] = _Waiting(self.trials.ended, False)
            return TrialScheduler.PAUSE
        over = self.trials.is_over(trial.trial_id) and not verdict.dry_run
        return TrialScheduler.STOP if verdict.stop or over else TrialScheduler.CONTINUE

    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        """The next one that waits for its first turn; else a paused one that is worth going on with by now."""
        trials = tune_controller.get_trials()
        if not self._pauses or any(trial.status == trial.PENDING for trial in trials):
            return super().choose_trial_to_run(tune_controller)
        paused = [trial for trial in trials if trial.status == trial.PAUSED]
        ended = self.trials.ended
        for trial in paused:
            known = self._waiting.get(trial.trial_id)
            if known is None or known.ended != ended:  # Ray asks ten times a second
                goes_on = not self.trials.reconsider(trial.trial_id).stop
                known = self._waiting[trial.trial_id] = _Waiting(ended, goes_on)
            if known.goes_on:
                return trial
        if not any(trial.status == trial.RUNNING for trial in trials):
            for trial in paused:
                tune_controller.stop_trial(trial)
        return None

    def on_trial_complete(self, tune_controller: object, trial: Trial, result: dict[str, Any]) -> None:
        """The trial ended by itself, or by the criterion of the tuner, of whose last result only this call tells."""
        self.trials.complete(trial.trial_id, result)

    def on_trial_error(self, tune_controller: object, trial: Trial) -> None:
        """The trial failed; if it is tried again it goes on."""
        self.trials.end(trial.trial_id, "failed")

    def on_trial_remove(self, tune_controller: object, trial: Trial) -> None:
        """The trial was ended while it waited or paused."""
        self.trials.end(trial.trial_id, "stopped")

    def debug_string(self) -> str:
        """The last verdict, which Ray prints in its status."""
        return self.trials.told()


class _Waiting(NamedTuple):
    """What was decided on a paused trial, and how many others had ended by then."""

    ended: int
    goes_on: bool


class _Memory(Callback):
    """Saves and restores what a scheduler knows, with the state of the experiment."""

    def __init__(self, scheduler: LcodeScheduler) -> None:
        self._scheduler = scheduler

    def get_state(self) -> dict[str, Any]:
        return self._scheduler.trials.state_dict()

    def set_state(self, state: dict[str, Any]) -> None:
        self._scheduler.trials.load_state_dict(state)

"""Optuna: a pruner that reads how a trial will end off its curves, for one objective or several.

Whatever a decision needs lies in the study's storage: any worker decides alike, and so does one that is resumed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Verdict
from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks.extras import missing
from lcode.hooks.inputs import as_epoch, as_values, check_passed_on
from lcode.hooks.judge import model_or_pretrained
from lcode.hooks.monitor import Monitor
from lcode.hooks.stored_trials import StoredStudy, run_of
from lcode.hooks.trials import make_monitor
from lcode.readers.loggers.optuna_told import REPORT, VERDICT
from lcode.table import Direction

try:
    from optuna import Study, TrialPruned
    from optuna.pruners import BasePruner
    from optuna.storages import BaseStorage
    from optuna.study import StudyDirection
    from optuna.trial import BaseTrial, FrozenTrial, TrialState
except ImportError as error:
    raise missing("Optuna", "optuna") from error

VALUE = "value"
"""What Optuna's own reports are called where the study does not name its objective."""

_DIRECTIONS: dict[StudyDirection, Direction] = {StudyDirection.MINIMIZE: "min", StudyDirection.MAXIMIZE: "max"}

_STATES = (TrialState.COMPLETE, TrialState.RUNNING, TrialState.PRUNED)
"""Trials that decisions depend on; what failed counts no more."""


class LcodePruner(BasePruner):
    """Prunes a trial whose forecast says that it will hardly beat the best one.

    For a study of one objective it takes the place of any pruner of Optuna's. For several metrics, or several
    objectives, wrap the trial: see `LcodeTrial`. The trials that are complete are learned from while the study goes on.

    The last verdict on a trial, with its reason and its forecast, is the trial's user attribute `lcode:verdict`.

    Examples:
        >>> import optuna
        >>> from lcode.hooks.optuna import LcodePruner
        >>> def objective(trial: optuna.Trial) -> float:
        ...     rate = trial.suggest_float("rate", 0.01, 1, log=True)
        ...     for epoch in range(10):
        ...         accuracy = 0.9 - 0.8 * (1 - rate) ** (epoch + 1)
        ...         trial.report(accuracy, epoch)
        ...         if trial.should_prune():
        ...             raise optuna.TrialPruned
        ...     return accuracy
        >>> study = optuna.create_study(direction="maximize", pruner=LcodePruner(horizon=10))
        >>> study.optimize(objective, n_trials=3)
    """

    def __init__(self, *, horizon: float, directions: Mapping[str, Direction] | None = None, **options: Any) -> None:
        """Make a pruner, which is given to the study: `create_study(pruner=LcodePruner(horizon=30))`.

        Args:
            horizon: how many epochs (or steps) a trial is trained: `for epoch in range(30)` has a horizon of 30, and so
                has `range(1, 31)`.
            directions: `min` or `max` by metric. Default: those of the study's objectives, for the metrics that bear
                their names (`study.set_metric_names`), then what the name says.
            options: of `lcode.Monitor`, by name: `min_epochs` is what `n_warmup_steps` is to Optuna's own pruners (its
                default, 3, is the first report where steps of an optimiser are counted), `every` is `interval_steps`;
                `history`, `objective`, `baseline`, `keep`, `nan`, `dry_run` …

        Raises:
            UsageError: an option out of range or of the wrong type.
        """
        check_passed_on(options, LcodePruner, Monitor)
        self._horizon, self._directions, self._options = horizon, dict(directions or {}), options
        self._cache = _Cache()
        self._new_monitor({}, ())  # refuses what cannot be, before the first trial

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial is to be pruned; what `trial.should_prune()` asks."""
        verdict = self.decide(study, trial.number)
        return verdict is not None and verdict.stop

    def decide(self, study: Study, number: int) -> Verdict | None:
        """The verdict on a trial that runs, with its reason; None before its first report.

        The same one, from the storage, until there is another report.

        Args:
            study: the study.
            number: the number of the trial.
        """
        with self._cache.lock:
            stored = self._stored(study)
            trials = stored.trials(study.get_trials(deepcopy=False, states=_STATES))
            trial = trials.get(number)
            if trial is None or not trial.reports:
                return None
            if trial.is_decided:
                return trial.verdict
            verdict, kept = stored.decide(trials, number)
            # Optuna's own pruners keep their state in this way too: there is no public one within `prune`.
            study._storage.set_trial_user_attr(trial.frozen._trial_id, VERDICT, kept)
            return verdict

    def expected_gains(
        self, study: Study, configs: Sequence[Mapping[str, Any]], *, min_trials: int
    ) -> NDArray[np.float64] | None:
        """What trials with these parameters are expected to gain over the best finished one; see `NothingToGain`.

        Args:
            study: the study.
            configs: parameters of C trials.
            min_trials: so many trials must have finished.

        Returns:
            Expected improvements, shape [C], NaN where a configuration cannot be forecast; None if nothing can be said.
        """
        with self._cache.lock:
            stored = self._stored(study)
            trials = stored.trials(study.get_trials(deepcopy=False, states=_STATES))
            if sum(trial.is_finished for trial in trials.values()) < min_trials:
                return None
            return stored.follow(trials).expected_gains(configs, horizon=self._horizon)

    def _stored(self, study: Study) -> StoredStudy:
        """What is known of the study; the last one is kept."""
        cache = self._cache
        if cache.storage is not study._storage or cache.study_id != study._study_id or cache.study is None:
            names, ways = study.metric_names, [_DIRECTIONS[direction] for direction in study.directions]
            value_name = names[0] if names and len(names) == 1 else VALUE
            named = dict(zip(names or [value_name], ways, strict=True)) if names or len(ways) == 1 else {}
            # By its number: a study that is deleted and begun anew may have the name of the old one.
            cache.storage, cache.study_id = study._storage, study._study_id
            cache.study = StoredStudy(value_name, partial(self._new_monitor, named))
        return cache.study

    def _new_monitor(self, named: Mapping[str, Direction], names: Sequence[str]) -> Monitor:
        """A monitor of these metrics; the model is loaded once."""
        cache = self._cache
        if cache.model is None:
            cache.model = model_or_pretrained(self._options.get("model"))
        options = {**self._options, "model": cache.model}
        return make_monitor(names, directions={**named, **self._directions}, horizon=self._horizon, options=options)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_cache"}

    def __setstate__(self, settings: Mapping[str, Any]) -> None:
        vars(self).update(settings)
        self._cache = _Cache()


@dataclass
class _Cache:
    """What a pruner knows without asking: the model, and what it has read of the last study.

    A study may be pickled, with its pruner; this is read anew then.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)  # `n_jobs` threads share a study
    model: Forecaster | None = None
    storage: BaseStorage | None = None
    study_id: int | None = None
    study: StoredStudy | None = None


class LcodeTrial:
    """A trial that reports several metrics an epoch, in a study of one objective or of several.

    All else, such as `suggest_float`, is that of the trial that it wraps. The study has an `LcodePruner`, which holds
    the settings. A trial outside a study (`FixedTrial`, `FrozenTrial`) is never pruned.

    Examples:
        >>> import optuna
        >>> from lcode.hooks.optuna import LcodePruner, LcodeTrial
        >>> def objective(plain: optuna.Trial) -> tuple[float, float]:
        ...     trial = LcodeTrial(plain)
        ...     rate = trial.suggest_float("rate", 0.01, 1, log=True)
        ...     for epoch in range(10):
        ...         miou, error = 0.9 - 0.8 * (1 - rate) ** (epoch + 1), 0.2 + rate / 2
        ...         trial.report({"seg/miou": miou, "depth/abs_err": error}, epoch)
        ...         if trial.should_prune():
        ...             return trial.predicted_values("seg/miou", "depth/abs_err")  # or raise optuna.TrialPruned
        ...     return miou, error
        >>> study = optuna.create_study(directions=["maximize", "minimize"], pruner=LcodePruner(horizon=10))
        >>> study.optimize(objective, n_trials=3)
    """

    def __init__(self, trial: BaseTrial) -> None:
        """Wrap a trial.

        Raises:
            UsageError: the study has another pruner.
        """
        study = getattr(trial, "study", None)
        if study is not None and not isinstance(study.pruner, LcodePruner):
            raise UsageError(
                f"the study's pruner is a {type(study.pruner).__name__}; "
                "give it ours: optuna.create_study(pruner=LcodePruner(horizon=30))"
            )
        self.trial = trial
        self._study: Study | None = study

    def report(self, values: Mapping[str, float], step: float) -> None:
        """Report an epoch, to the storage.

        An epoch may be reported in parts, twice, or with a metric missing; one before the last that was reported before
        with other values says that the trial was started again from there.

        Args:
            values: metric -> value in natural units, as Python's, numpy's or torch's numbers.
            step: the epoch.

        Raises:
            UsageError: something that is no number.
        """
        run = run_of(self.trial.number)
        epoch = as_epoch(step, run)
        numbers = as_values(values, run, epoch)
        if self._study is not None and numbers:
            count = sum(key.startswith(REPORT) for key in self.trial.user_attrs)
            self.trial.set_user_attr(f"{REPORT}{count}", [epoch, numbers])

    def should_prune(self) -> bool:
        """Whether the trial is to be pruned: then raise `TrialPruned`, or return `predicted_values`."""
        verdict = self.verdict()
        return verdict is not None and verdict.stop

    def verdict(self) -> Verdict | None:
        """The verdict after the last report, with its reason and its forecast; None before the first one."""
        if self._study is None:
            return None
        pruner = self._study.pruner
        assert isinstance(pruner, LcodePruner)
        return pruner.decide(self._study, self.trial.number)

    def predicted_values(self, *metrics: str) -> tuple[float, ...]:
        """What these metrics are forecast to be at the horizon: the medians, in natural units.

        Returned by the objective of a trial that is to be pruned, they are its values in the study, which so counts as
        complete, and its sampler learns from what the trial would have become. `lcode` does not count it as finished.

        Raises:
            TrialPruned: there is no forecast, as of a trial that diverged: it is pruned without values.
            UsageError: one of these is not forecast; the text lists those that are.
        """
        verdict = self.verdict()
        forecast = {} if verdict is None else verdict.forecast
        if not forecast:
            raise TrialPruned("there is no forecast" if verdict is None else verdict.reason)
        unknown = [name for name in metrics if name not in forecast]
        if unknown:
            raise UsageError(f"no forecast of '{unknown[0]}'; there are: {', '.join(forecast)}")
        return tuple(forecast[name]["median"] for name in metrics)

    def __getattr__(self, name: str) -> Any:
        if name == "trial":  # while it is unpickled or copied
            raise AttributeError(name)
        return getattr(self.trial, name)

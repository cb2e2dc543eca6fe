"""Early stopping for one run, alone or beside others: the small core that the hooks of training frameworks share."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from lcode.arguments import check_count, check_kind
from lcode.decisions import GainRule
from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks.decision import Decision, decided, unchanged
from lcode.hooks.inputs import as_epoch, as_horizon, as_run, whole_state
from lcode.hooks.monitor import Monitor
from lcode.hooks.run_names import NAME
from lcode.hooks.shared import SharedMonitor
from lcode.hooks.stopper_state import reports_of, warn_of_another
from lcode.hooks.trials import SHOWN_KEYS, only_metric, plain_config
from lcode.hooks.watched import Watched, about, metric_key, watched
from lcode.table import RunStatus, RunTable
from lcode.table.runlog import check_name


class EarlyStopper:
    """Stops a training when its forecast says that nothing is left to gain, or that other runs will be better.

    Alone, a run stops when no watched metric is likely to become better than it has been so far (`GainRule`). With
    `sweep` or `history` it also stops when it will hardly beat the best of the others (`Monitor`). Every decision
    follows from what was reported so far, so a training that is killed and goes on decides as if nothing had happened.

    Attributes:
        monitor: the watched metrics, with their directions.
        run: name of the run; of one that was given none in a sweep, known from its first report on.
        decision: the last decision; None before the first.

    Examples:
        >>> import lcode
        >>> stopper = lcode.EarlyStopper({"A/acc": "max", "B/loss": "min"}, max_epochs=200)
        >>> for epoch in range(1, 201):
        ...     values = {"A/acc": min(0.8, 0.1 * epoch), "B/loss": max(0.3, 1 - 0.1 * epoch)}  # train, validate
        ...     if decision := stopper.update(epoch, values):
        ...         break
        >>> decision.kind, decision.saved_epochs > 100, decision.best["A/acc"]
        ('nothing to gain', True, (8, 0.8))
    """

    def __init__(
        self,
        monitor: Watched,
        max_epochs: float | None = None,
        *,
        min_epochs: int = 10,
        min_delta: float | Mapping[str, float] | None = None,
        confidence: float = 0.9,
        run: str | None = None,
        config: Mapping[str, Any] | None = None,
        sweep: Monitor | str | os.PathLike[str] | None = None,
        history: RunTable | None = None,
        model: Forecaster | None = None,
        nan: Literal["stop", "skip"] = "stop",
        dry_run: bool = False,
    ) -> None:
        """Make a stopper; the forecaster is loaded with the first epoch.

        Args:
            monitor: the metrics to watch, such as `{"A/acc": "max", "B/loss": "min"}`; `task/metric` where there are
                several tasks. Names whose direction is well known may be given without it.
            max_epochs: planned last epoch; a hook asks its framework.
            min_epochs: no run is stopped before this epoch (a diverged one is).
            min_delta: what counts as an improvement over the best value so far, in the metric's unit; as a mapping, by
                metric. Default: 2 % of what the metric has improved since its first value; of the value itself while it
                has not improved at all.
            confidence: that nothing more is to be gained, 0 to 1, for a run to be stopped for that.
            run: name of the run; give each run of a sweep its own. Default: `run`; in a sweep the first free one of
                `run`, `run-2`, …, or that of the last run with this configuration if the reports go on beyond its first
                epoch.
            config: hyper-parameters; what is neither a number nor text is left out.
            sweep: what the run is compared by: a `Monitor`, or the folder that the runs of a sweep share (see
                `lcode.monitor`). None: by the history alone.
            history: earlier runs with the same metrics; not together with a `Monitor`, which has its own.
            model: any fitted forecaster; default: the pretrained one. Not together with a `Monitor`.
            nan: what NaN and infinity mean, see `Monitor`.
            dry_run: decisions say what they would do, and do not stop.

        Raises:
            UsageError: an option out of range or of the wrong type, a metric whose direction is not known, or a name
                that no file in the folder can have.
        """
        self.monitor = watched(monitor)
        self.run, self.max_epochs, self.dry_run = as_run(NAME if run is None else run), max_epochs, dry_run
        check_kind("dry_run", dry_run, bool, "True or False")
        check_kind("sweep", sweep, (Monitor, str, os.PathLike, type(None)), "a Monitor, or the folder of a sweep")
        if isinstance(sweep, Monitor) and (history is not None or model is not None):
            raise UsageError("the monitor given as sweep has a history and a model of its own; leave yours out")
        if run is not None and isinstance(sweep, (SharedMonitor, str, os.PathLike)):
            check_name(self.run)
        if max_epochs is not None:
            as_horizon(max_epochs, self.run)
        check_count("min_epochs", min_epochs, 0)
        if isinstance(min_delta, Mapping):
            unknown = [name for name in min_delta if name not in self.monitor]
            if unknown:
                raise UsageError(f"min_delta is of '{unknown[0]}', watched are {', '.join(self.monitor)}")
            min_delta = {metric_key(name): delta for name, delta in min_delta.items()}
        self._rule = GainRule(confidence, min_delta)
        self._config, self._sweep, self._history = config, sweep, history
        self._options: dict[str, Any] = {"model": model, "min_epochs": min_epochs, "nan": nan, "dry_run": dry_run}
        self._named = run is not None or sweep is None
        self._forget_training()

    def _forget_training(self) -> None:
        """As before the first training."""
        self.run = self.run if self._named else NAME
        self.decision: Decision | None = None
        self._live: Monitor | None = None
        self._state: Mapping[str, Any] | None = None
        self._each: float | None = None
        self._to_start: dict[str, Any] | None = None
        self._begins_anew = self._started = False
        self._seen: set[str] = set()
        self._reported: dict[str, None] = {}
        self._warned = False

    def begin(
        self,
        max_epochs: float | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        run: str | None = None,
        epochs_each: float = 1,
        least: float = 0,
    ) -> None:
        """Take up the run; `update` does it by itself where nothing more is to be said.

        Args:
            max_epochs: planned last epoch, where it was not given before.
            config: hyper-parameters, where they were not given before.
            run: name of the run, where none was given before, such as that of a tuner's trial.
            epochs_each: how many of the epochs that will be reported make one of those that the options are in; a
                framework that validates within an epoch counts steps.
            least: no run is stopped before this one of the epochs that will be reported, either.

        Raises:
            UsageError: no last epoch is known; the run of a sweep counted epochs before and now counts steps, or the
                reverse; or see `Monitor`.
        """
        horizon = max_epochs if self.max_epochs is None else self.max_epochs * epochs_each
        if horizon is None:
            raise UsageError(f"run '{self.run}': how long will it train? Say max_epochs=200")
        before, self._each = self._each, epochs_each
        recounted = before is not None and before != epochs_each
        if self._sweep is not None:  # whose runs may each have another number of steps
            recounted = recounted and 1 in (before, epochs_each)
        if recounted and self._sweep is not None:
            self._check_recounted(epochs_each)
        self._begins_anew = recounted
        live, state = self._live, self._state
        min_epochs = round(max(self._options["min_epochs"] * epochs_each, least))
        if live is None or (live is not self._sweep and (recounted or live.rule.min_epochs != min_epochs)):
            if live is not None and not recounted:
                state = live.state_dict(log=False)
            if isinstance(live, SharedMonitor):
                live.close()
            self._live = live = self._monitor(min_epochs)
            if state is not None and not recounted and live is not self._sweep:
                live.load_state_dict(state)
        self._state = None
        live.announce(self.monitor)
        known = config if self._config is None else self._config
        self._to_start = {"config": None if known is None else plain_config(known), "horizon": horizon}
        if self._named or run is not None:
            self.run = self.run if self._named or run is None else as_run(run)
            self._start()
            if recounted and state is not None and before is not None:  # a checkpoint of a training that goes on
                live.recall(self.run, reports_of(state, self.run, epochs_each / before))
        if state is not None and not recounted:
            self._recall_own(state)

    def update(self, epoch: float, metrics: Mapping[str, Any]) -> Decision:
        """Tell an epoch and hear whether to stop.

        Args:
            epoch: the epoch that the metrics were measured after.
            metrics: metric -> value; what is not watched is left alone, and a watched one need not be there each time.

        Raises:
            UsageError: see `Monitor.report`.
        """
        if self._live is None:
            self.begin()
        assert self._live is not None
        epoch = as_epoch(epoch, self.run)
        if self._to_start is not None:
            self._choose_name(epoch)
        check_kind(f"run '{self.run}', epoch {epoch}: metrics", metrics, Mapping, "values by metric")
        values = self._chosen(metrics)
        self._reported.update(dict.fromkeys(map(str, metrics)))
        verdict = self._live.report(self.run, epoch, values) if values else None
        if epoch >= self._live.rule.min_epochs:  # when it matters
            self._warn_of_missing("and may improve for all that is known")
        if verdict is None:
            self.decision = unchanged(self.decision, epoch)
            return self.decision
        seen = None if verdict.action == "stop" else self._live.outlook(self.run, self._rule)
        over, end = self._live.status(self.run) == "finished", self._live.planned(self.run)
        self.decision = decided(verdict, seen, self._rule, self.monitor, over=over, end=end, dry_run=self.dry_run)
        if self.decision.stop and not verdict.stop:
            self._live.finish(self.run)  # what it has reached counts for the others
        return self.decision

    def recall(self, reports: Iterable[tuple[float, Mapping[str, Any]]]) -> None:
        """Take up what was told before the training was interrupted, without deciding anything.

        Args:
            reports: epoch and metrics of each, in order; a folder knows them already.

        Raises:
            UsageError: nothing was begun.
        """
        if self._live is None:
            raise UsageError(f"run '{self.run}': call begin() before recall(), so that its last epoch is known")
        told = [(epoch, self._chosen(metrics)) for epoch, metrics in reports]
        if told and not isinstance(self._live, SharedMonitor):
            if self._to_start is not None:
                self._choose_name(told[0][0])
            self._live.recall(self.run, told)

    def finish(self, status: RunStatus = "finished") -> None:
        """The training ended otherwise than by a decision or at its last epoch, see `Monitor.finish`."""
        if self._live is None:
            return
        if status == "finished":
            self._warn_of_missing("so nothing was decided by it")
        if self._to_start is None and self._live.status(self.run) == "running":
            self._live.finish(self.run, status)

    def told(self) -> str:
        """The last decision, as a line for a log."""
        last = self.decision
        if last is None:
            return f"lcode: no decision on run '{self.run}' yet"
        return f"lcode {'stops' if last else 'lets go on'} run '{self.run}' ({last.kind}): {last.reason}"

    def state_dict(self) -> dict[str, Any]:
        """All that was reported, as plain JSON values, to survive a resume; a shared folder survives by itself."""
        reported = self._state if self._live is None else self._live.state_dict(log=False)
        run = None if self._named or not self._started else self.run
        return {"seen": sorted(self._seen), "epochs_each": self._each, "run": run, "monitor": reported}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that a stopper with the same settings saved.

        Raises:
            UsageError: the state is of another version, or is not whole.
        """
        with whole_state("stopper"):
            self._seen, self._state = set(state["seen"]), state["monitor"]
            self._each = state.get("epochs_each", self._each)  # states of version 0.1 have none
            run = state.get("run")  # nor this
        if run is not None and not self._named:
            self.run, self._started = as_run(run), True
        if self._state is not None and self._sweep is None:
            warn_of_another(self._state, self.run, map(metric_key, self.monitor))
        if self._live is None or self._state is None:
            return
        if self._live is self._sweep:
            self._recall_own(self._state)
        else:
            self._live.load_state_dict(self._state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A stopper of another training in the same sweep: a tuner that copies its callbacks for each trial shares it.

        Nothing of the training that this one is in is copied.
        """
        if isinstance(self._sweep, Monitor):
            memo[id(self._sweep)] = self._sweep
        blank = copy.copy(self)
        blank._forget_training()
        memo[id(self)] = made = object.__new__(type(self))
        made.__dict__.update(copy.deepcopy(blank.__dict__, memo))
        return made

    def _recall_own(self, state: Mapping[str, Any]) -> None:
        """Let the monitor that was given as the sweep know what this run reported, unless it does; the others stay."""
        assert self._live is not None
        told = reports_of(state, self.run) if self._live is self._sweep else []
        if told and not self._live.measured(self.run):
            if self._to_start is not None:
                self._start()
            self._live.recall(self.run, told)

    def _start(self) -> None:
        """Announce the run under its name."""
        assert self._live is not None and self._to_start is not None
        self._live.start(self.run, **self._to_start)
        self._to_start, self._started = None, True

    def _choose_name(self, epoch: float) -> None:
        """Announce a run of a sweep that was given no name, now that it is known whether it begins or goes on."""
        assert self._live is not None and self._to_start is not None
        own = self.run if self._started else None
        self.run = self._live.start_unnamed(-1 if self._begins_anew else epoch, own=own, **self._to_start)
        self._to_start, self._started = None, True

    def _check_recounted(self, epochs_each: float) -> None:
        """Refuse to count a run of a sweep in another unit than before.

        Raises:
            UsageError: it was given a name, and is no other run.
        """
        if self._named:
            units = ("epochs", "steps") if epochs_each != 1 else ("steps", "epochs")
            raise UsageError(
                f"run '{self.run}' has counted {units[0]} so far, and would count {units[1]} from now on: validate as "
                f"often as before, or give what follows another name, such as run='{self.run}-2'"
            )

    def _monitor(self, min_epochs: int) -> Monitor:
        if isinstance(self._sweep, Monitor):
            return self._sweep
        options = {**self._options, "min_epochs": min_epochs}
        if self._history is not None:
            options["history"] = about(self._history, self.monitor)
        if len(self.monitor) == 1 and (self._sweep, self._history) != (None, None):
            options["objective"] = only_metric
        if self._sweep is not None:
            return SharedMonitor(self._sweep, **options)
        return _OneRun(**options) if self._history is None else Monitor(**options)

    def _chosen(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The watched ones among the metrics."""
        values = {name: metrics[name] for name in self.monitor if metrics.get(name) is not None}
        self._seen |= values.keys()
        return values

    def _warn_of_missing(self, meaning: str) -> None:
        """Say once what was never reported, here or where a resumed training began, and what that means."""
        if self._warned or self._live is None or self._seen.issuperset(self.monitor):
            return
        known = self._live.measured(self.run)
        missing = [name for name in self.monitor if name not in self._seen and metric_key(name) not in known]
        if missing:
            self._warned = True
            there = list(self._reported)[:SHOWN_KEYS]
            warnings.warn(
                f"run '{self.run}': {', '.join(missing)} was never reported, {meaning}; "
                f"there are: {', '.join(there) or 'none'}",
                stacklevel=3,
            )


class _OneRun(Monitor):
    """A monitor of a run that is alone: what it may gain by itself is asked for, and nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._judge = replace(self._judge, compares=False)

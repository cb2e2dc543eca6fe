"""The monitor of a sweep: live runs report their epochs to it and hear whether to go on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import FinalValue, Objective, StopRule, Verdict
from lcode.decisions.objective import ScoreFunction
from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.forecasters.in_sweep import InSweep
from lcode.graphs import ArchGraph
from lcode.hooks.inputs import (
    as_config,
    as_epoch,
    as_horizon,
    as_run,
    as_schedule,
    as_values,
    check_architecture,
    check_options,
)
from lcode.hooks.judge import Judge, model_or_pretrained
from lcode.hooks.learned_metrics import LearnedMetrics
from lcode.hooks.live_run import Epoch, LiveRun, live_table
from lcode.hooks.scoreboard import Scoreboard
from lcode.hooks.sweep_axis import SweepAxis
from lcode.isolation import isolated
from lcode.table import Direction, Metric, RunStatus, RunTable
from lcode.table.table import empty_points

STATE_VERSION = 1

LOG_LIMIT = 10_000
"""So many verdicts are kept, the latest ones: about 5 MB of them, whatever the length of the sweep."""


class Monitor:
    """Tells live runs whether to go on, from forecasts of how they will end.

    A call that needs no forecast costs well below 10 ms whatever the size of the history: the history is read once.
    Only the run that reports is forecast, alone; of the others their last expected score is remembered. What the
    caller has switched on (autocast, inference mode, a default device) makes no difference.

    The pretrained model learns while the sweep goes on: the runs that have finished are taken up, in one to some
    seconds, whenever there are a quarter more of them (at 4, 5, 6, 8, 10, 13 … with those of the history).

    While there is no baseline and fewer than three runs have finished, every run goes on. The objective is then fixed,
    so that scores stay comparable; only a metric that comes later begins it anew, or one that was left out of Δm, since
    it ended at 0 or near it in most of these runs, and now has a median to be measured against.

    Attributes:
        model: the forecaster.
        log: the last `LOG_LIMIT` verdicts, in the order given.

    Examples:
        >>> import lcode
        >>> monitor = lcode.Monitor(history=lcode.read_logs("logs.csv"), objective="mean", min_epochs=3)
        >>> monitor.start("new", config={"lr": 0.01}, horizon=12)
        >>> monitor.report("new", 1, {"seg/miou": 0.11, "depth/abs_err": 0.89}).stop
        False
    """

    def __init__(
        self,
        model: Forecaster | None = None,
        history: RunTable | None = None,
        *,
        directions: Mapping[str, Direction] | None = None,
        objective: str | Objective | ScoreFunction = "delta_m",
        baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
        min_epochs: int = 3,
        keep: int = 3,
        delta: float = 0.05,
        every: int = 1,
        nan: Literal["stop", "skip"] = "stop",
        dry_run: bool = False,
        num_threads: int = 1,
        final: str | FinalValue = "horizon",
    ) -> None:
        """Make a monitor.

        Args:
            model: any fitted forecaster; default: the pretrained one, on the CPU. The pretrained one takes up the
                finished runs of the history and of the sweep (`Forecaster.in_context`); a fitted one stays as it is.
            history: the runs known so far; its metrics are those that may be reported, its finished runs are the
                first incumbents. A run of the history that reports is taken up where the history left it. Without one,
                the metrics are those that are reported.
            directions: without a history, `min` or `max` by metric, for names that do not say it themselves.
            objective: see `lcode.decisions.make_objective`.
            baseline: single-task references of `delta_m`: by metric key, or a CSV file. Without a history, those of
                metrics that have not been reported wait for them; until then each verdict's reason names them.
            min_epochs: no run is stopped before this epoch (a diverged one is).
            keep: the best so many of the runs that report, by current expectation, are never stopped.
            delta: a run is stopped when its probability of beating the incumbent is below this.
            every: decide at the first report at or after each multiple of so many epochs only.
            nan: what a value that is NaN or infinite means. `stop`: the run has diverged, and is stopped, when it lasts
                for `LASTING` reports of the metric. `skip`: the metric was not measured.
            dry_run: verdicts say what they would do, `stop` stays False.
            num_threads: torch threads while forecasting; the training's own number is restored.
            final: what a run ends with, and is compared by: `horizon`, `best` (best so far, of each metric on its own)
                or `last:5` (mean of the last 5 epochs).

        Raises:
            UsageError: an option out of range or of the wrong type, an unknown objective, name or final value.
            InputError: a baseline that cannot be read.
        """
        history = RunTable.from_points(empty_points(), ()) if history is None else history
        check_options(history, directions=directions, nan=nan, dry_run=dry_run, num_threads=num_threads)
        self.rule = StopRule(delta=delta, min_epochs=min_epochs, keep=keep, every=every)
        self.nan, self.dry_run, self.final = nan, dry_run, FinalValue.parse(final)
        self.model = model_or_pretrained(model)
        self.log: list[Verdict] = []
        self._judge = Judge(self._forecaster, self.rule, self.final, num_threads)
        self._history, self._axis = history, SweepAxis(history)
        self._learned, self._finished = InSweep(self.model, history), list[str]()
        known, learns = getattr(self.model, "known_metrics", ()), not history.metrics
        self._metrics = LearnedMetrics(history.metrics, directions=directions, known=known, learns=learns)
        self._runs: dict[str, LiveRun] = {}
        finished = history.with_status("finished")
        self._scores = Scoreboard(
            history.metrics,
            objective=objective,
            baseline=baseline,
            past=dict(zip(finished.run_ids, self.final.of_table(finished), strict=True)),
            archs={
                run: arch
                for run, arch in zip(history.run_ids, history.runs["arch"], strict=True)
                if isinstance(arch, str)
            },
            learns=learns,
        )
        with isolated(num_threads):
            self._forecaster()  # what the history teaches is learned before the first report

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured, with its directions: the history's metrics, or those reported so far."""
        return self._metrics.metrics

    @property
    def objective(self) -> Objective | None:
        """What runs are compared by; None until there is something to compare with."""
        return self._scores.objective

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, Any] | None = None,
        horizon: float | None = None,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> None:
        """Announce a run, or more of what is known of one; what is not given stays as it is.

        Args:
            run: name of the run. One of the history is taken up with all that the history knows of it.
            config: hyper-parameters, named as in the history.
            horizon: planned last epoch; default: the longest of the history, or else of the runs announced before.
                Where epochs count from 0, N means 0 … N − 1, unless runs of the history went so to epoch N.
            arch: key of the architecture: of its graph in the history, and of its references in the baseline.
            graph: the architecture.
            schedule: planned learning rate for the epochs 1..horizon.

        Raises:
            UsageError: no horizon is given or known, or an argument of the wrong type.
        """
        run = as_run(run)
        planned = None if horizon is None else self._axis.fitted(as_horizon(horizon, run))
        plain = None if config is None else as_config(config, run)
        rates = None if schedule is None else as_schedule(schedule, run)
        check_architecture(run, arch, graph)
        live = self._runs.get(run) or self._new_run(run, planned)
        self._runs[run] = live
        if planned is not None:
            live.horizon, live.from_zero = planned, self._axis.counts_from_zero(planned)
        live.config = live.config if plain is None else plain
        live.arch = live.arch if arch is None else arch
        live.graph = graph if graph is not None else live.graph or self._history.graphs.get(live.arch or "")
        if rates is not None:
            live.schedule, live.schedule_unit = rates, 1.0
        if live.arch is not None:
            self._scores.note_arch(run, live.arch)

    def report(
        self, run: str, epoch: float, values: Mapping[str, float], *, signals: Mapping[str, float] | None = None
    ) -> Verdict:
        """Report an epoch and hear whether to go on.

        Epochs may be reported in any order, twice, or with a task missing; a metric need not be measured every epoch.
        An epoch before the last one that was reported before with other values says that the run was started again from
        there: what was reported of later epochs is dropped. A run that was not announced starts with the longest
        horizon known. A run whose metrics are all reported at its last epoch is finished.

        Args:
            run: name of the run.
            epoch: the epoch that the values were measured after.
            values: metric key -> value in natural units, as Python's, numpy's or torch's numbers. For NaN and infinity
                see `nan`.
            signals: auxiliary values, such as `seg/train_loss`; read by the forecaster, never forecast.

        Raises:
            UsageError: an unknown metric (the text lists the right ones), or something that is no number.
        """
        run = as_run(run)
        at = self._axis.fitted(as_epoch(epoch, run))
        measured = as_values(values, run, at)
        extra = as_values({} if signals is None else signals, run, at, what="signals")
        keys = self._metrics.keys(measured)
        if len(self.metrics) > len(self._scores.metrics):
            self._scores.measure(self.metrics)
        if run not in self._runs:
            self.start(run)
        live = self._runs[run]
        known = {keys[name]: value for name, value in measured.items() if self.nan == "stop" or isfinite(value)}
        if live.record(at, known, extra) or live.status == "finished":
            self._forget(run)
        live.status = "running"
        verdict = replace(self._judge.decide(live, self.metrics, self._scores, self._axis.unit), dry_run=self.dry_run)
        if verdict.stop:
            live.status = "stopped"
        elif live.is_over(self.metrics):
            self.finish(run)
        if verdict.stop or (verdict.action == "stop" and verdict.score is None):
            # A diverged run is nobody's rival, even in a dry run.
            self._scores.hide(run)
        elif verdict.score is not None:
            self._scores.expect(run, verdict.score)
        self.log.append(verdict)
        del self.log[:-LOG_LIMIT]
        return verdict

    def finish(self, run: str, status: RunStatus = "finished") -> None:
        """The run has ended. The final score of a finished one may become the incumbent.

        Only needed for a run that ends otherwise than by a verdict or at its last epoch: one that failed, that ends
        early, or whose metrics are not all measured at the last epoch.

        Args:
            run: name of the run.
            status: `finished`: its last values are what it ends with; `failed` or `stopped`: it counts no more.

        Raises:
            UsageError: the run was never started, or no such status.
        """
        run = as_run(run)
        if run not in self._runs:
            raise UsageError(f"run '{run}' never reported; there are: {', '.join(self._runs) or 'none'}")
        if status not in get_args(RunStatus):
            raise UsageError(f"run '{run}': no status {status!r}; there are: {', '.join(get_args(RunStatus))}")
        live = self._runs[run]
        live.status = status
        self._forget(run)
        if status == "finished":
            self._finished.append(run)
            self._scores.finish(run, self._final_values(live))

    def state_dict(self, *, log: bool = True) -> dict[str, Any]:
        """All that was reported, as plain JSON values (NaN as Python's json writes it), to survive a resume.

        The model and the history are not in it: they are given anew.

        Args:
            log: whether the verdicts are in it; nothing but `Monitor.log` needs them.
        """
        population = self._scores.population
        return {
            "version": STATE_VERSION,
            "metrics": [[metric.task, metric.name, metric.direction] for metric in self.metrics],
            "epoch_unit": self._axis.unit,
            "runs": [live.to_json() for live in self._runs.values()],
            "finished": list(self._finished),
            "expected": dict(self._scores.standings.expected),
            "population": None if population is None else population.tolist(),
            "log": [verdict.to_json() for verdict in self.log] if log else [],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that a monitor with the same history and settings saved.

        Raises:
            UsageError: the state is of another version.
        """
        version = state.get("version") if isinstance(state, Mapping) else None
        if version != STATE_VERSION:
            raise UsageError(f"the state is of version {version}, this monitor reads {STATE_VERSION}")
        self._metrics.add(Metric(*parts) for parts in state.get("metrics", ()))
        self._axis.unit = state.get("epoch_unit", self._axis.unit)
        self._runs = {plain["name"]: LiveRun.from_json(plain) for plain in state["runs"]}
        self.log = [Verdict(**plain) for plain in state["log"]]
        ended = [run for run, live in self._runs.items() if live.status == "finished"]
        self._finished = list(state.get("finished", ended))  # states of version 0.1 do not say in which order
        for run, live in self._runs.items():
            self._scores.drop(run)
            if live.arch is not None:
                self._scores.note_arch(run, live.arch)
        if len(self.metrics) > len(self._scores.metrics):
            self._scores.measure(self.metrics)
        saved = state["population"]
        finals = {run: self._final_values(live) for run, live in self._runs.items() if live.status == "finished"}
        self._scores.restore(None if saved is None else np.array(saved, dtype=float), finals)
        for run, expected in state["expected"].items():
            self._scores.expect(run, expected)

    def _forecaster(self) -> Forecaster:
        """The model with what it has learned from the history and the runs that have finished since."""

        def table_of(runs: Sequence[str]) -> RunTable:
            return live_table([self._runs[run] for run in runs], self.metrics, self._axis.unit, status="finished")

        return self._learned.knowing(self._finished, table_of, self.metrics)

    def _forget(self, run: str) -> None:
        """The run goes on, or is trained anew, or ended without a result."""
        self._scores.drop(run)
        if run in self._finished:
            self._finished.remove(run)

    def _final_values(self, live: LiveRun) -> NDArray[np.float64]:
        return live.final_values(self.metrics, self.final, self._axis.unit)

    def _new_run(self, run: str, horizon: Epoch | None) -> LiveRun:
        self._scores.drop(run)
        if run in self._history.runs.index:
            return LiveRun.from_history(self._history, run)
        if horizon is None and self._axis.longest is not None:
            return LiveRun(run, self._axis.longest, self._axis.counts_from_zero(None))
        announced = [live.horizon for live in self._runs.values()]
        if horizon is None and not announced:
            raise UsageError(f"run '{run}': the history is empty, so say `start(run, horizon=…)` before it reports")
        longest = max(announced) if horizon is None else horizon
        return LiveRun(run, longest, self._axis.counts_from_zero(longest))

"""The monitor of a sweep: live runs report their epochs to it and hear whether to go on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Constraint, FinalValue, GainRule, Objective, Verdict
from lcode.decisions.budget import RegretBudget
from lcode.decisions.ending import Ending
from lcode.decisions.objective import ScoreFunction
from lcode.decisions.regret_rule import stop_rule
from lcode.forecasters.base import Forecaster
from lcode.graphs import ArchGraph
from lcode.hooks.asked import check_among_runs
from lcode.hooks.inputs import as_run, check_options, whole_state
from lcode.hooks.judge import Judge, model_or_pretrained
from lcode.hooks.live_run import LiveRun
from lcode.hooks.live_sweep import LiveSweep
from lcode.hooks.new_runs import expected_gains
from lcode.hooks.outlook import Outlook, outlook
from lcode.hooks.run_names import default_name
from lcode.isolation import isolated
from lcode.table import Direction, Metric, RunStatus, RunTable
from lcode.table.table import empty_points
from lcode.threads import Turn, in_turn

LOG_LIMIT = 10_000
"""So many verdicts are kept, the latest ones: about 5 MB of them, whatever the length of the sweep."""


class Monitor:
    """Tells live runs whether to go on, from forecasts of how they will end.

    A call that needs no forecast costs well below 10 ms whatever the size of the history: the history is read once.
    Only the run that reports is forecast, alone; of the others their last expected score is remembered. What the
    caller has switched on (autocast, inference mode, a default device) makes no difference. Threads may share a
    monitor: their calls are answered one after the other.

    The model learns while the sweep goes on: the runs that have finished are taken up, in one to some seconds, whenever
    there are a quarter more of them (at 4, 5, 6, 8, 10, 13 … with those of the history or of its fit).

    While there is no baseline and fewer than three runs have finished, runs are compared by what they are expected to
    end with, references included, from the second one on. The objective is then fixed, so that scores stay comparable;
    only a metric that comes later begins it anew, or one that was left out of Δm, since it ended at 0 or near it in
    most of these runs, and now has a median to be measured against.

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
        min_epochs: int | None = None,
        keep: int | None = None,
        delta: float | None = None,
        every: int = 1,
        regret: float | str | RegretBudget | None = None,
        alpha: float | None = None,
        nan: Literal["stop", "skip"] = "stop",
        dry_run: bool = False,
        num_threads: int = 1,
        final: str | FinalValue = "horizon",
        horizon: float | None = None,
        constraints: Sequence[str | Constraint] = (),
    ) -> None:
        """Make a monitor.

        Args:
            model: any fitted forecaster; default: the pretrained one, on the CPU. That one and what `lcode fit` makes
                take up the finished runs of the history and of the sweep (`Forecaster.in_context`).
            history: the runs known so far; its metrics are those that may be reported, its finished runs are the
                first incumbents. A run of the history that reports is taken up where the history left it. Without one,
                the metrics are those that are reported.
            directions: without a history, `min` or `max` by metric, for names that do not say it themselves.
            objective: see `lcode.decisions.make_objective`. With `mean_rank` the run to beat is the best among all;
                with `pareto` and `hypervolume` a run goes on that may end on the front.
            baseline: single-task references of `delta_m`: by metric key, or a CSV file. Without a history, those of
                metrics that have not been reported wait for them; until then each verdict's reason names them.
            min_epochs: no run is stopped before this epoch (a diverged one is); default: 3, with `regret` 2.
            keep: the best so many of the runs that report, by current expectation, are never stopped; default: 3, with
                `regret` 2.
            delta: a run is stopped when its probability of beating the incumbent is below this; default: 0.2. With
                `regret` one that is at least so likely is never stopped; default: 0.7.
            every: decide at the first report at or after each multiple of so many epochs only.
            regret: what may be lost by stopping, in place of the bare threshold: `0.5` in the objective's unit, or
                `"0.1 spread"` of best minus median score, or `"0.5 sd"` between repeats in the history; see
                `lcode.decisions.RegretRule`.
            alpha: chance with which more than `regret` may be lost; default: 0.1.
            nan: what a value that is NaN or infinite means. `stop`: the run has diverged, and is stopped, when it lasts
                for `LASTING` reports of the metric. `skip`: the metric was not measured.
            dry_run: verdicts say what they would do, `stop` stays False.
            num_threads: torch threads while forecasting; the training's own number is restored.
            final: what a run ends with, and is compared by: `horizon`, `best` (best so far, of each metric on its own),
                `best-epoch` (of all metrics at one epoch, that of the best score) or `last:5` (mean of the last 5
                epochs).
            horizon: planned last epoch of the runs that do not say another; default: see `start`.
            constraints: bounds on final values, such as `depth/abs_err<=0.4`: an end outside of one beats nobody, so a
                run that will hardly be feasible is stopped. Without a history, one waits for its metric.

        Raises:
            UsageError: an option out of range or of the wrong type; an unknown objective, name, bound or final value;
                or an objective that scores runs against one another beside `regret` or `final="best-epoch"`, which need
                scores of a run on its own.
            InputError: a baseline that cannot be read.
        """
        history = RunTable.from_points(empty_points(), ()) if history is None else history
        check_options(history, directions=directions, nan=nan, dry_run=dry_run, num_threads=num_threads)
        self.rule = stop_rule(regret, delta=delta, min_epochs=min_epochs, keep=keep, every=every, alpha=alpha)
        self.dry_run, self.final = dry_run, FinalValue.parse(final)
        check_among_runs(objective, self.final, regret)
        self.model = model_or_pretrained(model)
        self.log: list[Verdict] = []
        self._turn = Turn()
        self._sweep = LiveSweep(
            self.model,
            history,
            self.rule,
            directions=directions,
            objective=objective,
            baseline=baseline,
            nan=nan,
            final=self.final,
            horizon=horizon,
            constraints=constraints,
        )
        self._judge = Judge(self._sweep.forecaster, self.rule, self.final, num_threads)
        with isolated(num_threads):
            self._sweep.forecaster()  # what the history teaches is learned before the first report

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured, with its directions: the history's metrics, or those reported so far."""
        return self._sweep.metrics

    @property
    def objective(self) -> Objective | None:
        """What runs are compared by; None until there is something to compare with."""
        return self._sweep.scores.objective

    @in_turn
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
        self._sweep.start(run, config=config, horizon=horizon, arch=arch, graph=graph, schedule=schedule)

    @in_turn
    def report(
        self,
        run: str,
        epoch: float,
        values: Mapping[str, float],
        *,
        signals: Mapping[str, float] | None = None,
        horizon: float | None = None,
    ) -> Verdict:
        """Report an epoch and hear whether to go on.

        Epochs may be reported in any order, twice, or with a task missing; a metric need not be measured every epoch.
        An epoch before the last one that was reported before with other values says that the run was started again from
        there: what was reported of later epochs is dropped; so does its first epoch where an ended run was announced
        with another configuration. A run that was not announced starts with the longest
        horizon known. A run whose metrics are all reported at its last epoch is finished.

        Args:
            run: name of the run.
            epoch: the epoch that the values were measured after.
            values: metric key -> value in natural units, as Python's, numpy's or torch's numbers. For NaN and infinity
                see `nan`.
            signals: auxiliary values, such as `seg/train_loss`; read by the forecaster, never forecast.
            horizon: planned last epoch of the run, as for `start`.

        Raises:
            UsageError: an unknown metric (the text lists the right ones), something that is no number, or a first
                report far beyond the horizon.
        """
        report = self._sweep.checked(run, epoch, values, signals=signals, horizon=horizon)
        self._sweep.check_reach(report, dry_run=self.dry_run)
        return self._decide(self._sweep.take(report))

    @in_turn
    def reconsider(self, run: str) -> Verdict:
        """Decide anew on a run that has reported, by what is known now: one that was stopped may go on after all.

        Its rival may have ended lower than was thought, or failed; or there was room in the budget when a better run
        had been found. One that then goes on counts as running.

        Args:
            run: name of the run.

        Raises:
            UsageError: the run was never started.
        """
        live = self._sweep.known(run)
        live.status = "running"
        return self._decide(live)

    @in_turn
    def announce(self, metrics: Iterable[str] | Mapping[str, Direction]) -> None:
        """These metrics will be reported; else a metric is known from its first report on.

        Args:
            metrics: their names; as a mapping, with `min` or `max` for each.

        Raises:
            UsageError: a name that is not known and cannot be learned, or a direction other than the one known.
        """
        self._sweep.announce(metrics)

    @in_turn
    def recall(
        self,
        run: str,
        reports: Iterable[tuple[float, Mapping[str, float]]],
        *,
        verdict: Verdict | None = None,
        before: Sequence[Ending] = (),
    ) -> None:
        """Take up what a run reported elsewhere, such as to another process: as `report` does, but nothing is decided.

        Of one that has ended, tell `finish` after it.

        Args:
            run: name of the run.
            reports: epoch and values of each report, in the order in which they came; those not recalled before.
            verdict: the last one that the run was given, if any: what it is expected to end with.
            before: its forecasts before that one, as far as they have a say; see `looks`.

        Raises:
            UsageError: see `report`.
        """
        self._sweep.start(run)
        for epoch, values in reports:
            self._sweep.record(run, epoch, values)
        if verdict is not None:
            if verdict.ending is not None:  # in place of what was told before
                self._sweep.scores.expect(run, (*before, verdict.ending), stopped=verdict.stop)
            else:
                self._rank(verdict)

    @in_turn
    def looks(self, run: str) -> tuple[Ending, ...]:
        """The forecasts of a run that have a say in what is believed of it, the latest one last."""
        return self._sweep.scores.looks(as_run(run))

    @in_turn
    def status(self, run: str) -> RunStatus | None:
        """How the run stands by what was reported and decided; None for one that was never started here."""
        live = self._sweep.runs.get(as_run(run))
        return None if live is None else live.status

    @in_turn
    def start_unnamed(
        self, epoch: float, *, own: str | None, config: Mapping[str, Any] | None, horizon: float | None
    ) -> str:
        """Announce a run that was given no name, at its first report.

        Args:
            epoch: the one that it will report.
            own: what it was called before, if it was.
            config: see `start`.
            horizon: see `start`.

        Returns:
            Its name, see `lcode.hooks.run_names`.
        """
        run = default_name(self._sweep.runs, self._sweep.past, epoch, config, own)
        self.start(run, config=config, horizon=horizon)
        return run

    @in_turn
    def measured(self, run: str) -> set[str]:
        """The keys of the metrics that a run has reported; none of one that was never started here."""
        live = self._sweep.runs.get(as_run(run))
        return set() if live is None else {key for values in live.values.values() for key in values}

    @in_turn
    def planned(self, run: str) -> float:
        """The last planned epoch of a run, as it counts: N − 1 where a run of N epochs counts from 0.

        Raises:
            UsageError: the run was never started.
        """
        return self._sweep.known(run).end

    @in_turn
    def outlook(self, run: str, rule: GainRule) -> Outlook | None:
        """What a run that has just reported may still gain, whatever the others do.

        Args:
            run: name of the run.
            rule: says what counts as a gain.

        Returns:
            None where no decision is due: before `min_epochs`, between multiples of `every`, at the last epoch.

        Raises:
            UsageError: the run was never started.
        """
        sweep = self._sweep
        live = sweep.known(run)
        if live.last_epoch >= live.end or not self.rule.due(live.last_epoch, live.previous_epoch):
            return None
        return outlook(live, sweep.metrics, sweep.axis.unit, sweep.forecaster, rule, self._judge.num_threads)

    @in_turn
    def expected_gains(self, configs: Sequence[Mapping[str, Any]], *, horizon: float) -> NDArray[np.float64] | None:
        """What such runs are expected to gain over the best finished one, see `lcode.hooks.new_runs`.

        Args:
            configs: hyper-parameters of C runs.
            horizon: their planned last epoch.
        """
        return expected_gains(self._sweep, configs, horizon, self.final, self._judge.num_threads)

    @in_turn
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
        self._sweep.finish(run, status)

    @in_turn
    def state_dict(self, *, log: bool = True) -> dict[str, Any]:
        """All that was reported, as plain JSON values (NaN as Python's json writes it), to survive a resume.

        The model and the history are not in it: they are given anew.

        Args:
            log: whether the verdicts are in it; nothing but `Monitor.log` needs them.
        """
        return {**self._sweep.state_dict(), "log": [verdict.to_json() for verdict in self.log] if log else []}

    @in_turn
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that a monitor with the same history and settings saved.

        Raises:
            UsageError: the state is of another version, is not whole, or has a metric with another direction.
        """
        self._sweep.load_state_dict(state)
        with whole_state("monitor"):
            self.log = [Verdict(**plain) for plain in state.get("log", ())]

    def _decide(self, live: LiveRun) -> Verdict:
        """Whether a run that has just reported shall go on."""
        sweep = self._sweep
        otherwise = sweep.otherwise(live)
        verdict = self._judge.decide(live, sweep.metrics, sweep.scores, sweep.axis.unit, otherwise=otherwise)
        verdict = replace(verdict, dry_run=self.dry_run)
        if verdict.stop:
            live.status = "stopped"
        elif live.is_over(sweep.metrics):
            sweep.finish(live.name)
        self._rank(verdict)
        self.log.append(verdict)
        del self.log[:-LOG_LIMIT]
        return verdict

    def _rank(self, verdict: Verdict) -> None:
        """What the run is expected to end with counts for the others."""
        self._sweep.scores.take(verdict)

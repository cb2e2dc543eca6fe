"""What is known of a sweep while it goes on: its live runs, its metrics and epochs, and what runs are compared by."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import as_config, check_kind
from lcode.decisions import Constraint, FinalValue, Objective, StopRule
from lcode.decisions.ending import Ending
from lcode.decisions.objective import ScoreFunction
from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.forecasters.in_sweep import InSweep
from lcode.graphs import ArchGraph
from lcode.hooks.asked import Asked
from lcode.hooks.inputs import (
    as_epoch,
    as_horizon,
    as_run,
    as_schedule,
    as_values,
    check_architecture,
    whole_state,
)
from lcode.hooks.learned_metrics import LearnedMetrics
from lcode.hooks.live_run import Epoch, LiveRun, live_table
from lcode.hooks.odd_runs import OddRuns
from lcode.hooks.scoreboard import MIN_REFERENCE_RUNS, FinalOf, Scoreboard
from lcode.hooks.sweep_axis import SweepAxis
from lcode.table import Direction, Metric, RunStatus, RunTable, split_key
from lcode.table.groups import configuration_groups

STATE_VERSION = 1

EARLY = 0.9
"""Runs that finish before this share of their planned epochs have ended early."""


class Report(NamedTuple):
    """What a run reported of an epoch, checked: values by metric key, and auxiliary ones by name."""

    live: LiveRun
    epoch: Epoch
    values: dict[str, float]
    signals: dict[str, float]


class LiveSweep:
    """The state of a monitor: what was reported so far, and nothing of what was decided.

    Attributes:
        final: what a run ends with.
        nan: what a value that is NaN or infinite means, see `Monitor`.
        axis: the epochs.
        scores: what runs are compared by, and the scores of those that count.
        runs: the live runs by name.
    """

    def __init__(
        self,
        model: Forecaster,
        history: RunTable,
        rule: StopRule,
        *,
        directions: Mapping[str, Direction] | None,
        objective: str | Objective | ScoreFunction,
        baseline: Mapping[str, float] | str | os.PathLike[str] | None,
        nan: Literal["stop", "skip"],
        final: FinalValue,
        horizon: float | None,
        constraints: Sequence[str | Constraint],
    ) -> None:
        """Begin with a history, which may be empty. For the arguments see `Monitor`."""
        self.final, self.nan, self.axis = final, nan, SweepAxis(history)
        self.runs: dict[str, LiveRun] = {}
        self._history, self._odd = history, OddRuns(history)
        self._learned, self._finished = InSweep(model, history), list[str]()
        known, learns = getattr(model, "known_metrics", ()), not history.metrics
        self._metrics = LearnedMetrics(history.metrics, directions=directions, known=known, learns=learns)
        self._told_of_reach = self._told_of_ends = False
        self._usual = None if horizon is None else self.axis.fitted(as_horizon(horizon))
        finished = history.with_status("finished")
        self.scores = Scoreboard(
            history.metrics,
            Asked(objective, baseline, constraints, learns=learns),
            rule,
            past=_finals_of(finished, final),
            groups=dict(zip(finished.run_ids, configuration_groups(finished).tolist(), strict=True)),
            archs={
                run: arch
                for run, arch in zip(history.run_ids, history.runs["arch"], strict=True)
                if isinstance(arch, str)
            },
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured: the history's metrics, or those reported so far."""
        return self._metrics.metrics

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the runs of the history."""
        return self._history.run_ids

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, Any] | None = None,
        horizon: float | None = None,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> LiveRun:
        """Take up a run, or more of what is known of it, see `Monitor.start`.

        Raises:
            UsageError: no horizon is given or known, or an argument of the wrong type.
        """
        run = as_run(run)
        planned = None if horizon is None else self.axis.fitted(as_horizon(horizon, run))
        plain = None if config is None else as_config(config, run)
        rates = None if schedule is None else as_schedule(schedule, run)
        check_architecture(run, arch, graph)
        live = self.runs.get(run) or self._new_run(run, planned)
        self.runs[run] = live
        live.announced_again = live.status != "running" and plain not in (None, live.config)
        if planned is not None:
            live.horizon, live.from_zero = planned, self.axis.counts_from_zero(planned)
        live.config = live.config if plain is None else plain
        live.arch = live.arch if arch is None else arch
        live.graph = graph if graph is not None else live.graph or self._history.graphs.get(live.arch or "")
        if rates is not None:
            live.schedule, live.schedule_unit = rates, 1.0
        if live.arch is not None:
            self.scores.note_arch(run, live.arch)
        return live

    def announce(self, metrics: Iterable[str] | Mapping[str, Direction]) -> dict[str, str]:
        """Name in a report -> key of the metric; new ones are learned, and count from now on.

        Args:
            metrics: the names; as a mapping, with `min` or `max` for each.

        Raises:
            UsageError: a name that is not known and cannot be learned, or a direction other than the one known.
        """
        check_kind("metrics", metrics, Iterable, "their names, such as ['seg/miou', 'depth/abs_err']")
        if isinstance(metrics, Mapping):
            self._metrics.learn(Metric(*split_key(name), side) for name, side in metrics.items())
        keys = self._metrics.keys([metrics] if isinstance(metrics, str) else metrics)
        self._measure_all()
        return keys

    def measure(self, metrics: Iterable[Metric]) -> None:
        """These metrics count as well, unless the history says which do.

        Raises:
            UsageError: one is known with the other direction.
        """
        self._metrics.learn(metrics)
        self._measure_all()

    def record(
        self,
        run: str,
        epoch: float,
        values: Mapping[str, float],
        *,
        signals: Mapping[str, float] | None = None,
        horizon: float | None = None,
    ) -> LiveRun:
        """Take note of an epoch, see `Monitor.report`; the run goes on.

        Raises:
            UsageError: an unknown metric (the text lists the right ones), or something that is no number.
        """
        return self.take(self.checked(run, epoch, values, signals=signals, horizon=horizon))

    def checked(
        self,
        run: str,
        epoch: float,
        values: Mapping[str, float],
        *,
        signals: Mapping[str, float] | None = None,
        horizon: float | None = None,
    ) -> Report:
        """What `record` is told, checked; of the epoch nothing is kept so far.

        Raises:
            UsageError: see `record`.
        """
        run = as_run(run)
        at = self.axis.fitted(as_epoch(epoch, run))
        measured = as_values(values, run, at)
        extra = as_values({} if signals is None else signals, run, at, what="signals")
        keys = self.announce(list(measured))
        if run not in self.runs or horizon is not None:
            self.start(run, horizon=horizon)
        known = {keys[name]: value for name, value in measured.items() if self.nan == "stop" or isfinite(value)}
        return Report(self.runs[run], at, known, extra)

    def check_reach(self, report: Report, *, dry_run: bool) -> None:
        """Tell of a report beyond the planned last epoch, whose unit may be another one.

        Raises:
            UsageError: the run's first report lies so far beyond that it would be its last, and not in a dry run.
        """
        live, epoch = report.live, report.epoch
        if epoch <= live.horizon:
            return
        planned = f"run '{live.name}': epoch {epoch} is reported, planned were {live.horizon}"
        if not (live.values or dry_run) and epoch > 2 * live.horizon:
            self.runs.pop(live.name, None)
            raise UsageError(
                f"{planned}; count the horizon in what the reports count (steps, epochs), such as horizon=…"
            )
        if not self._told_of_reach:
            self._told_of_reach = True
            warnings.warn(
                f"{planned}: a run counts as finished there, and is not stopped any more; is the horizon counted in "
                "what the reports count? One that goes on further is told by start(run, horizon=…)",
                stacklevel=4,
            )

    def otherwise(self, live: LiveRun) -> str | None:
        """Why a run that has just reported is compared with no other: it counts otherwise; None where it is."""
        self._odd.tell_of_shares(live, self.runs, self.metrics)
        return self._odd.counted_otherwise(live, self.runs)

    def take(self, report: Report) -> LiveRun:
        """Keep a report that was checked; the run goes on."""
        live = report.live
        if live.record(report.epoch, report.values, report.signals) or live.status == "finished":
            self._forget(live.name)
        live.status = "running"
        return live

    def drop(self, run: str) -> None:
        """Know no more of what this run reported."""
        self._forget(run)
        self.runs.pop(run, None)

    def known(self, run: str) -> LiveRun:
        """A run that was started.

        Raises:
            UsageError: no such run; the text lists those there are.
        """
        run = as_run(run)
        if run not in self.runs:
            raise UsageError(f"run '{run}' never reported; there are: {', '.join(self.runs) or 'none'}")
        return self.runs[run]

    def finish(self, run: str, status: RunStatus = "finished") -> None:
        """The run has ended, see `Monitor.finish`.

        Raises:
            UsageError: the run was never started, or no such status.
        """
        live = self.known(run)
        run = live.name
        if status not in get_args(RunStatus):
            raise UsageError(f"run '{run}': no status {status!r}; there are: {', '.join(get_args(RunStatus))}")
        live.status = status
        self._forget(run)
        if status == "finished":
            self._finished.append(run)
            self.scores.finish(run, self._final_of(live))
            self._tell_of_early_ends()

    def forecaster(self) -> Forecaster:
        """The model with what it has learned from the history and the runs that have finished since."""

        def table_of(runs: Sequence[str]) -> RunTable:
            return live_table([self.runs[run] for run in runs], self.metrics, self.axis.unit, status="finished")

        return self._learned.knowing(self._finished, table_of, self.metrics)

    def state_dict(self) -> dict[str, Any]:
        """All that was reported, as plain JSON values."""
        population = self.scores.population
        return {
            "version": STATE_VERSION,
            "metrics": [[metric.task, metric.name, metric.direction] for metric in self.metrics],
            "epoch_unit": self.axis.unit,
            "runs": [live.to_json() for live in self.runs.values()],
            "finished": list(self._finished),
            "endings": {run: [end.to_json() for end in self.scores.looks(run)] for run in self.runs},
            "population": None if population is None else population.tolist(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that was saved with the same history and settings.

        Raises:
            UsageError: the state is of another version, is not whole, or has a metric with another direction than is
                stated here; nothing of it is taken up then.
        """
        version = state.get("version") if isinstance(state, Mapping) else None
        if version != STATE_VERSION:
            raise UsageError(f"the state is of version {version}, this monitor reads {STATE_VERSION}")
        with whole_state("monitor"):
            metrics = [Metric(*parts) for parts in state.get("metrics", ())]
            unit = float(state.get("epoch_unit", self.axis.unit))
            runs = {plain["name"]: LiveRun.from_json(plain) for plain in state["runs"]}
            ended = [run for run, live in runs.items() if live.status == "finished"]
            ended = list(state.get("finished", ended))  # states of version 0.1 do not say in which order
            saved = None if state["population"] is None else np.array(state["population"], dtype=float)
            plain = state.get("endings", {})  # states of version 0.1 have none: runs are forecast anew as they report
            looks = {run: [Ending.from_json(end) for end in ends] for run, ends in plain.items() if ends}
        self._metrics.check(metrics)
        self._metrics.add(metrics)
        self.axis.unit, self.runs, self._finished = unit, runs, ended
        for run, live in self.runs.items():
            self.scores.drop(run)
            if live.arch is not None:
                self.scores.note_arch(run, live.arch)
        self._measure_all()
        finals = {run: self._final_of(live) for run, live in self.runs.items() if live.status == "finished"}
        stopped = [run for run in looks if run in runs and runs[run].status == "stopped"]
        self.scores.restore(saved, finals, looks, stopped)

    def _measure_all(self) -> None:
        """Metrics that are new count from now on."""
        if len(self.metrics) > len(self.scores.metrics):
            self.scores.measure(self.metrics)

    def _tell_of_early_ends(self) -> None:
        """Say it once where the first few runs have all finished at one epoch long before the planned one."""
        ended = [self.runs[run] for run in self._finished]
        last = {live.last_epoch for live in ended}
        if self._told_of_ends or len(ended) != MIN_REFERENCE_RUNS or len(last) > 1 or not max(last):
            return
        apart = max(live.last_epoch - max(live.previous_epoch, 0) for live in ended)  # the next one may lie beyond
        if max(last) + apart <= EARLY * min(live.end for live in ended):
            self._told_of_ends = True
            warnings.warn(
                f"{len(ended)} runs have finished, all at epoch {max(last)} of {ended[0].end} planned: the others are "
                f"forecast to epoch {ended[0].end}, and compared with these ends; is the horizon right?",
                stacklevel=5,
            )

    def _forget(self, run: str) -> None:
        """The run goes on, or is trained anew, or ended without a result."""
        self.scores.drop(run)
        if run in self._finished:
            self._finished.remove(run)

    def _final_of(self, live: LiveRun) -> FinalOf:
        """What a run has ended with, by whatever objective."""
        return partial(self._ended_with, live)

    def _ended_with(self, live: LiveRun, objective: Objective | None) -> NDArray[np.float64]:
        return live.final_values(self.metrics, self.final, self.axis.unit, objective)

    def _new_run(self, run: str, horizon: Epoch | None) -> LiveRun:
        self.scores.drop(run)
        if run in self._history.runs.index:
            return LiveRun.from_history(self._history, run)
        planned = self._usual if horizon is None else horizon
        if planned is None and self.axis.longest is not None:
            return LiveRun(run, self.axis.longest, self.axis.counts_from_zero(None))
        announced = [live.horizon for live in self.runs.values()]
        if planned is None and not announced:
            raise UsageError(
                f"run '{run}': how long will it train? The history is empty, so say Monitor(horizon=30) for all runs, "
                f"or start('{run}', horizon=30) before it reports"
            )
        longest = max(announced) if planned is None else planned
        return LiveRun(run, longest, self.axis.counts_from_zero(longest))


def _finals_of(table: RunTable, final: FinalValue) -> dict[str, FinalOf]:
    """What each run of a history ended with."""
    measured = final.measured_by.of_table(table)

    return {run: _Final(table, final, run, measured[place]) for place, run in enumerate(table.run_ids)}


@dataclass(frozen=True, eq=False)
class _Final:
    """What a run of a history ended with, by whatever objective."""

    table: RunTable
    final: FinalValue
    run: str
    measured: NDArray[np.float64]

    def __call__(self, objective: Objective | None) -> NDArray[np.float64]:
        if objective is None or not self.final.together:
            return self.measured
        return self.final.of_table(self.table.select([self.run]), objective)[0]

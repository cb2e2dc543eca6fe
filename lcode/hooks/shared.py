"""A monitor that several processes share by a folder: each writes what its runs report, and reads what others wrote."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import TracebackType
from typing import Any, Self

from lcode.decisions import Verdict
from lcode.errors import LcodeError, UsageError
from lcode.forecasters.base import Forecaster
from lcode.graphs import ArchGraph, graph_from_json
from lcode.hooks.asked import LyingThere
from lcode.hooks.folder import Event, Folder
from lcode.hooks.inputs import as_run, check_passed_on
from lcode.hooks.monitor import Monitor
from lcode.table import Metric, RunStatus, RunTable
from lcode.table.runlog import check_name
from lcode.threads import in_turn


class SharedMonitor(Monitor):
    """A `Monitor` whose runs may train in other processes, on this machine or on others that see the same folder.

    Every run has a log of its own in the folder, `<run>.jsonl`, written by the process that trains it: a line per
    report, and one for what the run was told. A report that has returned is in the log, whatever happens to the
    process afterwards. At each report the process reads what the others have added since its last look, and decides
    by the state of all runs. A run that was killed goes on under the same name, in any process. `lcode rank` and
    every other command read the folder at any time.

    Args:
        folder: the folder of the logs; made if missing.
        model: see `Monitor`.
        history: runs known besides those in the folder; see `Monitor`.
        clock: says the time, in seconds since 1970; lines of different hosts are put in order by it.
        **options: see `Monitor`. The baseline of `delta_m` is `baseline.csv` in the folder where none is named, if it
            has the metrics.

    Raises:
        UsageError: there is a file of this name, or an option is refused.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        model: Forecaster | None = None,
        history: RunTable | None = None,
        *,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        check_passed_on(options, SharedMonitor, Monitor)
        if options.get("baseline") is None and isinstance(folder, str | os.PathLike):
            options["baseline"] = LyingThere.of(folder, options.get("objective", "delta_m"))
        super().__init__(model, history, **options)
        self._folder = Folder(folder, clock=clock)
        self._look()

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
        """Announce a run, see `Monitor.start`; one that is in the folder goes on where its log ends.

        Raises:
            UsageError: see `Monitor.start`; besides, a run's name that no file can have.
        """
        check_name(as_run(run))
        self._look()
        super().start(run, config=config, horizon=horizon, arch=arch, graph=graph, schedule=schedule)

    @in_turn
    def start_unnamed(
        self, epoch: float, *, own: str | None, config: Mapping[str, Any] | None, horizon: float | None
    ) -> str:
        """Announce a run that was given no name, see `Monitor.start_unnamed`."""
        self._look()
        return super().start_unnamed(epoch, own=own, config=config, horizon=horizon)

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
        """Report an epoch and hear whether to go on, see `Monitor.report`.

        Raises:
            UsageError: see `Monitor.report`; besides, an epoch that is not whole, a run's name that no file can have,
                a configuration other than the one in the run's log, or another process that writes this run.
            StorageError: the operating system refuses; the report does not count, and may be made again.
        """
        self._look()
        report = self._sweep.checked(run, epoch, values, signals=signals, horizon=horizon)
        self._sweep.check_reach(report, dry_run=self.dry_run)
        self._folder.write(report, self.metrics)
        live = self._sweep.take(report)
        verdict = self._decide(live)
        if verdict.ending is not None or verdict.action == "stop":
            self._folder.told(live.name, int(report.epoch), verdict.to_json())
        if live.status != "running":
            self._folder.end(live, live.status, verdict.reason)
        return verdict

    @in_turn
    def finish(self, run: str, status: RunStatus = "finished") -> None:
        """The run has ended, see `Monitor.finish`."""
        self._look()
        before = self._sweep.runs.get(as_run(run))
        if before is None or before.status != status:  # at its last epoch a run finishes by itself
            super().finish(run, status)
            self._folder.end(self._sweep.runs[as_run(run)], status)

    def state_dict(self, *, log: bool = True) -> dict[str, Any]:
        """Nothing but the folder's name: what was reported is in the folder, and survives with it."""
        return {"folder": str(self._folder.path)}

    @in_turn
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Look into the folder; the state says no more than that."""
        self._look()

    @in_turn
    def close(self) -> None:
        """Bring all that was written to the disk; a run that reports again reopens its log."""
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self) -> None:
        """Take up what others have written since the last look."""
        damaged: set[Any] = set()
        for event in self._folder.news():
            if event.path in damaged:
                continue
            try:
                self._take_up(event)
            except (LcodeError, KeyError, TypeError, ValueError, AttributeError) as error:
                damaged.add(event.path)
                self._sweep.drop(event.run)
                known = isinstance(error, LcodeError)
                self._folder.leave_out(
                    event.path, error if known else UsageError(f"line {event.line} is not of a run log ({error!r})")
                )

    def _take_up(self, event: Event) -> None:
        """What a line says of its run, as if it had been reported here."""
        sweep, run, entry = self._sweep, event.run, event.entry
        kind = entry["type"]
        if kind == "again":
            sweep.drop(run)
        elif kind == "header":
            sweep.measure(Metric(str(m["task"]), str(m["name"]), m["direction"]) for m in entry["metrics"])
            graph = entry.get("graph")
            sweep.start(
                run,
                config=entry.get("config"),
                horizon=entry["horizon"],
                arch=entry.get("arch"),
                graph=None if graph is None else graph_from_json(graph, where=run, path=event.path),
                schedule=entry.get("schedule"),
            )
        elif kind == "epoch":
            known = {metric.key for metric in sweep.metrics}
            values = {name: value for name, value in entry["values"].items() if value is not None and name in known}
            live = sweep.record(run, entry["epoch"], values, signals=entry.get("signals"))
            if live.is_over(sweep.metrics):
                sweep.finish(run)
        elif kind == "verdict":
            verdict = Verdict(**{name: entry[name] for name in _TOLD if name in entry})
            self._rank(verdict)
            if verdict.stop:
                sweep.runs[run].status = "stopped"
        elif kind == "end" and sweep.runs[run].status != entry["status"]:
            sweep.finish(run, entry["status"])


_TOLD = tuple(field.name for field in fields(Verdict))
"""What of a line is the verdict."""


def monitor(
    folder: str | os.PathLike[str], model: Forecaster | None = None, history: RunTable | None = None, **options: Any
) -> SharedMonitor:
    """A monitor of all runs whose logs lie in a folder, for any number of processes; there is no server.

    Args:
        folder: the folder, on a disk that all processes see; made if missing.
        model: see `Monitor`.
        history: runs known besides those in the folder.
        **options: as for `Monitor`.

    Examples:
        >>> import lcode
        >>> with lcode.monitor("runs", horizon=30) as monitor:
        ...     verdict = monitor.report("a17", 1, {"seg/miou": 0.31}, signals={"seg/train_loss": 2.1})
        >>> verdict.stop
        False
        >>> lcode.read_logs("runs").run_ids
        ('a17',)
    """
    check_passed_on(options, monitor, SharedMonitor, Monitor)
    return SharedMonitor(folder, model, history, **options)

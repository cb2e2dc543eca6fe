"""A folder of run logs as the place where processes tell each other of their runs: one writer per run, no server."""

from __future__ import annotations

import os
import time
import warnings
import weakref
from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from lcode.arguments import check_kind
from lcode.errors import InputError, UsageError
from lcode.files import refusals
from lcode.hooks.live_run import LiveRun
from lcode.hooks.live_sweep import Report
from lcode.json_text import parse_json
from lcode.table import Metric, RunStatus
from lcode.table.live_log import LiveLog
from lcode.table.log_lines import parsed_line
from lcode.table.log_tail import LogTail
from lcode.table.runlog import FORMAT_VERSION, RunHeader


class Event(NamedTuple):
    """A line that another process wrote, or wrote before this one began.

    Attributes:
        time: when it was written, seconds since 1970; for a line that does not say it, when its file was changed last.
        path: the log.
        line: its number in there; 0 says that the log was written anew, and that all its lines come once more.
        run: name of the run.
        entry: what it says.
    """

    time: float
    path: Path
    line: int
    run: str
    entry: dict[str, Any]


class Folder:
    """The run logs of a folder: those of this process's runs are written, all others are read as they grow.

    Args:
        path: the folder; made with the first report if missing.
        clock: says the time.

    Raises:
        UsageError: there is a file of this name, or this is no path.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        check_kind("folder", path, (str, os.PathLike), "the folder that the runs share, such as 'runs/'")
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; name the folder that the runs share, such as runs/")
        self._clock = clock
        self._tails: dict[Path, LogTail] = {}
        self._runs: dict[Path, str] = {}
        self._own: dict[str, LiveLog] = {}
        weakref.finalize(self, _close_all, self._own)  # nobody has to close a monitor that is done with
        self._left_out: set[Path] = set()

    def news(self) -> list[Event]:
        """What was written to the logs since the last look, in the order of time; not what this process wrote itself.

        Raises:
            StorageError: the operating system refuses.
        """
        own = {log.path for log in self._own.values()}
        events: list[Event] = []
        with refusals(self.path):
            try:
                found = [one for one in os.scandir(self.path) if one.name.endswith(".jsonl") and not one.is_dir()]
            except FileNotFoundError:
                return []
        for entry in found:
            path = self.path / entry.name
            if not entry.name.startswith(".") and path not in own and path not in self._left_out:
                with refusals(path):
                    try:
                        stat = entry.stat()
                    except FileNotFoundError:  # replaced since the folder was listed
                        continue
                events += self._news_of(path, stat)
        return sorted(events, key=lambda event: event[:3])

    def leave_out(self, path: Path, error: Exception) -> None:
        """Read no more of this log, and say why; a training must not end over the log of another."""
        self._left_out.add(path)
        where = "" if isinstance(error, InputError) else f"{path}: "
        warnings.warn(f"{where}{error}; this run is left out of the comparison", stacklevel=2)

    def write(self, report: Report, metrics: Iterable[Metric]) -> None:
        """Write down a report of one of this process's runs.

        Args:
            report: what it reported, before the run has taken it up.
            metrics: all that are known by now.

        Raises:
            UsageError: an epoch that is not whole, a name that no file can have, or a log of another run of this name.
            StorageError: the operating system refuses; the report is not in the log, and may be made again.
        """
        live, epoch = report.live, report.epoch
        known = live.values.get(epoch, {})
        seen, heard = {**known, **report.values}, {**live.signals.get(epoch, {}), **report.signals}
        if not isinstance(epoch, int):
            raise UsageError(
                f"run '{live.name}', epoch {epoch}: in a folder of runs epochs are whole numbers; "
                "count steps or evaluations instead"
            )
        log = self._log_of(live, [metric for metric in metrics if metric.key in report.values])
        restarted = live.restarts(epoch, report.values)
        same = repr(known) == repr(seen) and repr(live.signals.get(epoch, {})) == repr(heard)
        if not same or restarted or log.status != "running":
            log.report(epoch, report.values, heard, whole=seen, restarted=restarted)

    def told(self, run: str, epoch: int, plain: dict[str, Any]) -> None:
        """Write down what a run of this process was told after an epoch."""
        self._own[run].verdict(epoch, plain)

    def end(self, live: LiveRun, status: RunStatus, reason: str | None = None) -> None:
        """Write down that a run has ended, and close its log."""
        self._log_of(live).end(status, reason)
        self._close(live.name)

    def close(self) -> None:
        """Bring what was written to the disk; runs that go on reopen their logs."""
        for run in list(self._own):
            self._close(run)

    def _close(self, run: str) -> None:
        log = self._own.pop(run)
        log.close()
        self._tail_of(log.path).news()  # what this process wrote is no news to it
        self._runs[log.path] = run

    def _log_of(self, live: LiveRun, metrics: Iterable[Metric] = ()) -> LiveLog:
        """The log of one of this process's runs, opened, with all that is known of the run in its header.

        Args:
            live: the run.
            metrics: what it reports now.
        """
        log = self._own.get(live.name)
        header = _header(live, metrics)
        if log is None or not _says(log.header, header):
            if log is not None:
                log.close()
            self._own[live.name] = log = LiveLog(self.path, header, clock=self._clock)
        return log

    def _tail_of(self, path: Path) -> LogTail:
        return self._tails.setdefault(path, LogTail(path))

    def _news_of(self, path: Path, stat: os.stat_result) -> list[Event]:
        """The events of one log."""
        again, lines = self._tail_of(path).news(stat)
        if not lines:
            return []
        events, now = [], -inf
        try:
            for number, line in lines:
                if number == 1 and not _is_header(line):  # a table of JSON lines, or another tool's log
                    self._left_out.add(path)
                    return []
                entry = parsed_line(path, line, number)
                if number == 1:
                    self._runs[path] = _run_of(path, entry)
                # A line that was written anew is younger than those after it, which must not come before it.
                now = max(now, float(entry.get("time", -inf)))
                events.append(Event(now, path, number, self._runs[path], entry))
        except (InputError, TypeError, ValueError) as error:
            self.leave_out(path, error)
            return []
        if again:
            events.insert(0, Event(-inf, path, 0, self._runs[path], {"type": "again"}))
        # A header has no time: it comes just before the first line that has one.
        first = next((event.time for event in events if event.time > -inf), stat.st_mtime)
        return [event._replace(time=max(event.time, first)) for event in events]


def _close_all(logs: dict[str, LiveLog]) -> None:
    for log in logs.values():
        log.close()


def _is_header(line: bytes) -> bool:
    try:
        entry = parse_json(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.get("type") == "header"


def _run_of(path: Path, header: dict[str, Any]) -> str:
    """The name in a header.

    Raises:
        InputError: it is none that this version reads.
    """
    if header.get("version") != FORMAT_VERSION or not isinstance(header.get("run"), str):
        raise InputError(
            f"is no header of a run log of version {FORMAT_VERSION}; remove the log, or upgrade lcode",
            path=path,
            line=1,
        )
    return header["run"]


def _says(old: RunHeader, new: RunHeader) -> bool:
    """Whether a log's header says all that is known of its run."""
    same = all(getattr(old, what) == getattr(new, what) for what in ("horizon", "config", "arch", "schedule"))
    return same and old.graph is new.graph and set(new.metrics) <= set(old.metrics)


def _header(live: LiveRun, metrics: Iterable[Metric]) -> RunHeader:
    """What is known of a run, as a header.

    Raises:
        UsageError: a horizon that is not whole, or a name that no file can have.
    """
    if not isinstance(live.horizon, int):
        raise UsageError(
            f"run '{live.name}': horizon {live.horizon}: in a folder of runs epochs are whole numbers; "
            "count steps or evaluations instead"
        )
    plan = live.schedule
    each = plan is not None and live.schedule_unit == 1 and plan.epochs.tolist() == list(range(1, live.horizon + 1))
    return RunHeader(
        live.name,
        horizon=live.horizon,
        metrics=tuple(metrics),
        config=live.config,
        arch=live.arch,
        graph=live.graph,
        schedule=plan.rates.tolist() if plan is not None and each else None,
    )

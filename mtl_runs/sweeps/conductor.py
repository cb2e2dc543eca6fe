"""Who is told about a sweep and who decides in it, whichever engine trains the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import Decision, EpochReport


class RunMonitor(Protocol):
    """The part of `lcode.Monitor` that a sweep uses."""

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, bool | int | float | str | None],
        horizon: int,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> object:
        """A run begins, or goes on."""

    def report(
        self, *, run: str, epoch: int, values: Mapping[str, float], signals: Mapping[str, float] | None = None
    ) -> Decision:
        """An epoch is over; shall the run go on?"""

    def finish(self, run: str, status: RunStatus) -> object:
        """A run is over."""


class Listener(Protocol):
    """Who is told about the progress of a sweep."""

    def begin(self, epochs: int, runs: int) -> None:
        """So many epochs and runs are ahead, at most."""

    def epoch(self, run: str, epoch: int) -> None:
        """This epoch of a run is logged; the first one told of may be later than 1, when the run was resumed."""

    def end(self, run: str, status: RunStatus) -> None:
        """A run is over; `running` means that it was given up for now."""

    def note(self, text: str) -> None:
        """Something that the user should know."""


class Silent:
    """A listener that does nothing."""

    def begin(self, epochs: int, runs: int) -> None:
        """See `Listener`."""

    def epoch(self, run: str, epoch: int) -> None:
        """See `Listener`."""

    def end(self, run: str, status: RunStatus) -> None:
        """See `Listener`."""

    def note(self, text: str) -> None:
        """See `Listener`."""


class Judge:
    """Asks the monitor about runs, and tells it first what they are.

    Args:
        monitor: decides.
        headers: of all runs that it may be asked about.
    """

    def __init__(self, monitor: RunMonitor, headers: Mapping[str, RunHeader]) -> None:
        self.monitor = monitor
        self.headers = headers
        self._started: set[str] = set()

    def decide(self, reports: Sequence[EpochReport]) -> list[Answer]:
        """One decision per report."""
        answers = []
        for report in reports:
            if report.run not in self._started:
                header = self.headers[report.run]
                self.monitor.start(
                    report.run,
                    config=header.config,
                    horizon=header.horizon,
                    arch=header.arch,
                    graph=header.graph,
                    schedule=header.schedule,
                )
                self._started.add(report.run)
            decision = self.monitor.report(
                run=report.run, epoch=report.epoch, values=report.values, signals=report.signals
            )
            answers.append(Answer(decision.stop, decision.reason))
        return answers

    def finish(self, ended: Mapping[str, RunStatus]) -> None:
        """These runs are over."""
        for run, status in ended.items():
            if run in self._started:
                self.monitor.finish(run, status)

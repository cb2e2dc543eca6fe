"""How long a worker waits for the monitor's decision: without any way between, through a pipe, and through Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from mtl_runs.sweeps.conductor import Judge
from mtl_runs.sweeps.crew import Worker
from mtl_runs.sweeps.on_ray import RayCrew, RayWorker, start_ray
from mtl_runs.sweeps.pool import LocalWorker
from mtl_runs.sweeps.worker import Answer, Line
from mtl_runs.training import EpochReport

WAYS = ("alone", "local", "ray")
"""Where the monitor is asked from: its own process, or a worker of that engine."""

Ask = Callable[[Judge, Sequence[EpochReport]], list[float]]


class AtOnce:
    """A monitor that thinks of nothing: what it costs to ask it is the way."""

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, bool | int | float | str | None],
        horizon: int,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> None:
        """See `RunMonitor`."""

    def report(
        self, *, run: str, epoch: int, values: Mapping[str, float], signals: Mapping[str, float] | None = None
    ) -> Answer:
        """See `RunMonitor`."""
        return Answer(False, "")

    def finish(self, run: str, status: RunStatus) -> None:
        """See `RunMonitor`."""


def ask(line: Line) -> None:
    """What the worker does: ask about one report after the other, and say how long each answer took."""

    def answer(report: EpochReport) -> Any:
        line.send(("epoch", [report]))
        return line.recv()

    while (reports := line.recv()) is not None:
        line.send(("done", _timed(reports, answer)))


@contextmanager
def asking(way: str) -> Iterator[Ask]:
    """Somebody who asks about reports one by one, and how long each answer took.

    Args:
        way: one of `WAYS`.
    """
    with ExitStack() as stack:
        worker: Worker
        if way == "alone":
            yield lambda judge, reports: _timed(reports, lambda report: judge.decide([report]))
            return
        if way == "ray":
            stack.enter_context(RayCrew())
            start_ray(1)
            worker = RayWorker({"num_cpus": 1}, ask)
        else:
            worker = LocalWorker(ask)
        stack.callback(worker.end)

        def through(judge: Judge, reports: Sequence[EpochReport]) -> list[float]:
            worker.send(reports)
            while (message := worker.hear())[0] == "epoch":
                worker.send(judge.decide(message[1]))
            seconds: list[float] = message[1]
            return seconds

        yield through


def _timed(reports: Sequence[EpochReport], about: Callable[[EpochReport], Any]) -> list[float]:
    seconds = []
    for report in reports:
        began = time.perf_counter()
        about(report)
        seconds.append(time.perf_counter() - began)
    return seconds

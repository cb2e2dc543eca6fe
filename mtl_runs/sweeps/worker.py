"""A worker process of a sweep: trains one population after the other and reports each epoch to its parent.

The parent may be on another machine; what lies between is a `Line`. Messages to the parent are tuples that begin with
their kind: `("epoch", reports)`, `("done", [(run, status), …])`, `("error", text, is_user_error, traceback)`. The
parent sends jobs, None to end, and after each epoch of a monitored job a list of answers, one per report.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lcode.errors import LcodeError

if TYPE_CHECKING:
    from mtl_runs.problems import Problem
    from mtl_runs.training import EpochReport, RunSpec


@dataclass(frozen=True)
class Job:
    """Runs to train together.

    Attributes:
        specs: what to train, of one problem and one stacking key.
        folder: folder of the logs.
        device: where.
        monitored: whether to wait for the parent's decision after each epoch.
        continue_stopped: whether to go on with stopped runs.
        until: epoch after which to pause; None = train to the horizon.
        features: whether to log as well how far tasks use different features.
    """

    specs: tuple[RunSpec, ...]
    folder: Path
    device: str
    monitored: bool
    continue_stopped: bool
    until: int | None = None
    features: bool = False


@dataclass(frozen=True)
class Answer:
    """The parent's decision on a run."""

    stop: bool
    reason: str


class Line(Protocol):
    """The worker's end of what it talks to its parent by."""

    def send(self, message: Any, /) -> None:
        """Send a message."""

    def recv(self) -> Any:
        """The parent's next message, waited for."""


Work = Callable[[Line], None]


def work(connection: Line) -> None:
    """Serve jobs until told to end, or until the parent is gone."""
    from mtl_runs.problems import make_problem

    # Neighbouring jobs are mostly of one problem, and making some takes as long as an epoch.
    make = lru_cache(maxsize=1)(make_problem)
    try:
        while (job := connection.recv()) is not None:
            _serve(job, connection, make)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _serve(job: Job, connection: Line, make: Callable[[str], Problem]) -> None:
    from mtl_runs.training import train_population

    def on_epochs(reports: Sequence[EpochReport]) -> list[Answer | None]:
        connection.send(("epoch", list(reports)))
        answers: list[Answer | None] = connection.recv() if job.monitored else [None] * len(reports)
        return answers

    try:
        results = train_population(
            make(job.specs[0].problem),
            job.specs,
            folder=job.folder,
            on_epochs=on_epochs,
            device=job.device,
            continue_stopped=job.continue_stopped,
            until=job.until,
            features=job.features,
        )
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        connection.send(("error", str(error), isinstance(error, LcodeError), traceback.format_exc()))
    else:
        connection.send(("done", [(result.run, result.status) for result in results]))

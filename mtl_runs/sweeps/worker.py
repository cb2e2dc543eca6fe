"""A worker process of a sweep: trains one run after the other and reports each epoch to its parent.

Messages to the parent are tuples that begin with their kind: `("epoch", run, epoch, values, signals)`,
`("done", run, status)`, `("error", run, text, is_user_error, traceback)`. The parent sends jobs, None to end,
and after each epoch of a monitored job `(stop, reason)`.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from lcode.errors import LcodeError
from mtl_runs.sweeps.space import RunSpec


@dataclass(frozen=True)
class Job:
    """One run to train.

    Attributes:
        spec: what to train.
        folder: folder of the logs.
        device: where.
        monitored: whether to wait for the parent's decision after each epoch.
        continue_stopped: whether to go on with a stopped run.
    """

    spec: RunSpec
    folder: Path
    device: str
    monitored: bool
    continue_stopped: bool


@dataclass(frozen=True)
class Answer:
    """The parent's decision on a run."""

    stop: bool
    reason: str


def work(connection: Connection) -> None:
    """Serve jobs until told to end, or until the parent is gone."""
    # Ctrl-C reaches the whole group of processes; the parent decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    try:
        while (job := connection.recv()) is not None:
            _serve(job, connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _serve(job: Job, connection: Connection) -> None:
    from mtl_runs.problems import make_problem
    from mtl_runs.training import train

    spec = job.spec

    def on_epoch(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> Answer | None:
        connection.send(("epoch", spec.run, epoch, dict(values), dict(signals)))
        return Answer(*connection.recv()) if job.monitored else None

    try:
        result = train(
            make_problem(spec.problem),
            spec.config,
            run=spec.run,
            seed=spec.seed,
            folder=job.folder,
            horizon=spec.horizon,
            on_epoch=on_epoch,
            device=job.device,
            continue_stopped=job.continue_stopped,
        )
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        connection.send(("error", spec.run, str(error), isinstance(error, LcodeError), traceback.format_exc()))
    else:
        connection.send(("done", spec.run, result.status))

"""Worker processes and the pipes to them."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection
from typing import Any

from mtl_runs.sweeps.crew import GONE
from mtl_runs.sweeps.worker import Job, Work, work


class LocalWorker:
    """A fresh process that waits for jobs. Forking one that has used torch is not safe, and Windows cannot fork.

    Args:
        work: what it does.

    Attributes:
        job: what it is busy with, or None.
        connection: our end of the pipe; readable when the worker has a message, or is gone.
        up: see `Worker`; this machine has a place for it.
    """

    up = True

    def __init__(self, work: Work = work) -> None:
        context = multiprocessing.get_context("spawn")
        self.job: Job | None = None
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_begin, args=(work, theirs), daemon=True)
        self._process.start()
        # Only the worker may hold its end: then its death is the end of the pipe.
        theirs.close()

    def give(self, job: Job) -> None:
        """Send a job. If the worker is gone, reading from it will say so."""
        self.job = job
        self.send(job)

    def send(self, message: Any) -> None:
        """Send a message; one to a worker that is gone is dropped."""
        try:
            self.connection.send(message)
        except GONE:
            return

    def hear(self) -> tuple[Any, ...]:
        """The next message, waited for."""
        message: tuple[Any, ...] = self.connection.recv()
        return message

    def end(self) -> None:
        """End the process: politely when it is idle, else at once, since every complete epoch is on disk."""
        if self.job is None:
            self.send(None)
            self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()
        self.connection.close()


def _begin(work: Work, connection: Connection) -> None:
    # Ctrl-C reaches the whole group of processes; the parent decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(connection)

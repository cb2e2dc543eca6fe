"""Worker processes and the pipes to them."""

from __future__ import annotations

import multiprocessing
from typing import Any

from mtl_runs.sweeps.worker import Job, work

GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What talking to a dead process raises."""


class Worker:
    """A fresh process that waits for jobs. Forking one that has used torch is not safe, and Windows cannot fork.

    Attributes:
        job: what it is busy with, or None.
        connection: our end of the pipe; readable when the worker has a message, or is gone.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.job: Job | None = None
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
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

    def end(self) -> None:
        """End the process: politely when it is idle, else at once, since every complete epoch is on disk."""
        if self.job is None:
            self.send(None)
            self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()
        self.connection.close()

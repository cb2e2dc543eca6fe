"""The local engine: worker processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import wait

from mtl_runs.sweeps.crew import Crew
from mtl_runs.sweeps.pool import LocalWorker


class LocalCrew(Crew[LocalWorker]):
    """Processes of this machine, and pipes to them."""

    def room(self, workers: int) -> int:
        """As many as the user has asked for."""
        return workers

    def hire(self) -> LocalWorker:
        """See `Crew`."""
        return LocalWorker()

    def ready(self, busy: Sequence[LocalWorker]) -> list[LocalWorker]:
        """See `Crew`."""
        speaking = wait([worker.connection for worker in busy])
        return [worker for worker in busy if worker.connection in speaking]

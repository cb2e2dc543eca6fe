"""The Ray engine: the workers are actors of Ray, on the processors or GPUs of one machine or of a cluster.

A worker does the same as one of this machine, and what it says goes through two boxes in its actor: Ray calls an actor,
and has no pipe to it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from lcode.errors import MissingExtraError
from lcode.table import RunStatus
from mtl_runs.sweeps.conductor import Judge, Listener
from mtl_runs.sweeps.crew import Crew
from mtl_runs.sweeps.worker import Job, Work, work

CALLS = 3
"""That an actor answers at once: one waits for its next word, one brings an answer, one is to spare."""


def start_ray(workers: int) -> None:
    """Start Ray on so many processors of this machine, or join the cluster that `RAY_ADDRESS` names, unless it runs."""
    import ray

    if ray.is_initialized():
        return
    if "RAY_ADDRESS" in os.environ:
        ray.init(log_to_driver=False)
    else:
        # "local": a cluster that somebody else has started on this machine is not joined unasked.
        ray.init(address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False)


class RayWorker:
    """An actor of Ray that waits for jobs.

    Args:
        resources: what of a machine it takes, such as `{"num_cpus": 1}`.
        work: what it does.

    Attributes:
        job: what it is busy with, or None.
        word: Ray's reference to its next message.
    """

    def __init__(self, resources: dict[str, float], work: Work = work) -> None:
        import ray

        self.job: Job | None = None
        post: Any = ray.remote(Post)
        self._actor = post.options(**resources, max_concurrency=CALLS).remote(Path.cwd(), work)
        self.word = self._actor.hear.remote()
        self._begun = self._actor.begun.remote()

    @property
    def up(self) -> bool:
        """Whether Ray has found a place for the actor."""
        import ray

        return bool(ray.wait([self._begun], timeout=0)[0])

    def give(self, job: Job) -> None:
        """Send a job. If the actor is gone, hearing it will say so."""
        self.job = job
        self.send(replace(job, folder=Path(job.folder).resolve()))

    def send(self, message: Any) -> None:
        """Send a message; one to an actor that is gone is dropped."""
        self._actor.tell.remote(message)

    def hear(self) -> tuple[Any, ...]:
        """The next message, waited for.

        Raises:
            EOFError: the actor is gone: its process was killed, or its machine.
        """
        import ray
        from ray.exceptions import OutOfMemoryError, RayActorError

        try:
            message: tuple[Any, ...] = ray.get(self.word)
        except (RayActorError, OutOfMemoryError) as error:
            raise EOFError(str(error)) from error
        self.word = self._actor.hear.remote()
        return message

    def end(self) -> None:
        """End the actor's process at once, since every complete epoch is on disk."""
        import ray

        ray.kill(self._actor)


class Post:
    """What an actor is: a thread that works, and a box for the messages of either side.

    Args:
        place: where the sweep was begun.
        work: what is to be done.
    """

    def __init__(self, place: Path, work: Work) -> None:
        if place.is_dir():  # Ray's processes begin elsewhere, and problems may be files of the user's
            os.chdir(place)
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._words: SimpleQueue[Any] = SimpleQueue()
        threading.Thread(target=self._work, args=(work,), daemon=True).start()

    def begun(self) -> None:
        """Answered as soon as the actor has begun."""

    def tell(self, message: Any) -> None:
        """The parent's message is for the worker."""
        self._jobs.put(message)

    def hear(self) -> Any:
        """The worker's next message, waited for."""
        return self._words.get()

    def send(self, message: Any) -> None:
        """See `Line`."""
        self._words.put(message)

    def recv(self) -> Any:
        """See `Line`."""
        return self._jobs.get()

    def _work(self, work: Work) -> None:
        try:
            work(self)
        finally:
            os._exit(1)  # a worker that is no more has nothing to say, and nobody shall wait for it


class RayCrew(Crew[RayWorker]):
    """Actors of Ray, which runs from the first call to the end of the crew.

    A cluster that is already running (`ray.init` was called, or `RAY_ADDRESS` names one) is used as it is; otherwise
    Ray is started here. On several machines the folder of the logs must be one that all of them see. A sweep is resumed
    from its logs, like any other, and Ray knows nothing of it.

    Raises:
        MissingExtraError: Ray is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("training on Ray needs Ray; install it with: pip install 'lcode[ray]'") from error
        self._started = not ray.is_initialized()
        self._resources: dict[str, float] = {}

    def train(
        self, jobs: Sequence[Job], *, workers: int, judge: Judge | None, listener: Listener
    ) -> dict[str, RunStatus]:
        """Train all jobs; see `Crew.train`.

        Args:
            jobs: the populations, at least one, all for processors or all for GPUs.
            workers: number of processes where Ray is started here; each takes one CPU, or on GPUs that share of one. Of
                a cluster that is running all that is free is used.
            judge: decides on the runs of monitored jobs, in this process.
            listener: told about progress.
        """
        start_ray(workers)
        on_gpu = jobs[0].device != "cpu"
        self._resources = {"num_cpus": 0, "num_gpus": 1 / workers} if on_gpu else {"num_cpus": 1}
        return super().train(jobs, workers=workers, judge=judge, listener=listener)

    def room(self, workers: int) -> int:
        """Workers that the cluster has room for: those that it has no room for would keep their jobs waiting."""
        import ray

        # What is free lags behind what has just begun or ended: the whole is a bound, and the crew asks again.
        kind, each = ("GPU", workers) if "num_gpus" in self._resources else ("CPU", 1)
        free, whole = (each * place.get(kind, 0) for place in (ray.available_resources(), ray.cluster_resources()))
        return max(1, min(len(self._pool) + int(free), int(whole)))

    def hire(self) -> RayWorker:
        """See `Crew`."""
        return RayWorker(self._resources)

    def ready(self, busy: Sequence[RayWorker]) -> list[RayWorker]:
        """See `Crew`."""
        import ray

        speaking, _ = ray.wait([worker.word for worker in busy])
        return [worker for worker in busy if worker.word in speaking]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import ray

        super().__exit__(kind, error, trace)
        if self._started:
            ray.shutdown()

"""Who of a crew trains what: workers that die, that never begin, and room that comes and goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mtl_runs.sweeps.conductor import Silent
from mtl_runs.sweeps.crew import Crew
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import RunConfig, RunSpec

CONFIG = RunConfig(arch="mlp-4x1", balancer="equal", batch_size=256)


class Mock:
    """A worker that says at once that it is done, or that is gone while its job is one of those that kill."""

    def __init__(self, crew: Hirers, *, up: bool) -> None:
        self.job: Job | None = None
        self.up, self._crew = up, crew

    def give(self, job: Job) -> None:
        self.job = job
        self._crew.given.append(tuple(spec.run for spec in job.specs))

    def send(self, message: Any) -> None:
        raise AssertionError(message)

    def hear(self) -> tuple[Any, ...]:
        assert self.job is not None
        runs = [spec.run for spec in self.job.specs]
        if self._crew.deadly & set(runs):
            raise EOFError
        return ("done", [(run, "finished") for run in runs])

    def end(self) -> None:
        self._crew.ended += 1


class Hirers(Crew[Mock]):
    """A crew of mock workers.

    Args:
        rooms: how many workers there is room for, each time that it is asked; the last answer holds on.
        late: numbers of the hired that never begin.
        deadly: runs that take their workers down.
    """

    def __init__(self, rooms: Sequence[int], late: Sequence[int] = (), deadly: Sequence[str] = ()) -> None:
        super().__init__()
        self.rooms, self.late, self.deadly = list(rooms), late, set(deadly)
        self.given: list[tuple[str, ...]] = []
        self.hired = self.ended = 0

    def room(self, workers: int) -> int:
        return self.rooms.pop(0) if len(self.rooms) > 1 else self.rooms[0]

    def hire(self) -> Mock:
        self.hired += 1
        return Mock(self, up=self.hired not in self.late)

    def ready(self, busy: Sequence[Mock]) -> list[Mock]:
        speaking = [worker for worker in busy if worker.up]
        assert speaking, "the crew waits for ever"
        return speaking[:1]


def train(crew: Hirers, *populations: str) -> dict[str, str]:
    """Train populations such as `ab`, of the runs a and b."""
    jobs = [
        Job(tuple(RunSpec(run, "digits", CONFIG, seed=0, horizon=3) for run in runs), Path(), "cpu", False, False)
        for runs in populations
    ]
    with crew:
        return dict(crew.train(jobs, workers=4, judge=None, listener=Silent()))


def test_workers_are_hired_when_room_comes_while_jobs_wait() -> None:
    crew = Hirers([1, 1, 3])
    assert train(crew, "a", "b", "c", "d", "e") == dict.fromkeys("abcde", "finished")
    assert crew.hired == crew.ended == 3 and crew.given == [(run,) for run in "abcde"]
    assert train(few := Hirers([4]), "a", "b") == {"a": "finished", "b": "finished"} and few.hired == 2


def test_the_job_of_a_worker_that_never_begins_goes_to_one_that_is_idle() -> None:
    crew = Hirers([2, 2, 1], late=[2])
    assert train(crew, "a", "b", "c") == dict.fromkeys("abc", "finished")
    assert crew.given == [("a",), ("b",), ("c",), ("b",)]


@pytest.mark.parametrize("rooms", [[1], [2, 1], [3]])
def test_a_population_that_kills_is_tried_again_then_in_halves_and_its_deadly_run_given_up(rooms: list[int]) -> None:
    crew = Hirers(rooms, deadly=["c"])
    assert train(crew, "abcd", "ef") == {**dict.fromkeys("abdef", "finished"), "c": "running"}
    tried = ["".join(runs) for runs in crew.given]
    assert {run: tried.count(run) for run in ("abcd", "ab", "cd", "c", "d", "ef")} == {
        "abcd": 2, "ab": 1, "cd": 2, "c": 2, "d": 1, "ef": 1,
    }  # fmt: skip
    assert crew.ended == crew.hired

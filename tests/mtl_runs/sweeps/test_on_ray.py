from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import MissingExtraError
from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.studies.on_ray.killing import LOCKS, Killer
from mtl_runs.sweeps import FreezeThaw, RunSpec, Sweep
from mtl_runs.sweeps.engine import Train
from mtl_runs.sweeps.on_ray import RayCrew, RayWorker
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import RunConfig

SPECS = [
    RunSpec(f"r{i}", "digits", RunConfig(arch="mlp-4x1", balancer=balancer, batch_size=256), seed=i, horizon=3)
    for i, balancer in enumerate(("equal", "uw_o"))
]


class StopOne:
    """A monitor that stops the run r1 at its second epoch."""

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
        assert horizon == 3

    def report(
        self, *, run: str, epoch: int, values: Mapping[str, float], signals: Mapping[str, float] | None = None
    ) -> Answer:
        return Answer(run == "r1" and epoch == 2, "hopeless")

    def finish(self, run: str, status: RunStatus) -> None:
        assert status == ("stopped" if run == "r1" else "finished")


class Recorder:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # as a progress bar has one: it cannot be pickled
        self.epochs: set[tuple[str, int]] = set()
        self.ends: dict[str, RunStatus] = {}

    def begin(self, epochs: int, runs: int) -> None:
        assert (epochs, runs) == (6, 2)

    def epoch(self, run: str, epoch: int) -> None:
        self.epochs.add((run, epoch))

    def end(self, run: str, status: RunStatus) -> None:
        self.ends[run] = status

    def note(self, text: str) -> None:
        raise AssertionError(text)


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().split("\n")[:-1]]
    for line in lines:
        line.pop("seconds", None)
    return lines


def epochs(folder: Path, run: str) -> list[int]:
    """The epochs that were logged, in their order."""
    return [line["epoch"] for line in read(folder, run) if line["type"] == "epoch"]


@pytest.mark.usefixtures("real_ray")
def test_the_same_logs_as_of_any_engine(tmp_path: Path, here: Train) -> None:
    listener = Recorder()
    statuses = Sweep(tmp_path / "ray", 1, engine="ray", monitor=StopOne(), listener=listener, features=True).run(SPECS)
    assert statuses == listener.ends == {"r0": "finished", "r1": "stopped"}
    assert listener.epochs == {(run, epoch) for run in statuses for epoch in (1, 2, 3)} - {("r1", 3)}
    # What Ray began, any engine goes on with.
    assert set(Sweep(tmp_path / "ray", continue_stopped=True, engine=here, features=True).run(SPECS).values()) == {
        "finished"
    }
    Sweep(tmp_path / "here", engine=here, features=True).run(SPECS)
    for spec in SPECS:
        kept = [line for line in read(tmp_path / "ray", spec.run) if line.get("status") != "stopped"]
        assert kept == read(tmp_path / "here", spec.run)


OWN = """
from mtl_runs.problems import make_problem

def make():
    return make_problem("digits")
"""


@pytest.mark.skipif(not LOCKS.exists(), reason="tells who holds a lock")
@pytest.mark.usefixtures("real_ray")
def test_a_population_whose_process_was_killed_goes_on(
    tmp_path: Path, here: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths are the user's, wherever Ray puts its processes
    Path("mine.py").write_text(OWN)
    specs = [
        replace(spec, run=f"{spec.run}-{seed}", problem="mine.py:make", seed=seed, horizon=20)
        for spec in SPECS
        for seed in range(2)
    ]  # two populations
    killer = Killer(Path("ray"), Sweep(Path("ray")).header(specs[2]), 7)
    statuses = Sweep(Path("ray"), 2, engine="ray", population=2, listener=killer).run(specs)
    assert 7 <= killer.logged < 20 and set(statuses.values()) == {"finished"}
    Sweep(Path("here"), engine=here).run(specs)
    for spec in specs:
        assert epochs(Path("ray"), spec.run) == list(range(1, 21))
        assert read(Path("ray"), spec.run) == read(Path("here"), spec.run)


class Rounds:
    """Says what is trained, round by round: each run by so many epochs."""

    def __init__(self, *rounds: Mapping[str, int]) -> None:
        self.rounds = list(rounds)

    def __call__(self, headers: Mapping[str, RunHeader], left: int) -> Mapping[str, int]:
        return self.rounds.pop(0) if self.rounds else {}


@pytest.mark.skipif(not LOCKS.exists(), reason="tells who holds a lock")
@pytest.mark.usefixtures("real_ray")
def test_rounds_that_pause_runs_share_their_workers_and_survive_a_kill(
    tmp_path: Path, here: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [replace(spec, horizon=40) for spec in SPECS]
    hired: list[RayWorker] = []
    hire = RayCrew.hire

    def counted(crew: RayCrew) -> RayWorker:
        hired.append(hire(crew))
        return hired[-1]

    monkeypatch.setattr(RayCrew, "hire", counted)
    sweep = Sweep(tmp_path / "ray", workers=1, engine="ray", population=1)
    FreezeThaw(sweep, Rounds({"r1": 1}, {"r1": 2}, {"r0": 1}), 100).run(specs)
    assert len(hired) == 1 and [len(epochs(sweep.folder, spec.run)) for spec in specs] == [1, 3]
    killer = Killer(sweep.folder, sweep.header(specs[0]), 7)
    going_on = FreezeThaw(replace(sweep, listener=killer), Rounds({"r0": 39}, {"r1": 9}), 44)
    assert going_on.run(specs) == {"r0": "finished", "r1": "stopped"}
    assert 7 <= killer.logged < 40 and len(hired) == 1 + 2
    whole = Sweep(tmp_path / "here", engine=here)
    whole.run(specs[:1])
    whole.run(specs[1:], until=4)
    assert all(read(sweep.folder, spec.run) == read(whole.folder, spec.run) for spec in specs)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lcode\[ray\]'"):
        Sweep(tmp_path, engine="ray").run(SPECS)
    with pytest.raises(MissingExtraError, match="needs Ray"):
        FreezeThaw(Sweep(tmp_path, engine="ray"), Rounds({"r0": 1}), 3).run(SPECS)
    assert not list(tmp_path.iterdir())

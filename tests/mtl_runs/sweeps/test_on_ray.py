from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from mtl_runs.sweeps import RunSpec, Sweep
from mtl_runs.sweeps.conductor import Silent
from mtl_runs.sweeps.engine import Train
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import RunConfig
from mtl_runs.training.loop import checkpoint_path

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


class Killer(Silent):
    """Kills the process that trains a run, once, when it has reported this epoch."""

    def __init__(self, folder: Path, run: str, epoch: int) -> None:
        self.folder, self.run, self.at = folder, run, epoch
        self.logged = 0

    def epoch(self, run: str, epoch: int) -> None:
        if run == self.run and epoch >= self.at and not self.logged:
            os.kill(holder(checkpoint_path(self.folder, run).with_name("lock")), signal.SIGKILL)
            self.logged = len(epochs(self.folder, run))


def holder(lock: Path) -> int:
    """The process that holds a lock."""
    inode = lock.stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return next(int(parts[4]) for parts in locks if parts[5].endswith(f":{inode}"))


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="tells who holds a lock")
@pytest.mark.usefixtures("real_ray")
def test_a_population_whose_process_was_killed_goes_on(
    tmp_path: Path, here: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths are the user's, wherever Ray puts its processes
    Path("mine.py").write_text(OWN)
    specs = [
        replace(spec, run=f"{spec.run}-{seed}", problem="mine.py:make", seed=seed, horizon=12)
        for spec in SPECS
        for seed in range(2)
    ]  # two populations
    killer = Killer(Path("ray"), "r1-0", 7)
    statuses = Sweep(Path("ray"), 2, engine="ray", population=2, listener=killer).run(specs)
    assert 7 <= killer.logged < 12 and set(statuses.values()) == {"finished"}
    Sweep(Path("here"), engine=here).run(specs)
    for spec in specs:
        assert epochs(Path("ray"), spec.run) == list(range(1, 13))
        assert read(Path("ray"), spec.run) == read(Path("here"), spec.run)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'lcode\[ray\]'"):
        Sweep(tmp_path, engine="ray").run(SPECS)

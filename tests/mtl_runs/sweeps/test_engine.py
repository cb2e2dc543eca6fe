from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from mtl_runs.sweeps import RunSpec, Sweep, single_task_runs, write_baseline
from mtl_runs.sweeps.worker import Answer
from mtl_runs.training import RunConfig

SPECS = [
    RunSpec(f"r{i}", "digits", RunConfig(arch="mlp-8x1", balancer=balancer, lr=0.02), seed=i, horizon=4)
    for i, balancer in enumerate(("equal", "mgda", "pcgrad"))
]


def read(folder: Path, run: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("seconds", None)
    return lines


class StopAtTwo:
    """A monitor that stops one run at its second epoch, and writes down what it hears."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.heard: list[tuple[Any, ...]] = []

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
        assert graph is not None
        assert schedule is not None
        self.heard.append(("start", run, config["balancer"], horizon, arch, len(graph), len(schedule)))

    def report(
        self, *, run: str, epoch: int, values: Mapping[str, float], signals: Mapping[str, float] | None = None
    ) -> Answer:
        assert set(values) == {"left/err", "right/err", "sum/rmse"}
        assert signals
        self.heard.append(("report", run, epoch))
        return Answer(run == self.run and epoch == 2, "hopeless")

    def finish(self, run: str, status: RunStatus) -> None:
        self.heard.append(("finish", run, status))


class Recorder:
    """A listener that kills the process of the first worker that reports, once."""

    def __init__(self) -> None:
        self.ends: dict[str, RunStatus] = {}
        self.epochs: list[tuple[str, int]] = []
        self.notes: list[str] = []
        self.killed = False

    def begin(self, epochs: int, runs: int) -> None:
        self.ahead = (epochs, runs)

    def epoch(self, run: str, epoch: int) -> None:
        self.epochs.append((run, epoch))
        if not self.killed:
            self.killed = True
            import multiprocessing

            victim = multiprocessing.active_children()[0].pid
            assert victim is not None
            os.kill(victim, signal.SIGKILL)

    def end(self, run: str, status: RunStatus) -> None:
        self.ends[run] = status

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    assert Sweep(folder, workers=1).run(SPECS) == dict.fromkeys(("r0", "r1", "r2"), "finished")
    return folder


def test_a_second_call_changes_nothing(unbroken: Path) -> None:
    before = {path.name: path.read_bytes() for path in unbroken.glob("*.jsonl")}
    assert set(Sweep(unbroken).run(SPECS).values()) == {"finished"}
    assert {path.name: path.read_bytes() for path in unbroken.glob("*.jsonl")} == before


def test_the_monitor_stops_runs_and_the_truth_can_be_had_later(unbroken: Path, tmp_path: Path) -> None:
    monitor = StopAtTwo("r1")
    statuses = Sweep(tmp_path, workers=1, monitor=monitor).run(SPECS)
    assert statuses == {"r0": "finished", "r1": "stopped", "r2": "finished"}
    assert monitor.heard[0] == ("start", "r0", "equal", 4, "mlp-8x1", 7, 4)
    assert [entry for entry in monitor.heard if entry[1] == "r1"][1:] == [
        ("report", "r1", 1),
        ("report", "r1", 2),
        ("finish", "r1", "stopped"),
    ]
    assert [line["type"] for line in read(tmp_path, "r1")] == ["header", "epoch", "epoch", "end"]
    silent = StopAtTwo("r1")
    statuses = Sweep(tmp_path, workers=1, monitor=silent, continue_stopped=True).run(SPECS)
    assert set(statuses.values()) == {"finished"}
    assert silent.heard == []
    for spec in SPECS:
        kept = [line for line in read(tmp_path, spec.run) if line.get("status") != "stopped"]
        assert kept == read(unbroken, spec.run)


def test_a_killed_worker_costs_nobody_anything(unbroken: Path, tmp_path: Path) -> None:
    listener = Recorder()
    statuses = Sweep(tmp_path, workers=2, listener=listener).run(SPECS)
    assert listener.ahead == (12, 3)
    assert listener.ends == statuses == dict.fromkeys(("r0", "r1", "r2"), "finished")
    for spec in SPECS:
        assert read(tmp_path, spec.run) == read(unbroken, spec.run)


def test_a_run_that_cannot_be_trained_is_the_users_error(tmp_path: Path) -> None:
    spec = RunSpec("odd", "digits", RunConfig(arch="mlp-8x1", batch_size=9999), seed=0, horizon=2)
    with pytest.raises(UsageError, match="run 'odd': batch_size must be at most 2500 here; found 9999"):
        Sweep(tmp_path, workers=1).run([spec])


def test_single_task_baselines(tmp_path: Path) -> None:
    specs = single_task_runs("digits", ["left", "sum"], ["mlp-8x1"], horizon=2, seed=0)
    assert [spec.run for spec in specs] == ["single-left-mlp-8x1", "single-sum-mlp-8x1"]
    path = tmp_path / "baseline.csv"
    with pytest.raises(UsageError, match=r"'single-left-mlp-8x1' in .* has no epoch"):
        write_baseline(path, tmp_path, specs)
    assert not path.exists()
    Sweep(tmp_path, workers=1).run(specs)
    write_baseline(path, tmp_path, specs)
    last = read(tmp_path, "single-left-mlp-8x1")[2]["values"]["left/err"]
    lines = path.read_text().splitlines()
    assert lines[:2] == ["arch,task,metric,value", f"mlp-8x1,left,err,{last}"]
    assert lines[2].startswith("mlp-8x1,sum,rmse,")


def test_workers_log_features_where_they_are_asked_for(tmp_path: Path) -> None:
    Sweep(tmp_path, workers=1, features=True).run(SPECS[:1])
    epochs = [line for line in read(tmp_path, "r0") if line["type"] == "epoch"]
    assert len(epochs) == 4 and all(0 < line["signals"]["left|sum/disentanglement"] < 1 for line in epochs)


def test_runs_that_cannot_have_features_are_refused_before_any_begins(tmp_path: Path) -> None:
    alone = RunSpec("alone", "digits", RunConfig(arch="mlp-8x1", tasks=("sum",)), seed=0, horizon=1)
    with pytest.raises(UsageError, match=r"run 'alone': disentanglement is between two tasks"):
        Sweep(tmp_path, workers=1, features=True).run([*SPECS, alone])
    assert not [*tmp_path.iterdir()]


def test_what_no_sweep_can_do_is_refused_before_any_run_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="workers is 0"):
        Sweep(tmp_path, 0).run(SPECS)
    with pytest.raises(UsageError, match="until names no epoch for run 'r1'"):
        Sweep(tmp_path, 1).run(SPECS, until={"r0": 1, "r2": 2})
    assert not list(tmp_path.iterdir())

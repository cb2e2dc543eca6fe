"""A sweep that is killed again and again ends as if it never had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

RUNS, EPOCHS = 3, 8

Logs = dict[str, list[dict[str, Any]]]


ENGINES = {"local": (), "pbt": ("--engine", "pbt", "--exchange-every", "2", "--archs", "mlp-8x1")}


def command(folder: Path, engine: str, workers: int) -> list[str]:
    sizes = ["--runs", str(RUNS), "--epochs", str(EPOCHS), "--seed", "4", "--workers", str(workers), "--device", "cpu"]
    return [sys.executable, "-m", "mtl_runs.cli", "sweep", *sizes, *ENGINES[engine], "--out", str(folder)]


def read(folder: Path) -> Logs:
    """Every line of every log that was written to its end, without wall times; a damaged one is an error."""
    logs = {}
    for path in folder.glob("*.jsonl"):
        logs[path.stem] = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        for line in logs[path.stem]:
            line.pop("seconds", None)
    return logs


def count_epochs(folder: Path) -> int:
    return sum(line["type"] == "epoch" for lines in read(folder).values() for line in lines)


def kill_at_a_random_moment(folder: Path, engine: str, dice: random.Random) -> bool:
    """Start the sweep, and kill it, or it and its workers, a few epochs later; whether it was still at work."""
    process = subprocess.Popen(
        command(folder, engine, dice.randint(1, 2)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    target = count_epochs(folder) + dice.randint(0, 4)
    while count_epochs(folder) < target and process.poll() is None:
        time.sleep(0.01)
    time.sleep(dice.random() * 0.1)
    alive = process.poll() is None
    with suppress(ProcessLookupError):
        if dice.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    return alive


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Logs]:
    @cache
    def logs(engine: str) -> Logs:
        folder = tmp_path_factory.mktemp("unbroken")
        subprocess.run(command(folder, engine, workers=1), check=True, capture_output=True)
        return read(folder)

    return logs


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "kills"), [("local", 2), ("pbt", 2)])
def test_killed_sweeps_lose_nothing(unbroken: Callable[[str], Logs], tmp_path: Path, engine: str, kills: int) -> None:
    whole = unbroken(engine)
    assert len(whole) == RUNS
    dice = random.Random(0)
    sweeps = 1
    while kills:
        folder = tmp_path / str(sweeps)
        if kill_at_a_random_moment(folder, engine, dice):
            kills -= 1
        else:
            sweeps += 1
        for lines in read(folder).values():
            epochs = [line["epoch"] for line in lines if line["type"] == "epoch"]
            assert epochs == list(range(1, len(epochs) + 1))
    subprocess.run(command(tmp_path / str(sweeps), engine, workers=1), check=True, capture_output=True)
    for folder in tmp_path.iterdir():
        assert read(folder) == whole

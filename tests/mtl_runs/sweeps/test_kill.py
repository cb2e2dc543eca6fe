"""A sweep that is killed again and again ends as if it never had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

RUNS, EPOCHS = 3, 8


def command(folder: Path) -> list[str]:
    sizes = ["--runs", str(RUNS), "--epochs", str(EPOCHS), "--seed", "4", "--workers", "2", "--device", "cpu"]
    return [sys.executable, "-m", "mtl_runs.cli", "sweep", *sizes, "--out", str(folder)]


def complete_lines(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every line of every log that was written to its end; a torn last line is nobody's loss, another one is."""
    logs = {}
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")
        logs[path.stem] = [json.loads(line) for line in lines[:-1]]
    return logs


def epochs_in(folder: Path) -> int:
    return sum(line["type"] == "epoch" for lines in complete_lines(folder).values() for line in lines)


def kill_at_a_random_moment(folder: Path, dice: random.Random) -> None:
    """Start the sweep, and kill it, or it and its workers, some epochs later."""
    process = subprocess.Popen(command(folder), stderr=subprocess.DEVNULL, start_new_session=True)
    target = epochs_in(folder) + dice.randint(0, 4)
    deadline = time.monotonic() + 30
    while epochs_in(folder) < target and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(dice.random() * 0.1)
    if dice.random() < 0.5:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    subprocess.run(command(folder), check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(0, 6), pytest.param(1, 20, marks=pytest.mark.slow), pytest.param(2, 20, marks=pytest.mark.slow)],
)
def test_killed_sweeps_lose_nothing(unbroken: Path, tmp_path: Path, seed: int, kills: int) -> None:
    dice = random.Random(seed)
    for _ in range(kills):
        kill_at_a_random_moment(tmp_path, dice)
        for lines in complete_lines(tmp_path).values():
            epochs = [line["epoch"] for line in lines if line["type"] == "epoch"]
            assert epochs == list(range(1, len(epochs) + 1))
    subprocess.run(command(tmp_path), check=True, capture_output=True)
    expected, found = complete_lines(unbroken), complete_lines(tmp_path)
    assert len(found) == RUNS
    for lines in (*expected.values(), *found.values()):
        for line in lines:
            line.pop("seconds", None)
    assert found == expected

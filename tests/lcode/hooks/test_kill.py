"""Processes on one folder that are killed again and again lose nothing that they were told had been taken."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lcode.readers import read_logs

WORKER = """
import json, os, random, sys, warnings
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks.shared import SharedMonitor

warnings.simplefilter("error")
folder, worker, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
taken = os.open(f"{folder}-taken-{worker}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
monitor = SharedMonitor(folder, LastValueForecaster(), horizon=40, keep=2, min_epochs=5)
dice = random.Random(os.getpid())
for turn in range(10**6):
    run = f"{worker}-{turn}"
    live = monitor._sweep.runs.get(run)
    if live is not None and live.status != "running":
        continue
    level = random.Random(run).random()
    for epoch in range(1 if live is None else int(live.last_epoch) + 1, 41):
        # A process that was killed here does not know whether its last report was taken; what it says then may differ.
        value = level * (1 - 0.9**epoch)
        stop = monitor.report(run, epoch, {"seg/miou": value}, signals={"seg/train_loss": 1 - value}).stop
        os.write(taken, json.dumps([run, epoch, value]).encode() + b"\\n")
        if dice.random() < pause:
            __import__("time").sleep(0.01)
        if stop:
            break
"""


def disturb(folder: Path, *, workers: int, kills: int, seed: int) -> dict[str, int]:
    """Let so many processes train runs in the folder while one after the other is killed; how much of each there was.

    Raises:
        AssertionError: a report that was taken is not in the logs, or a process ended by itself.
    """
    dice = random.Random(seed)
    files = [folder.parent / f"{folder.name}-taken-{worker}" for worker in range(workers)]

    def begin(worker: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(worker), "0.2"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
        )

    def size(worker: int) -> int:
        return files[worker].stat().st_size if files[worker].exists() else 0

    crew, sizes = [begin(worker) for worker in range(workers)], [0] * workers
    left = kills
    try:
        while left:
            time.sleep(dice.random() * 0.2)
            for worker, process in enumerate(crew):
                assert process.poll() is None, process.communicate()[1].decode()
                if left and size(worker) > sizes[worker]:  # it has come to report
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    left, sizes[worker], crew[worker] = left - 1, size(worker), begin(worker)
    finally:
        for process in crew:
            process.kill()
            process.communicate()
    taken = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    table = read_logs(folder)
    points = table.points[table.points["metric"] == "seg/miou"]
    there = set(zip(points["run"].astype(str), points["epoch"], points["value"], strict=True))
    lost = [report for report in map(tuple, taken) if report not in there]
    assert lost == []
    status = {str(name): int(count) for name, count in table.runs["status"].value_counts().items()}
    return {"reports": len(taken), "runs": len(table), "kills": kills, "lost": len(lost), **status}


@pytest.mark.slow
def test_processes_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    done = disturb(tmp_path / "runs", workers=2, kills=3, seed=0)
    assert done["reports"] >= 3 and done["lost"] == 0

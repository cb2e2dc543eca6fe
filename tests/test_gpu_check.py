"""The script for a machine with a GPU runs, and says where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_without_a_gpu_it_says_so_in_one_line() -> None:
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHON": sys.executable}
    done = subprocess.run([ROOT / "tools" / "gpu_check.sh"], env=hidden, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr == "no GPU was found by torch; nothing was measured\n"


@pytest.mark.slow
def test_all_parts_are_measured_and_written(tmp_path: Path) -> None:
    out = tmp_path / "check.json"
    command = [sys.executable, "-m", "tools.gpu_check", "--device", "cpu", "--small", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["part"] for row in rows} == {"agreement", "forecasts", "balance", "scenes", "population"}
    assert all(row["largest"] == 0 for row in rows if row["part"] == "agreement")  # beside itself
    assert all(row["what"] in done.stdout for row in rows)

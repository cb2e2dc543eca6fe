"""What commands tell: progress where there is no terminal, a line a minute, and remarks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lcode.cli import console


def test_a_log_is_told_now_and_then_how_far_a_job_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 0.0, 61.0, 90.0, 180.0])
    monkeypatch.setattr(console, "monotonic", lambda: next(clock))
    monkeypatch.setattr(console, "err", console.Console(stderr=True, soft_wrap=True, force_terminal=False))
    with console.steps_progress("fitting") as advance:
        for done in (40, 50, 55, 70):  # 40 were done before
            advance(done, 100, f"left-out loss [{done}]")
    said = [line for line in capsys.readouterr().err.splitlines() if "min" in line]
    assert said == [
        "fitting: 50 % after 1 min, about 5 min left; left-out loss [50]",
        "fitting: 70 % after 3 min, about 3 min left; left-out loss [70]",
    ]


def test_the_same_remark_on_many_files_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_notes([*(f"r{i}.csv: it is torn." for i in range(5)), "a note: of [all]", "x.csv: another."])
    assert capsys.readouterr().err.splitlines() == [
        "note: r0.csv, r1.csv, r2.csv and 2 more: it is torn.",
        "note: a note: of [all]",
        "note: x.csv: another.",
    ]


def test_what_an_encoding_lacks_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_text(
        "run,epoch,acc,loss\n" + "".join(f"r{i},{e},.{i + 1},{i}\n" for i in range(3) for e in range(4))
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", "from lcode.cli import main; main()", "inspect", str(tmp_path / "logs.csv")]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"0?3" in done.stdout  # a dash

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Lcode = Callable[..., Any]

LINE = r"stop (none|\S+ \(P [<.\d]+\)(, \S+ \(P [<.\d]+\))*)(, \w+ \d+)*, best bet n\d+ P \d\.\d\d\n"


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`ticking(step, …)`: each pause does one of these steps; after the last one somebody presses Ctrl-C."""

    def tick(*steps: Callable[[], object]) -> None:
        waiting = list(steps)

        def pause(_: float) -> None:
            if not waiting:
                raise KeyboardInterrupt
            waiting.pop(0)()

        monkeypatch.setattr("lcode.cli.watch.pause", pause)

    return tick


@pytest.fixture
def logs(running_logs: Path, tmp_path: Path) -> Path:
    """A copy of the running logs that a test may change."""
    path = tmp_path / "runs.csv"
    path.write_bytes(running_logs.read_bytes())
    return path


@pytest.fixture
def arguments(logs: Path, model_folder: Path, graphs_file: Path) -> list[object]:
    return ["watch", logs, "--model", model_folder, "--graphs", graphs_file]


def test_one_line_for_cron(lcode_command: Lcode, arguments: list[object]) -> None:
    done = lcode_command(*arguments, "--once")
    assert done.status == 0 and done.err == ""
    assert re.fullmatch(LINE, done.out), done.out
    assert "n05 (P 0)" in done.out  # it diverged


def test_an_error_at_the_first_reading_is_told(lcode_command: Lcode, tmp_path: Path) -> None:
    done = lcode_command("watch", tmp_path / "nowhere", "--once")
    assert done.status == 2 and "nowhere" in done.err and done.out == ""


def test_what_changes_is_told_until_somebody_ends_it(
    lcode_command: Lcode, arguments: list[object], logs: Path, ticking: Callable[..., None]
) -> None:
    def one_more() -> None:
        frame = pd.read_csv(logs)
        again = frame[frame["run"] == "n07"].assign(run="extra")
        pd.concat([frame, again]).to_csv(logs, index=False)

    ticking(lambda: None, one_more, lambda: logs.write_text("run,epoch\n\0"), lambda: None)
    done = lcode_command(*arguments)
    first, *others = done.out.splitlines()
    assert done.status == 0 and "no longer watching" in done.err
    assert re.fullmatch(LINE, first + "\n")
    assert "extra is new: finished" in others
    assert len(others) == len(set(others))


def test_the_live_table(
    lcode_command: Lcode,
    arguments: list[object],
    logs: Path,
    ticking: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rich.console import Console

    screen = Console(width=80, force_terminal=True, color_system=None, record=True)
    monkeypatch.setattr("lcode.cli.watch.out", screen)
    ticking(lambda: logs.write_text("run,epoch\n\0"))
    assert lcode_command(*arguments, "--every", 5).status == 0
    text = screen.export_text()
    assert re.search(r"Stop \d of 8 runs", text)
    assert "again every 5 s; Ctrl-C ends" in text and "n07" in text and "finished" in text
    assert "not read this time" in text

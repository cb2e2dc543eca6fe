"""A thousand damaged inputs for every reader; `python -m lcode.fuzzing --inputs 20000` tries more."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from lcode.errors import InputError, LcodeError
from lcode.fuzzing import fuzz as module
from lcode.fuzzing.fuzz import damaged, fuzz
from lcode.fuzzing.targets import TARGETS

SLOW = {"wide-csv", "long-csv", "jsonl", "resumed", "run-logs", "model"}


@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in TARGETS]
)
def test_a_damaged_input_is_read_or_refused(target: str) -> None:
    findings = fuzz(target, 1000)
    assert not findings, f"{len(findings)} findings, such as input {findings[0].index}: {findings[0].trace}"


LOGGED = Path(__file__).parents[1] / "readers" / "loggers" / "data"
"""Folders as the tools themselves have written them."""


@pytest.mark.slow
@pytest.mark.parametrize("tool", sorted(path.name for path in LOGGED.iterdir()))
def test_a_tools_damaged_folder_is_read_or_refused(tool: str) -> None:
    findings = fuzz(str(LOGGED / tool), 60)
    assert not findings, f"{len(findings)} findings, such as input {findings[0].index}: {findings[0].trace}"


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "model"])
def test_valid_input_is_read_and_of_the_damaged_some_is_read_and_some_refused(target: str, tmp_path: Path) -> None:
    def outcome(files: dict[str, bytes], folder: Path) -> bool:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        try:
            TARGETS[target].read(folder)
        except LcodeError:
            return False
        return True

    assert outcome(dict(TARGETS[target].files()), tmp_path / "valid")
    assert {outcome(damaged(target, i, 0), tmp_path / str(i)) for i in range(60)} == {True, False}


def test_the_same_number_and_seed_make_the_same_input() -> None:
    for target in ("wide-csv", "run-logs", "wide-parquet"):
        assert damaged(target, 7, 1) == damaged(target, 7, 1)
        assert len({str(damaged(target, i, 1)) for i in range(20)} | {str(damaged(target, 7, 2))}) > 15


def failing(monkeypatch: pytest.MonkeyPatch, read: object) -> None:
    target = module.Target(TARGETS["graphs"].files, TARGETS["graphs"].mutations, read)  # type: ignore[arg-type]
    monkeypatch.setitem(TARGETS, "graphs", target)


def test_a_bug_a_warning_and_a_hang_are_found_and_a_refusal_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise InputError("is damaged")

    def break_down(_: Path) -> None:
        raise KeyError("a key")

    failing(monkeypatch, refuse)
    assert fuzz("graphs", 3) == []
    failing(monkeypatch, break_down)
    (one, *_) = found = fuzz("graphs", 3, first=4)
    assert [finding.index for finding in found] == [4, 5, 6]
    assert one.error == "KeyError: 'a key'" and "Traceback" in one.trace
    failing(monkeypatch, lambda folder: warnings.warn("overflow", RuntimeWarning, stacklevel=1))
    assert "RuntimeWarning: overflow" in fuzz("graphs", 1)[0].error
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    failing(monkeypatch, lambda folder: [None for _ in iter(int, 1)])  # without end
    assert "TimeoutError" in fuzz("graphs", 1)[0].error


def test_the_command_says_how_many_were_tried() -> None:
    command = [sys.executable, "-m", "lcode.fuzzing", "graphs", "--inputs", "501"]
    for jobs in ("1", "2"):
        done = subprocess.run([*command, "--jobs", jobs], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "graphs: 501 inputs, 0 findings" in done.stdout, done.stdout + done.stderr
    wrong = subprocess.run([*command, "grafs"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "no folder of logs 'grafs'; targets are: wide-csv" in wrong.stderr

"""Runs pieces of code as a reader of the documentation would: one after the other, in an interpreter of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

RUNNER = """
import json, shlex, subprocess, sys

namespace = {"__name__": "__main__"}


def calls(code):
    "The words of each command, if all are lcode's: a new interpreter for each would take seconds."
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    plain = all(line.startswith("lcode ") and not any(mark in line for mark in "|>&;$*?\\\\") for line in lines)
    return [shlex.split(line, comments=True) for line in lines] if plain else []


for name, language, code in json.load(sys.stdin):
    if language == "bash" and (commands := calls(code)):
        from lcode.cli import run_app
        from lcode.cli.commands import app

        for _, *words in commands:
            status = run_app(app, words, name="lcode")
            assert status == 0, f"{name}, lcode {words[0]}, ended with exit status {status}"
    elif language == "bash":
        sys.stdout.flush()
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{name} ended with exit status {done.returncode}"
    else:
        exec(compile(code, name, "exec"), namespace)
"""

RunSnippets = Callable[[Sequence[tuple[str, str, str]]], None]
"""Takes triples of a name for tracebacks, a language (`python` or `bash`) and code."""


@pytest.fixture
def run_snippets(tmp_path: Path) -> RunSnippets:
    """Executes snippets in order, in the test's folder; what fails, or shows a warning of Python, fails the test."""

    def run(snippets: Sequence[tuple[str, str, str]]) -> None:
        own = str(Path(sys.executable).parent)  # where our commands are installed
        done = subprocess.run(
            [sys.executable, "-c", RUNNER],
            input=json.dumps(list(snippets)),
            cwd=tmp_path,
            env={**os.environ, "PATH": own + os.pathsep + os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr

    return run

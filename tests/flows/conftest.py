"""Runs pieces of code as a reader of the documentation would: one after the other, in an interpreter of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

RUNNER = """
import json, sys

namespace = {"__name__": "__main__"}
for name, code in json.load(sys.stdin):
    exec(compile(code, name, "exec"), namespace)
"""

RunSnippets = Callable[[Sequence[tuple[str, str]]], None]
"""Takes pairs of a name for tracebacks and code."""


@pytest.fixture
def run_snippets(tmp_path: Path) -> RunSnippets:
    """Executes snippets in one namespace, in an empty folder; what fails, or shows a warning, fails the test."""

    def run(snippets: Sequence[tuple[str, str]]) -> None:
        done = subprocess.run(
            [sys.executable, "-c", RUNNER],
            input=json.dumps(list(snippets)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr

    return run

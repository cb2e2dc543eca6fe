"""Runs pieces of code as a reader of the documentation would: one after the other, in a process of their own.

A page would spend most of its time on loading what every page needs. So one process loads that and keeps to itself:
each page runs in a fork of it, which has whatever that process has loaded and nothing of what another page did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

RUNNER = """
import json, os, re, shlex, subprocess, sys

# What a forecast, a fit and a training load.
import torch._dynamo
import lcode.cli.commands, lcode.evaluation, lcode.forecasters.lcgode, lcode.hooks, lcode.plot
import mtl_runs.cli, mtl_runs.problems, mtl_runs.training

for line in sys.stdin:
    if (child := os.fork()) == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()

# From here on it is the page's own process.
page = json.loads(line)
for number, path in enumerate((os.devnull, page["out"], page["err"])):
    os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
os.chdir(page["folder"])
os.environ.clear()
os.environ.update(page["environment"])
namespace = {"__name__": "__main__"}

PROGRAMS = {"lcode": lcode.cli.main, "mtl-runs": mtl_runs.cli.main}


def calls(code):
    "The words of each command, if all are ours: a new interpreter for each would take seconds."
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    # Between single quotes the shell changes nothing either.
    bare = [re.sub("'[^']*'", "", line) for line in lines]
    plain = all(line.split()[0] in PROGRAMS and not any(mark in line for mark in "|<>&;$*?\\\\") for line in bare)
    return [shlex.split(line, comments=True) for line in lines] if plain else []


for name, language, code in page["snippets"]:
    if language == "bash" and (commands := calls(code)):
        for words in commands:
            sys.argv = words
            try:
                PROGRAMS[words[0]]()
                status = 0
            except SystemExit as done:
                status = done.code or 0
            assert status == 0, f"{name}, {' '.join(words[:2])}, ended with exit status {status}"
    elif language == "bash":
        sys.stdout.flush()
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{name} ended with exit status {done.returncode}"
    else:
        exec(compile(code, name, "exec"), namespace)
"""

RunSnippets = Callable[[Sequence[tuple[str, str, str]]], None]
"""Takes triples of a name for tracebacks, a language (`python` or `bash`) and code."""


@pytest.fixture(scope="session")
def _pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[dict[str, object]], int]]:
    """Runs a page in a fork of one process; gives its exit status."""
    told = tmp_path_factory.mktemp("pages") / "told"  # loading must not warn, as a reader's interpreter would
    with (
        told.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):

        def run(page: dict[str, object]) -> int:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(page) + "\n")
            process.stdin.flush()
            status = process.stdout.readline()
            assert status and not told.read_text(), told.read_text()
            return int(status)

        yield run


@pytest.fixture
def run_snippets(
    _pages: Callable[[dict[str, object]], int], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunSnippets:
    """Executes snippets in order, in the test's folder; what fails, or shows a warning of Python, fails the test."""

    def run(snippets: Sequence[tuple[str, str, str]]) -> None:
        own = str(Path(sys.executable).parent)  # where our commands are installed
        told = tmp_path_factory.mktemp("told")
        status = _pages(
            {
                "snippets": list(snippets),
                "folder": str(tmp_path),
                "environment": {**os.environ, "PATH": own + os.pathsep + os.environ.get("PATH", "")},
                "out": str(told / "out"),
                "err": str(told / "err"),
            }
        )
        errors = (told / "err").read_text(encoding="utf-8")
        assert status == 0, errors
        assert "Warning" not in errors, errors

    return run

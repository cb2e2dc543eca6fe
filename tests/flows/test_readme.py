"""What the documentation tells people to type works: Python is run, commands are held against the command line.

A block of Python that cannot run here is preceded by the HTML comment `<!-- not run -->`. A synopsis with brackets is
no command: it belongs in a block that is not marked as bash.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import typer

import lcode.cli.commands
import mtl_runs.cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("datasets/**/README.md"))]

APPS = {"lcode": lcode.cli.commands.app, "mtl-runs": mtl_runs.cli.app}

BLOCK = re.compile(r"^(<!-- not run -->\s*)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL_OPERATOR = re.compile(r"\s(?:&&|\|\||[|&;>])\s")


def blocks(path: Path, language: str) -> Iterator[str]:
    """The bodies of the fenced blocks in a language that are not marked as not to be run."""
    if path.exists():
        for skipped, name, body in BLOCK.findall(path.read_text(encoding="utf-8")):
            if name == language and not skipped:
                yield body


def commands(path: Path) -> Iterator[list[str]]:
    """The calls of our commands in the bash blocks, as words."""
    for block in blocks(path, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in SHELL_OPERATOR.split(line.split(" #")[0]):
                words = shlex.split(part.removeprefix("$ "), comments=True)
                if words and words[0] in APPS:
                    yield words


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README.md")
def test_the_python_of_the_readme_runs(run_snippets: Callable[[Sequence[tuple[str, str]]], None]) -> None:
    code = enumerate(blocks(ROOT / "README.md", "python"), start=1)
    run_snippets([(f"README.md, Python block {number}", body) for number, body in code])


@pytest.mark.parametrize("words", [words for path in DOCUMENTS for words in commands(path)], ids=" ".join)
def test_a_command_in_the_documentation_is_understood(words: list[str]) -> None:
    name, *arguments = words
    group = typer.main.get_command(APPS[name])
    known = group.commands  # type: ignore[attr-defined]
    assert arguments and arguments[0] in known, f"{name} has the commands {', '.join(known)}"
    # Parses options and arguments without running anything; what does not exist or is missing raises.
    given = [word for word in arguments[1:] if word != "--verbose"]
    known[arguments[0]].make_context(arguments[0], given)

"""What the documentation tells people to type works: pages are run, commands are held against the command line.

The blocks of Python and bash of the README and of each page of the site run from top to bottom in an empty folder. A
block that cannot run here has the HTML comment `<!-- not run -->` before it. `<!-- given: NAME = PATH -->` puts a copy
of a file or folder of the repository into the page's folder. Commands of all blocks, run or not, must be understood by
the command line. A synopsis with brackets is no command: it belongs in a block that is not marked as bash.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import typer

import lcode.cli.commands
import mtl_runs.cli

ROOT = Path(__file__).parents[2]
SITE = sorted(ROOT.glob("docs/**/*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *SITE, *sorted(ROOT.glob("datasets/**/README.md"))]

APPS = {"lcode": lcode.cli.commands.app, "mtl-runs": mtl_runs.cli.app}

BLOCK = re.compile(r"^(<!-- not run -->\s*)?^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
GIVEN = re.compile(r"^<!-- given: (\S+) = (\S+) -->$", re.MULTILINE)
SHELL_OPERATOR = re.compile(r"\s(?:&&|\|\||[|&;>])\s")


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """Mark, language and body of the fenced blocks."""
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def to_run(path: Path) -> list[tuple[str, str, str]]:
    """Name, language and body of the blocks that run."""
    name = path.relative_to(ROOT)
    return [(f"{name}, block {n}", lang, body) for n, (skip, lang, body) in enumerate(blocks(path), 1) if not skip]


def commands(path: Path) -> Iterator[list[str]]:
    """The calls of our commands in the bash blocks, as words."""
    for _, language, block in blocks(path):
        for line in block.replace("\\\n", " ").splitlines() if language == "bash" else ():
            for part in SHELL_OPERATOR.split(line.split(" #")[0]):
                words = shlex.split(part.removeprefix("$ "), comments=True)
                if words and words[0] in APPS:
                    yield words


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in (ROOT / "README.md", *SITE) if to_run(path)], ids=lambda path: path.stem
)
def test_a_page_runs(
    path: Path, tmp_path: Path, run_snippets: Callable[[Sequence[tuple[str, str, str]]], None]
) -> None:
    for name, source in GIVEN.findall(path.read_text(encoding="utf-8")):
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / name)
    run_snippets(to_run(path))


@pytest.mark.parametrize(
    "words", [("lcode", "--version"), ("mtl-runs", "train", "--arch", "mlp-4x1", "--epochs", "1", "--out", "runs")]
)
def test_an_installed_program_runs_in_a_process_of_its_own(words: Sequence[str], tmp_path: Path) -> None:
    """Pages are run in a process that has loaded what they need."""
    program = Path(sys.executable).parent / words[0]
    done = subprocess.run([program, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr


@pytest.mark.parametrize("words", [words for path in DOCUMENTS for words in commands(path)], ids=" ".join)
def test_a_command_in_the_documentation_is_understood(words: list[str]) -> None:
    name, *arguments = words
    group = typer.main.get_command(APPS[name])
    known = group.commands  # type: ignore[attr-defined]
    assert arguments and arguments[0] in known, f"{name} has the commands {', '.join(known)}"
    # Parses options and arguments without running anything; what does not exist or is missing raises.
    given = [word for word in arguments[1:] if word != "--verbose"]
    known[arguments[0]].make_context(arguments[0], given)

"""The documentation is complete, its site is built without a warning, and the examples of the public names run."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import lcode
from lcode.readers.loggers import LOGGERS, Logger
from mtl_runs.balancers import BALANCERS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WORDS = 1200
"""So many are read; what does not fit is a page of its own."""


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= WORDS


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    generated = {"commands.md"}
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = set(re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)) - generated
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_balancer_is_in_the_guide() -> None:
    named = re.findall(r"^\| `(\w+)` \|", page("balancers.md"), flags=re.MULTILINE)
    assert sorted(named) == sorted(BALANCERS)


@pytest.mark.parametrize("reader", LOGGERS.values(), ids=LOGGERS)
def test_every_tool_is_in_the_table_of_logs(reader: Logger) -> None:
    named = re.findall(r"^\| ([^|]+) \|", page("logs.md"), flags=re.MULTILINE)
    assert any(reader.tool in name for name in named)


@pytest.mark.parametrize("name", lcode.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf"^::: lcode\..*\b{name}$", page("reference.md"), flags=re.MULTILINE)


def test_one_version_everywhere() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (built,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert lcode.__version__ == str(cited["version"]) == built


@pytest.fixture
def with_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what the examples find: the page says it in its first block."""
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```", page("reference.md"), flags=re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/reference.md", "exec"), {})


@pytest.mark.slow
@pytest.mark.usefixtures("with_logs")
@pytest.mark.parametrize("name", lcode.__all__)
def test_the_example_of_a_public_name_runs(name: str) -> None:
    text = inspect.getdoc(getattr(lcode, name)) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, f"the docstring of lcode.{name} has no example"
    told: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=flags, verbose=False).run(example, out=told.append)
    assert result.failed == 0, "".join(told)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site"
    reference = (site / "reference.html").read_text(encoding="utf-8")
    assert all(f"<code>{name}</code>" in reference or f">{name}<" in reference for name in lcode.__all__)
    # Nothing is fetched when a page is opened.
    fetched = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)=["']?https?://(?!127\.)""")
    assert [str(p) for p in site.rglob("*.html") if fetched.search(p.read_text(encoding="utf-8"))] == []

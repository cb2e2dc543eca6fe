"""Hook of mkdocs: files that lie outside `docs/` become pages, links lead to them, and the commands have a page.

In the repository a page links to `../CONTRIBUTING.md`, which works where the repository is browsed. On the site that
file is the page `CONTRIBUTING.md`. A link to a file that is no page, such as a script, stays as text.
"""

from __future__ import annotations

import json
import posixpath
import re
from html import escape
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import lcode.cli.commands
import mtl_runs.cli

ROOT = Path(__file__).parents[1]

BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "lcode/SHIPPED.md", "datasets/**/*.md", "notebooks/*.ipynb")

LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files beside."""
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            place = _page_of(path.relative_to(ROOT).as_posix())
            text = path.read_text(encoding="utf-8")
            content = _notebook(json.loads(text)) if path.suffix == ".ipynb" else text
            files.append(File.generated(config, place, content=content))
    files.append(File.generated(config, "commands.md", content=_commands()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links lead to pages of the site, or stay as text."""
    here = page.file.src_uri
    at = here if files.get_file_from_path(here).generated_by else f"docs/{here}"  # type: ignore[union-attr]

    def lead(found: re.Match[str]) -> str:
        picture, text, target, anchor = found.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(at), target))
        place = _page_of(path.removeprefix("docs/"))
        if files.get_file_from_path(place) is None:
            return str(text)
        return f"{picture}[{text}]({posixpath.relpath(place, posixpath.dirname(here) or '.')}{anchor or ''})"

    # What stands in a block of code is no link.
    parts = re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(lead, part) for part in parts)


def _commands() -> str:
    """Every command with its options, as `--help` has them."""
    parts = [
        "# Commands",
        "Exit status 0: done; 2: bad usage or bad input, with one message; `--verbose` shows tracebacks.",
    ]
    for program, app in (("lcode", lcode.cli.commands.app), ("mtl-runs", mtl_runs.cli.app)):
        for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
            parts.append(f"## {program} {name}\n\n{command.help}")
            rows = [f"| `{_called(option)}` | {_cell(option.help)} |" for option in command.params]
            parts.append("\n".join(["| | |", "|---|---|", *rows]) if rows else "")
    return "\n\n".join(parts)


def _called(option: Any) -> str:
    return " ".join(option.opts) if option.opts[0].startswith("-") else option.metavar or option.name.upper()


def _cell(text: str | None) -> str:
    return escape(text or "", quote=False).replace("|", "\\|")


def _page_of(path: str) -> str:
    return path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path


def _notebook(notebook: dict[str, Any]) -> str:
    """A notebook as a page: text, code, and what the code put out."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [_output(output) for output in cell.get("outputs", ())]
    return "\n\n".join(parts)


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return f"<div>{''.join(data['image/svg+xml'])}</div>"
    if "image/png" in data:
        return f'<img alt="figure" src="data:image/png;base64,{"".join(data["image/png"]).strip()}">'
    if "text/html" in data:
        html = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.DOTALL)
        return "\n".join(line for line in html.splitlines() if line.strip())
    text = "".join(data.get("text/plain", output.get("text", "")))
    return f"```text\n{text.rstrip()}\n```" if text else ""

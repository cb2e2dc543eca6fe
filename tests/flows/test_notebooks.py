"""Every notebook runs from top to bottom; those of `notebooks/` show what came out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = sorted(ROOT.glob("notebooks/*.ipynb"))
STUDIES = sorted(ROOT.glob("datasets/**/*.ipynb"))

LARGEST = 200_000
"""In bytes, outputs included: a notebook is read, and every change of it is kept for ever."""

every_shown_notebook = pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_are_notebooks() -> None:
    assert len(SHOWN) >= 2 and STUDIES


@every_shown_notebook
def test_a_notebook_shows_what_came_out(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), "run it with `make notebooks`"
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs and all(output["output_type"] in ("display_data", "execute_result", "stream") for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)
    assert path.stat().st_size <= LARGEST


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_kept_without_outputs(path: Path) -> None:
    """Its figures are interactive, and large."""
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells(path))


@pytest.mark.slow
@pytest.mark.parametrize("path", [*SHOWN, *STUDIES], ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch, run_snippets: Callable[[Sequence[tuple[str, str, str]]], None]
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    cells = ["".join(cell["source"]) for cell in code_cells(path)]
    run_snippets([(f"{path.name}, code cell {number}", "python", code) for number, code in enumerate(cells, start=1)])

"""Every notebook runs from top to bottom, and is committed without outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@every_notebook
def test_a_notebook_holds_no_outputs(path: Path) -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code_cells(path))


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs(path: Path, run_snippets: Callable[[Sequence[tuple[str, str]]], None]) -> None:
    cells = ["".join(cell["source"]) for cell in code_cells(path)]
    run_snippets([(f"{path.name}, code cell {number}", code) for number, code in enumerate(cells, start=1)])

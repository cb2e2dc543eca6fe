"""Work grows with the size of a file, not with its square: these sizes would take many minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lcode.errors import InputError
from lcode.graphs.file import read_graphs
from lcode.readers.raw import RawTable, check_names
from lcode.readers.understanding.layout import read_cells

MANY = 200_000


def test_columns_of_different_names() -> None:
    names = [f"loss{i}" for i in range(MANY)]
    check_names(Path("runs.csv"), names)
    with pytest.raises(InputError, match=f"column 'loss{MANY - 1}': there are two columns"):
        check_names(Path("runs.csv"), [*names, names[-1]])


def test_a_long_table_of_a_metric_per_row() -> None:
    columns: dict[str, list[Any]] = {
        "run": ["a"] * MANY,
        "epoch": [1] * MANY,
        "metric": [f"loss{i}" for i in range(MANY)],
        "value": [0.5] * MANY,
    }
    raw = RawTable(Path("runs.csv"), {name: pa.chunked_array([cells]) for name, cells in columns.items()}, int)
    cells = read_cells(raw)
    assert cells.keys == tuple(columns["metric"]) and cells.metric.tolist() == list(range(MANY))


def test_a_name_that_is_repeated_at_the_end_of_a_graphs_file(tmp_path: Path) -> None:
    names = [*range(MANY), MANY - 1]
    (tmp_path / "graphs.json").write_text("{" + ",".join(f'"{name}":1' for name in names) + "}")
    with pytest.raises(InputError, match=f"the name '{MANY - 1}' is there twice"):
        read_graphs(tmp_path / "graphs.json")

"""From rows, each of which names its cells, to a table: what JSON and Excel files hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.raw import LARGEST_EXACT, RawTable, check_names, too_sparse
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed


def rows_to_table(
    path: Path,
    rows: Sequence[dict[str, Any]],
    lines: Sequence[int],
    *,
    unterminated: bool = False,
    notes: tuple[str, ...] = (),
) -> RawTable:
    """A table of rows, each of which names its cells; null and absent keys are null.

    Args:
        path: their file.
        rows: one or more.
        lines: line of each row, for messages.
        unterminated: whether the file ends within a line.
        notes: remarks for the user.

    Raises:
        InputError: a nested value, or nearly as many keys as rows.
    """
    rows = [_flat(row) if any(isinstance(value, dict) for value in row.values()) else row for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(path, [name.strip() for name in names])
    lists = {
        name: number for number, row in zip(lines, rows, strict=False) for name in row if isinstance(row[name], list)
    }
    if lists:
        if not any(known_metric(name) is not None for name in names if name not in lists):
            name, number = next(iter(lists.items()))
            raise InputError("holds a list; write one number per key", path=path, line=number, column=name)
        notes = (*notes, f"{path.name}: left out, since they hold lists: {listed([*lists])}.")
        names = [name for name in names if name not in lists]
        rows = [{name: value for name, value in row.items() if name not in lists} for row in rows]
    cells, given = len(rows) * len(names), sum(map(len, rows))
    if too_sparse(cells, given):
        raise InputError(
            f"has {len(names)} different keys in {len(rows)} lines, so that hardly one cell in {cells // given} is "
            "filled; write one key per curve, or a long table: run, epoch, task, metric, value",
            path=path,
        )
    columns = {name.strip(): pa.chunked_array([_column([row.get(name) for row in rows])]) for name in names}
    return RawTable(path, columns, lambda row: lines[row], unterminated, notes)


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The row with nested objects as keys joined by slashes: `{"val": {"loss": 1}}` is `val/loss`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}/")
        else:
            flat[before + name] = value
    return flat


def _column(values: list[Any]) -> pa.Array:
    """An Arrow column of numbers or booleans where all cells are such, of text otherwise."""
    kinds = {type(value) for value in values} - {type(None)}
    try:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds and kinds <= {int, float} and not any(type(v) is int and abs(v) > LARGEST_EXACT for v in values):
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
    except OverflowError:
        pass
    return pa.array(
        [value if value is None or isinstance(value, str) else json.dumps(value) for value in values], pa.string()
    )

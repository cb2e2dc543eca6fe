"""From rows, each of which names its cells, to a table: what JSON and Excel files hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.formats.deviations import without_deviations
from lcode.readers.raw import LARGEST_EXACT, RawTable, check_names, too_sparse
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_OF_RUNS = frozenset((*RUN_NAMES, "horizon"))
"""Keys of rows that tell of a run without counting, such as those of a candidate."""


def counting_rows(
    path: Path, rows: Sequence[dict[str, Any]], lines: Sequence[int], places: str
) -> tuple[Sequence[dict[str, Any]], Sequence[int], tuple[str, ...]]:
    """The rows that say of which epoch or run they are, where some do, their lines, and a remark on the others.

    Settings stand before the first epoch, and what came of it behind the last.

    Args:
        path: their file.
        rows: all of them.
        lines: line of each row.
        places: what the lines are called: `lines`, or `rows` where the file has others.
    """
    counts = [any(is_counter(name) or name in _OF_RUNS for name in row) for row in rows]
    if all(counts) or not any(counts):
        return rows, lines, ()
    others = [str(line) for line, kept in zip(lines, counts, strict=False) if not kept]
    note = f"{path.name}: left out, since they count no epoch or step: {places} {listed(others)}."
    kept = [(row, line) for row, line, kept in zip(rows, lines, counts, strict=False) if kept]
    return [row for row, _ in kept], [line for _, line in kept], (note,)


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
    rows = [flat_row(row) if any(isinstance(value, dict) for value in row.values()) else row for row in rows]
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
    columns, told = without_deviations(path, columns)
    return RawTable(path, columns, lambda row: lines[row], unterminated, (*notes, *told))


def flat_row(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The row with nested objects as keys joined by slashes: `{"val": {"loss": 1}}` is `val/loss`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= flat_row(value, f"{before}{name}/")
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

"""Tables in JSONL files: one JSON object per row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.part import LogPart
from lcode.readers.raw import LARGEST_EXACT, RawTable, check_names, decoded
from lcode.readers.repeats import OnRepeat
from lcode.readers.resumed import read_tables
from lcode.readers.run_log import is_run_log

FEW_CELLS, SPARSEST = 10**7, 100
"""A table of more cells than this is refused where fewer than one in a hundred is filled: it has a column per curve, so
a new key in every line would take memory and time with the square of the lines."""


class JsonlReader:
    """Reads wide and long tables from `.jsonl` files that are not run logs."""

    suffix = ".jsonl"

    def sniff(self, path: Path) -> bool:
        """Whether this reader is the one for the file."""
        return path.suffix.lower() == self.suffix and not is_run_log(path)

    def read(self, paths: Sequence[Path], on_repeat: OnRepeat = "error") -> LogPart:
        """The runs of these files.

        Raises:
            InputError: a file that is no such table; the message says where and how to mend it.
        """
        return read_tables(map(load_jsonl, paths), on_repeat)


def load_jsonl(path: Path) -> RawTable:
    """The cells of a JSONL file; null and absent keys are null, NaN is NaN.

    Raises:
        InputError: a line that is no flat JSON object.
    """
    text = decoded(path, path.read_bytes())
    unterminated = not text.endswith("\n")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise InputError("is empty; expected one JSON object per line, with run, epoch and a key per curve", path=path)
    rows: list[dict[str, Any]] = []
    notes = []
    for number, line in lines:
        try:
            row = parse_json(line)
        except ValueError as error:
            if number == lines[-1][0] and unterminated and rows:
                notes.append(f"{path.name}: the last line is incomplete and was skipped.")
                unterminated = False
                break
            raise InputError(
                f"is not JSON ({error}); write one object per line, or rename a CSV file to .csv",
                path=path,
                line=number,
            ) from error
        if not isinstance(row, dict):
            raise InputError(f"is not a JSON object but {line.strip()[:40]}", path=path, line=number)
        rows.append(row)
    if rows[0].get("type") in ("epoch", "end"):
        raise InputError("looks like a run log whose header line is missing; restore its first line", path=path, line=1)
    numbers = [number for number, _ in lines]
    return rows_to_table(path, rows, numbers, unterminated=unterminated, notes=tuple(notes))


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
    for number, row in zip(lines, rows, strict=False):
        for name, value in row.items():
            if isinstance(value, list):
                raise InputError(
                    "holds a list; write one number per key",
                    path=path,
                    line=number,
                    column=name,
                )
    cells, given = len(rows) * len(names), sum(map(len, rows))
    if cells > max(FEW_CELLS, SPARSEST * given):
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

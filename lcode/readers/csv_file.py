"""Tables in CSV files: UTF-8 text, commas, a header line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from lcode.errors import InputError
from lcode.readers.part import LogPart, join
from lcode.readers.raw import RawTable, check_names, decoded
from lcode.readers.table_part import read_table


class CsvReader:
    """Reads wide and long tables from `.csv` files."""

    suffix = ".csv"

    def sniff(self, path: Path) -> bool:
        """Whether this reader is the one for the file."""
        return path.suffix.lower() == self.suffix

    def read(self, paths: Sequence[Path]) -> LogPart:
        """The runs of these files.

        Raises:
            InputError: a file that is no such table; the message says where and how to mend it.
        """
        return join([read_table(load_csv(path)) for path in paths])


def load_csv(path: Path) -> RawTable:
    """The cells of a CSV file as text, null where empty.

    Raises:
        InputError: not UTF-8 text, empty, ragged, or with a column that is unnamed or named twice.
    """
    data = path.read_bytes()
    text = decoded(path, data)
    if not text.strip():
        raise InputError("is empty; expected a header line 'run,epoch,task/metric,…' and one row per epoch", path=path)
    if text.lstrip()[0] == "{":
        raise InputError("holds JSON, not comma-separated values; rename it to .jsonl", path=path, line=1)
    header = _header(path, text)
    unterminated = not data.endswith((b"\n", b"\r"))
    notes = []
    if unterminated:
        start = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if start and len(next(csv.reader([data[start:].decode()]), [])) < len(header):
            notes.append(f"{path.name}: the last line is incomplete and was skipped.")
            data, text, unterminated = data[:start], data[:start].decode(), False
    ragged: list[object] = []

    def note_ragged(row: object) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = _arrow_table(data, len(header), note_ragged)
    except pa.ArrowInvalid as error:
        raise InputError(f"is no CSV table ({error}); check its quotes and line breaks", path=path) from error
    if ragged:
        raise _ragged_error(path, text, len(header))
    columns = {name: table[str(i)].slice(1) for i, name in enumerate(header)}
    return RawTable(path, columns, _line_finder(path, text), unterminated, tuple(notes))


def _arrow_table(data: bytes, n_columns: int, on_ragged: Callable[[object], str]) -> pa.Table:
    """All cells as text, the header as the first row: its names may need mending."""
    names = [str(i) for i in range(n_columns)]
    return arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(column_names=names),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=on_ragged),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows and their lines, by the slower reader of the standard library, which can count lines."""
    reader = csv.reader(io.StringIO(text, newline=None))
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"is no CSV table ({error}); check its quotes", path=path, line=reader.line_num) from error


def _header(path: Path, text: str) -> list[str]:
    _, row = next(_rows(path, text))
    names = [name.strip() for name in row]
    check_names(path, names)
    return names


def _ragged_error(path: Path, text: str, expected: int) -> InputError:
    line, found = next((line, len(row)) for line, row in _rows(path, text) if len(row) != expected)
    return InputError(
        f"has {found} cells, but the header has {expected}; add or remove commas (quote cells that hold one)",
        path=path,
        line=line,
    )


def _line_finder(path: Path, text: str) -> Callable[[int], int]:
    """Row -> line; blank lines and quoted line breaks make the two differ. Called for messages only."""

    @cache
    def lines() -> list[int]:
        return [line for line, _ in _rows(path, text)]

    return lambda row: lines()[row + 1]

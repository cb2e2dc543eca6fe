"""Tables in CSV files: UTF-8 text, commas, a header line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from lcode.errors import InputError
from lcode.readers.part import LogPart
from lcode.readers.raw import RawTable, check_names, decoded
from lcode.readers.repeats import OnRepeat
from lcode.readers.resumed import read_tables

BLOCK = 1 << 20
"""Bytes that are parsed at a time, in several threads; a row must fit."""


class CsvReader:
    """Reads wide and long tables from `.csv` files."""

    suffix = ".csv"

    def sniff(self, path: Path) -> bool:
        """Whether this reader is the one for the file."""
        return path.suffix.lower() == self.suffix

    def read(self, paths: Sequence[Path], on_repeat: OnRepeat = "error") -> LogPart:
        """The runs of these files.

        Raises:
            InputError: a file that is no such table; the message says where and how to mend it.
        """
        return read_tables(map(load_csv, paths), on_repeat)


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
    # The standard library refuses cells of more than 131,072 characters, such as a whole configuration.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
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
        try:
            table = _arrow_table(data, len(header), note_ragged)
        except pa.ArrowInvalid:  # a row that is longer than a block
            ragged.clear()
            table = _arrow_table(data, len(header), note_ragged, block=max(len(data), BLOCK))
    except pa.ArrowInvalid as error:
        raise InputError(f"is no CSV table ({error}); check its quotes and line breaks", path=path) from error
    if ragged:
        cells = _torn(text, len(header)) if len(ragged) == 1 else None
        if cells is None:
            raise _ragged_error(path, text, len(header))
        notes.append(f"{path.name}: the last line is incomplete ({cells} cells of {len(header)}) and was skipped.")
        unterminated = False
    columns = {name: table[str(i)].slice(1) for i, name in enumerate(header)}
    raw = RawTable(path, columns, _line_finder(path, text), unterminated, tuple(notes))
    if not unterminated or len(raw) < 2:
        return raw
    if _may_be_cut(raw, header[-1]):
        return raw.without_last_row()
    note = f"{path.name}: the last line has no line end; if the file is still being written, its last cell may be cut."
    return replace(raw, notes=(*raw.notes, note))


def _torn(text: str, expected: int) -> int | None:
    """Cells of the last line if it has more or fewer than the header, as after a crash; None if that cannot be said.

    An open quote may have swallowed the lines before it.
    """
    last = text.rstrip().splitlines()[-1]
    cells = len(next(csv.reader([last]), []))
    return cells if cells != expected and last.count('"') % 2 == 0 else None


def _may_be_cut(raw: RawTable, column: str) -> bool:
    """Whether the last cell of a file without a last line end is shorter than every other cell of its column.

    Loggers end every line, so such a file is either still being written, and `1.4` may be the beginning of `1.4e-3`, or
    it was written by hand. To skip its last line always would take an epoch from every table of the second kind; to
    keep it always would read wrong numbers. Cells of a logger have much the same length, so a cut one stands out.
    """
    sizes = pc.utf8_length(pc.utf8_trim_whitespace(raw.columns[column])).fill_null(0).to_numpy()
    return bool(sizes[-1] < sizes[:-1].min())


def _arrow_table(data: bytes, n_columns: int, on_ragged: Callable[[object], str], *, block: int = BLOCK) -> pa.Table:
    """All cells as text, the header as the first row: its names may need mending."""
    names = [str(i) for i in range(n_columns)]
    return arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=block),
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
    ragged = ((line, len(row)) for line, row in _rows(path, text) if len(row) != expected)
    line, found = next(ragged, (None, "a row of fewer or more"))
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

    # Where quotes are odd the two readers may see different rows.
    return lambda row: lines()[min(row + 1, len(lines()) - 1)]

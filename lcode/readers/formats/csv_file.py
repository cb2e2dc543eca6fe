"""Tables in text files: a header line, cells between commas, semicolons, tabs or bars; compressed or not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from lcode.errors import InputError
from lcode.readers.encodings import is_utf16
from lcode.readers.formats.csv_lines import separator_of, with_whole_header, without_comments, without_other_headers
from lcode.readers.formats.deviations import without_deviations
from lcode.readers.formats.footers import without_footers
from lcode.readers.formats.headers import distinct_names, with_one_header, without_title
from lcode.readers.formats.lists_in_cells import with_lists_as_rows
from lcode.readers.formats.number_cells import plain_numbers
from lcode.readers.packed import plain_name, unpacked
from lcode.readers.raw import RawTable, check_names, decoded
from lcode.readers.runs.curve_files import named_by_file, runs_by_column
from lcode.readers.understanding.layout import is_own_form
from lcode.readers.understanding.uncounted import with_counted_rows
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

BLOCK = 1 << 20
"""Bytes that are parsed at a time, in several threads; a row must fit."""

_CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.MULTILINE | re.DOTALL)
"""What git leaves in a file whose two versions it could not merge."""

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_WITH_INDEX = 2
"""Columns of a table with one curve, where the index of a data frame stands before it."""


class CsvFormat:
    """Reads wide and long tables from `.csv`, `.tsv` and `.tab` files, also compressed (`.csv.gz`)."""

    suffixes = (".csv", ".tsv", ".tab")

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return plain_name(path).endswith(self.suffixes)

    def load(self, path: Path) -> RawTable:
        """The cells of a CSV file as text, null where empty; rows that are epochs which no column counts are counted.

        Raises:
            InputError: no text, empty, ragged, or with a column that is unnamed or named twice.
        """
        raw = named_by_file(without_footers(with_lists_as_rows(_loaded(path)), named=True))
        stem = path.name.partition(".")[0].lower()
        # `loss.csv` holds the losses of one training, one after another.
        curves = "history" in stem or (known_metric(stem) is not None and len(raw.columns) <= _WITH_INDEX)
        counted = with_counted_rows(raw.columns, curves=curves)
        if counted is None:
            return runs_by_column(raw)
        columns, told = counted
        notes = (*raw.notes, *(f"{path.name}: {remark}" for remark in told))
        return runs_by_column(replace(raw, columns=columns, notes=notes))


def _loaded(path: Path) -> RawTable:
    packed = unpacked(path)
    text, odd = decoded(path, packed)
    data = without_comments(text.encode() if odd or is_utf16(packed) else packed)
    text = data.decode("utf-8-sig")
    if not text.strip():
        raise InputError("is empty; expected a header line 'run,epoch,task/metric,…' and one row per epoch", path=path)
    if text.lstrip()[0] == "{":
        raise InputError("holds JSON, not comma-separated values; rename it to .jsonl", path=path, line=1)
    # The standard library refuses cells of more than 131,072 characters, such as a whole configuration.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    separator = separator_of(text)
    data = with_one_header(with_whole_header(without_title(data, separator), separator), separator)
    text = data.decode("utf-8-sig")
    names = _names(path, text, separator)
    own_form = is_own_form(names)
    if own_form:
        check_names(path, names)
    header = distinct_names(names)
    unterminated = not data.endswith((b"\n", b"\r"))
    data, again, told = without_other_headers(path, data, text, separator, header)
    text, notes = data.decode("utf-8-sig"), [*odd, *told]
    if unterminated:
        start = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if start and len(next(csv.reader([data[start:].decode()], delimiter=separator), [])) < len(header):
            notes.append(f"{path.name}: the last line is incomplete and was skipped.")
            data, text, unterminated = data[:start], data[:start].decode(), False
    ragged: list[object] = []

    def note_ragged(row: object) -> str:
        ragged.append(row)
        return "skip"

    try:
        try:
            table = _arrow_table(data, len(header), separator, note_ragged)
        except pa.ArrowInvalid:  # a row that is longer than a block
            ragged.clear()
            table = _arrow_table(data, len(header), separator, note_ragged, block=max(len(data), BLOCK))
    except pa.ArrowInvalid as error:
        raise InputError(f"is no CSV table ({error}); check its quotes and line breaks", path=path) from error
    if ragged:
        cells = _torn(text, separator, len(header)) if len(ragged) == 1 else None
        if cells is None:
            raise _ragged_error(path, text, separator, len(header))
        notes.append(f"{path.name}: the last line is incomplete ({cells} cells of {len(header)}) and was skipped.")
        unterminated = False
    columns = {name: table[str(i)].slice(1) for i, name in enumerate(header)}
    columns, deviations = without_deviations(path, columns)
    columns = {name: plain_numbers(name, column, separator) for name, column in columns.items()}
    finder = _line_finder(path, text, separator)
    raw = RawTable(path, columns, finder, unterminated, (*notes, *deviations), resumed=again, own_form=own_form)
    raw = _without_twins(raw, names)
    if not unterminated or len(raw) < 2:
        return raw
    if _may_be_cut(raw, header[-1]):
        return raw.without_last_row()
    note = f"{path.name}: the last line has no line end; if the file is still being written, its last cell may be cut."
    return replace(raw, notes=(*raw.notes, note))


def _torn(text: str, separator: str, expected: int) -> int | None:
    """Cells of the last line if it has more or fewer than the header, as after a crash; None if that cannot be said.

    An open quote may have swallowed the lines before it.
    """
    last = text.rstrip().splitlines()[-1]
    cells = len(next(csv.reader([last], delimiter=separator), []))
    return cells if cells != expected and last.count('"') % 2 == 0 else None


def _may_be_cut(raw: RawTable, column: str) -> bool:
    """Whether the last cell of a file without a last line end is shorter than every other cell of its column.

    Loggers end every line, so such a file is either still being written, and `1.4` may be the beginning of `1.4e-3`, or
    it was written by hand. To skip its last line always would take an epoch from every table of the second kind; to
    keep it always would read wrong numbers. Cells of a logger have much the same length, so a cut one stands out.
    """
    sizes = pc.utf8_length(pc.utf8_trim_whitespace(raw.columns[column])).fill_null(0).to_numpy()
    return bool(sizes[-1] < sizes[:-1].min())


def _arrow_table(
    data: bytes, n_columns: int, separator: str, on_ragged: Callable[[object], str], *, block: int = BLOCK
) -> pa.Table:
    """All cells as text, the header as the first row: its names may need mending."""
    names = [str(i) for i in range(n_columns)]
    return arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=block),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=on_ragged
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows and their lines, by the slower reader of the standard library, which can count lines."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=separator)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"is no CSV table ({error}); check its quotes", path=path, line=reader.line_num) from error


def _names(path: Path, text: str, separator: str) -> list[str]:
    """The names in the header, of which some may come twice."""
    _, row = next(_rows(path, text, separator))
    # A column without a name is the index of a data frame; pandas calls it so when it reads the file.
    return [name.strip() or f"Unnamed: {i}" for i, name in enumerate(row)]


def _without_twins(raw: RawTable, names: Sequence[str]) -> RawTable:
    """The table without columns that have the name and the cells of another, and a remark on those with its name alone.

    Args:
        raw: the table, with distinct names.
        names: those in its file.
    """
    columns = dict(raw.columns)
    twins = {own: name for own, name in zip(raw.columns, names, strict=True) if own != name}
    for own, name in twins.items():
        if columns[own].equals(columns[name]):
            del columns[own]
    apart = [f"the later column '{name}' is read as '{own}'" for own, name in twins.items() if own in columns]
    notes = (f"{raw.path.name}: {listed(apart)}.",) if apart else ()
    return replace(raw, columns=columns, notes=(*raw.notes, *notes))


def _ragged_error(path: Path, text: str, separator: str, expected: int) -> InputError:
    ragged = ((line, len(row)) for line, row in _rows(path, text, separator) if len(row) != expected)
    line, found = next(ragged, (None, "a row of fewer or more"))
    if _CONFLICT.search(text) is not None:
        return InputError(
            "holds both sides of a merge that git could not make (lines of '<<<<<<<', '=======' and '>>>>>>>'); "
            "keep one side, or put each into a file of its own",
            path=path,
            line=line,
        )
    if 2 * sum(1 for _ in ragged) > text.count("\n"):
        return InputError(
            f"is no table: most of its lines do not have the {expected} cells of the first; if it is what a program "
            "printed, rename it to .log",
            path=path,
            line=line,
        )
    return InputError(
        f"has {found} cells, but the header has {expected}; add or remove {_NAMES[separator]} (quote cells that hold "
        "one)",
        path=path,
        line=line,
    )


def _line_finder(path: Path, text: str, separator: str) -> Callable[[int], int]:
    """Row -> line; blank lines and quoted line breaks make the two differ. Called for messages only."""

    @cache
    def lines() -> list[int]:
        return [line for line, _ in _rows(path, text, separator)]

    # Where quotes are odd the two readers may see different rows.
    return lambda row: lines()[min(row + 1, len(lines()) - 1)]

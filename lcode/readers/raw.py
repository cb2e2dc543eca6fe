"""A table as it stands in its file, with the checks that turn its cells into names, epochs, numbers and constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.encodings import is_utf16, text_of_bytes, without_torn_lines
from lcode.readers.odd_cells import remedy_for
from lcode.table.axis import MAX_TICKS

PARQUET_MAGIC = b"PAR1"

_SHOWN = re.compile(
    r"(?:tensor|array|np\.float\d*|tf\.Tensor|Array)\(\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf))"
    r"\s*(?:,.*)?\)",
    re.IGNORECASE,
)
"""`tensor(2493.0610, device='cuda:0')`, in a table written from Python's own text of a value."""

_MISSING = frozenset(("-", "--", "–", "—", "n/a", "na", "none", "null", "#n/a"))
"""What programs write where there is no number."""

LARGEST_EXACT = 2**53
"""Beyond it different integers are one and the same float: they are compared, and kept as names, digit by digit."""

FEW_CELLS, SPARSEST = 10**7, 100
"""A table of more cells than this is refused where fewer than one in a hundred is filled: it has a column per curve, so
a new key in every line would take memory and time with the square of the lines."""


@dataclass(frozen=True)
class RawTable:
    """Columns of one file; cells are text (CSV) or typed (Parquet, JSONL), null where nothing is written.

    Attributes:
        path: the file.
        columns: column by name, all of the same length.
        line_of: 1-based line of a row in its file; called for messages only.
        file_of: the file of a row, where the table is one of several files.
        resumed: whether the file says that a later training was appended, whose rows count where epochs come twice.
        inner_runs: whether its runs are called after their place in the file, so that those of another file may have
            the same names.
        own_form: whether it is written for lcode (`lcode.readers.understanding.layout.is_own_form`): a cell that is no
            number is then a mistake, `None` and `n/a` too.
        unterminated: whether the file ends without a newline, so that its last line may be half written.
        notes: remarks for the user.
    """

    path: Path
    columns: Mapping[str, pa.ChunkedArray]
    line_of: Callable[[int], int]
    unterminated: bool = False
    notes: tuple[str, ...] = ()
    file_of: Callable[[int], Path] | None = None
    resumed: bool = False
    inner_runs: bool = False
    own_form: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def without_last_row(self) -> RawTable:
        """The table without its last line, which was torn."""
        note = f"{self.path.name}: the last line is incomplete and was skipped."
        columns = {name: column.slice(0, len(self) - 1) for name, column in self.columns.items()}
        return replace(self, columns=columns, unterminated=False, notes=(*self.notes, note))

    def without_column(self, name: str) -> RawTable:
        """The table without a column."""
        return replace(self, columns={other: column for other, column in self.columns.items() if other != name})

    def renamed(self, names: Mapping[str, str]) -> RawTable:
        """The table with other names for some columns."""
        return replace(self, columns={names.get(name, name): cells for name, cells in self.columns.items()})

    def where(self, kept: NDArray[np.bool_]) -> RawTable:
        """The table with some of its rows only; messages still name their lines in the file."""
        rows, mask = np.flatnonzero(kept), pa.array(kept)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return replace(
            self,
            columns=columns,
            line_of=lambda row: self.line_of(int(rows[row])),
            file_of=lambda row: self.file(int(rows[row])),
        )

    def in_order(self, rows: NDArray[np.int64]) -> RawTable:
        """The table with these rows, in this order; messages still name their lines in the file."""
        at = pa.array(rows)
        return replace(
            self,
            columns={name: column.take(at) for name, column in self.columns.items()},
            line_of=lambda row: self.line_of(int(rows[row])),
            file_of=lambda row: self.file(int(rows[row])),
        )

    def file(self, row: int) -> Path:
        """The file that a row stands in."""
        return self.path if self.file_of is None else self.file_of(row)

    def place(self, row: int, seen_from: int) -> str:
        """Where a row stands, in a message on another one: its line, and its file if that is another."""
        file = self.file(row)
        return f"line {self.line_of(row)}" + (f" of {file}" if file != self.file(seen_from) else "")

    def error(self, row: int, column: str | None, message: str) -> InputError:
        """The error to raise for a cell, or for a whole row."""
        return InputError(message, path=self.file(row), line=self.line_of(row), column=column)

    def text(self, row: int, column: str) -> str:
        """A cell as the user wrote it."""
        return str(self.columns[column][row].as_py())

    def numbers(self, name: str, *, remedy: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A column as numbers, and which of its cells are given (NaN may be given).

        Raises:
            InputError: a cell that is no number; `remedy` says what to do about it.
        """
        column = self.columns[name]
        given = column.is_valid().to_numpy()
        if pa.types.is_string(column.type):
            try:
                column = pc.cast(column, pa.float64())
            except pa.ArrowInvalid:  # blanks around numbers, or a cell that is none
                return self._lenient_numbers(name, remedy)
        elif not (_is_number(column.type) or pa.types.is_null(column.type)):
            row = int(np.flatnonzero(given)[0]) if given.any() else 0
            raise self.error(row, name, f"'{self.text(row, name)}' is not a number; {remedy}")
        # Integers beyond 2⁵³ are rounded, as they are in text.
        return pc.cast(column, pa.float64(), safe=False).fill_null(np.nan).to_numpy(), given

    def _lenient_numbers(self, name: str, remedy: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        codes, texts = _coded(self.columns[name])
        parsed = [as_number(text) for text in texts]
        missing = frozenset[str]() if self.own_form else _MISSING
        blank = np.array([not text.strip() or text.strip().lower() in missing for text in texts])
        given = (codes >= 0) & ~blank[codes]
        wrong = np.flatnonzero(given & np.array([value is None for value in parsed])[codes])
        if len(wrong):
            row = int(wrong[0])
            text, beside = self.text(row, name), (self.text(row, other) for other in self.columns if other != name)
            remedy = remedy_for(text, texts, beside, header_again=self.resumed) or remedy
            raise self.error(row, name, f"'{text}' is not a number; {remedy}")
        values = np.array([np.nan if value is None else value for value in parsed])
        return np.where(given, values[codes], np.nan), given

    def names(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """A column as text: a code per row (-1 = empty) and the text of each code; 7.0 becomes `7`."""
        codes, values = _coded(self.columns[name])
        texts = [as_text(value) for value in values]
        distinct = {text: i for i, text in enumerate(dict.fromkeys(text for text in texts if text))}
        recode = np.array([distinct.get(text, -1) for text in texts] + [-1], dtype=np.int64)
        return recode[codes], list(distinct)

    def epochs(self, name: str = "epoch") -> NDArray[np.float64]:
        """The column of epochs: numbers of at least 0, in every row, whole or not.

        Raises:
            InputError: a cell that is none.
        """
        remedy = "epochs are whole numbers counted from 0 or 1 (or fractions of an epoch, such as 0.5)"
        values, given = self.numbers(name, remedy=remedy)
        wrong = np.flatnonzero(~given)
        if len(wrong):
            raise self.error(int(wrong[0]), name, f"the cell is empty; {remedy}, one in every row")
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~((values >= 0) & (values <= MAX_TICKS)))
        if len(wrong):
            row = int(wrong[0])
            raise self.error(row, name, f"'{self.text(row, name)}' is not an epoch; {remedy}, up to {MAX_TICKS:.0e}")
        return values

    def constants(self, name: str, runs: NDArray[np.int64], run_names: list[str]) -> list[Any]:
        """The one value of each run, None where none is given.

        Args:
            name: column that is constant within a run; empty cells are ignored.
            runs: index of each row's run.
            run_names: name of each run.

        Raises:
            InputError: a run with two values; the message names both lines.
        """
        codes, values = _coded(self.columns[name])
        # Numbers are compared as numbers: 0.1 and 0.10 agree.
        canonical = [_canonical(value) for value in values]
        first_code = {value: i for i, value in reversed(list(enumerate(canonical)))}
        recode = np.array([-1 if value is None else first_code[value] for value in canonical] + [-1], dtype=np.int64)
        codes = recode[codes]
        rows = np.flatnonzero(codes >= 0)
        first_row = np.full(len(run_names), -1)
        first_row[runs[rows[::-1]]] = rows[::-1]
        wrong = rows[codes[rows] != codes[first_row[runs[rows]]]]
        if len(wrong):
            row = int(wrong[0])
            before = int(first_row[runs[row]])
            raise self.error(
                row,
                name,
                f"run '{run_names[runs[row]]}' has '{self.text(row, name)}' here and '{self.text(before, name)}' on "
                f"{self.place(before, row)}; '{name}' must be constant within a run, so correct one of them or give "
                "the runs different names",
            )
        constants = [values[codes[row]] if row >= 0 else None for row in first_row]
        return [value.strip() if isinstance(value, str) else value for value in constants]


def decoded(path: Path, data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and a remark where it is in another encoding than UTF-8.

    Raises:
        InputError: it is no text.
    """
    if data.startswith(PARQUET_MAGIC):
        raise InputError("is a Parquet file; rename it to .parquet", path=path)
    data, torn = without_torn_lines(data)
    if b"\0" in data and not is_utf16(data):
        raise InputError("holds zero bytes, so it is no text; export it again as UTF-8", path=path)
    text, odd = text_of_bytes(data)
    return text, tuple(f"{path.name}: {remark}." for remark in (torn, odd) if remark)


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse columns that are unnamed or named twice.

    Raises:
        InputError: there is one.
    """
    seen: set[str] = set()
    for i, name in enumerate(names):
        if not name:
            raise InputError(
                f"column {i + 1} has no name; name it, or write the table without its index", path=path, line=1
            )
        if name in seen:
            raise InputError("there are two columns of this name; rename or remove one", path=path, line=1, column=name)
        seen.add(name)


def too_sparse(cells: int, given: int) -> bool:
    """Whether a table of so many cells, of which so many are filled, is to be refused."""
    return cells > max(FEW_CELLS, SPARSEST * given)


def as_number(value: object) -> float | None:
    """The number that a cell holds or spells, also as PyTorch, NumPy or TensorFlow show one; or None."""
    text = str(value)
    try:
        return None if "_" in text else float(text)
    except ValueError:
        pass
    shown = _SHOWN.fullmatch(text.strip()) if text.endswith(")") else None
    return None if shown is None else float(shown[1])


def as_text(value: object) -> str:
    """A cell as a name: without blanks around it; NaN is empty and 7.0 is `7`."""
    if isinstance(value, float):
        if value != value:
            return ""
        if value.is_integer():
            return str(int(value))
    return str(value).strip()


def _coded(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[Any]]:
    """A code per row (-1 = null) and the distinct values."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _canonical(value: object) -> object:
    """What two cells must share to be equal; None for a blank or NaN."""
    if isinstance(value, bool):
        return str(value).lower()
    number = as_number(value)
    if number is None:
        return str(value).strip() or None
    if number.is_integer() and abs(number) >= LARGEST_EXACT:
        return Decimal(str(value).strip())
    return None if number != number else number

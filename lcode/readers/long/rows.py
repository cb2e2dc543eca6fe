"""Rows of a long table, some at a time: each knows its run, and where it stands in the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from lcode.errors import InputError
from lcode.readers.formats.parquet_file import ParquetFormat, plain_columns
from lcode.readers.raw import RawTable, check_names


@dataclass(frozen=True, eq=False)
class Files:
    """Parquet files of the same columns, of which the rows, one file below the other, are one table.

    Attributes:
        paths: the files, at least one.
        schema: their columns; blanks around names are gone.
        starts: number of the first row of each, and at the end the number of all rows, from 0.
    """

    paths: tuple[Path, ...]
    schema: pa.Schema
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The file at that path, or all files of a folder; None where these are no such files."""
        sniff = ParquetFormat().sniff
        try:
            inside = [path] if path.is_file() else [file for file in sorted(path.iterdir()) if not _is_mark(file)]
            if not inside or not all(file.is_file() and sniff(file) for file in inside):
                return None
            opened = [parquet.read_metadata(file) for file in inside]
            schemas = [_tidy(about.schema.to_arrow_schema().remove_metadata()) for about in opened]
            if any(schema.names != schemas[0].names for schema in schemas):
                return None
            schema = pa.unify_schemas(schemas, promote_options="permissive")
        except (pa.ArrowException, OSError):
            return None  # told where it is read
        return cls(tuple(inside), schema, np.cumsum([0, *(about.num_rows for about in opened)]))

    @property
    def cells(self) -> int:
        """Rows times columns."""
        return int(self.starts[-1]) * len(self.schema)

    def file(self, number: int) -> Path:
        """The file in which a row stands."""
        return self.paths[self._place(number)]

    def line(self, number: int) -> int:
        """The row's number in its file, from 1."""
        return number - int(self.starts[self._place(number)]) + 1

    def tables(self, rows: int) -> Iterator[pa.Table]:
        """All rows from the first, so many at a time at most.

        Raises:
            InputError: a file is damaged.
        """
        for path in self.paths:
            yield from read_tables(path, rows, self.schema)

    def _place(self, number: int) -> int:
        return int(np.searchsorted(self.starts, number, side="right")) - 1


def read_tables(path: Path, rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """A file from its beginning, so many rows at a time, with columns of these kinds.

    Raises:
        InputError: it is damaged.
    """
    try:
        for batch in parquet.ParquetFile(path).iter_batches(rows):
            yield pa.Table.from_batches([batch]).rename_columns(schema.names).cast(schema)
    except (pa.ArrowException, OSError) as error:
        raise InputError("is a damaged or incomplete Parquet file; write it again", path=path) from error


def _is_mark(path: Path) -> bool:
    """Whether a file is one that programs leave beside the parts that they write, such as `_SUCCESS`."""
    return path.name.startswith(".") or (path.name.startswith("_") and not path.suffix)


def _tidy(schema: pa.Schema) -> pa.Schema:
    """The columns without blanks around their names, and texts that are kept once each as plain ones."""
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    return pa.schema([pa.field(name.strip(), kind) for name, kind in zip(schema.names, kinds, strict=True)])


@dataclass(frozen=True)
class Rows:
    """Rows of a table.

    Attributes:
        table: the rows.
        runs: name of each row's run.
        numbers: of the rows among all, from 0.
    """

    table: pa.Table
    runs: pa.Array
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, run: str, numbers: NDArray[np.int64]) -> Self:
        """Rows of these numbers; `run` is the column that names their runs."""
        return cls(table, pc.utf8_trim_whitespace(table[run].combine_chunks().cast(pa.string())), numbers)

    def where(self, kept: NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        mask = pa.array(kept)
        return Rows(self.table.filter(mask), self.runs.filter(mask), self.numbers[kept])

    def of_runs(self, names: pa.Array) -> NDArray[np.bool_]:
        """Which of the rows are of these runs."""
        return pc.is_in(self.runs, value_set=names).to_numpy(zero_copy_only=False)

    @property
    def names(self) -> pa.Array:
        """Names of the runs, each once."""
        return self.runs.unique()

    def raw(self, files: Files) -> RawTable:
        """The rows as a table of the files that they stand in."""
        path, names = files.paths[0], self.table.column_names
        check_names(path, names)
        columns = plain_columns(path, names, self.table.columns)
        return RawTable(
            path,
            columns,
            line_of=lambda row: files.line(int(self.numbers[row])),
            file_of=lambda row: files.file(int(self.numbers[row])),
        )


def stacked(parts: Sequence[Rows]) -> Rows:
    """All these rows, one part below the other."""
    runs, numbers = pa.concat_arrays([part.runs for part in parts]), np.concatenate([part.numbers for part in parts])
    return Rows(pa.concat_tables([part.table for part in parts]), runs, numbers)

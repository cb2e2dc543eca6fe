"""Tables in Parquet files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from lcode.errors import InputError
from lcode.readers.raw import PARQUET_MAGIC, RawTable, check_names


class ParquetFormat:
    """Reads wide and long tables from `.parquet` files. Messages count rows from 1 where text files have lines."""

    suffix = ".parquet"

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return path.suffix.lower() == self.suffix

    def load(self, path: Path) -> RawTable:
        """The columns of a Parquet file; null stays apart from NaN.

        Raises:
            InputError: the file is damaged or no Parquet at all.
        """
        with path.open("rb") as file:
            start = file.read(len(PARQUET_MAGIC))
        if start != PARQUET_MAGIC:
            raise InputError("is no Parquet file; write it again, or give it the ending of its format", path=path)
        try:
            table = parquet.ParquetFile(path).read()
            table.validate(full=True)  # texts that are not UTF-8, for one
            names = [name.strip() for name in table.column_names]
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise InputError("is a damaged or incomplete Parquet file; write it again", path=path) from error
        check_names(path, names)
        return RawTable(path, plain_columns(path, names, table.columns), lambda row: row + 1)


def plain_columns(path: Path, names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """The columns of a Parquet file as numbers, truth values and text.

    Raises:
        InputError: cells of another kind.
    """
    # pandas stores an unnamed index as a column of its own.
    return {
        name: _plain(path, name, column)
        for name, column in zip(names, columns, strict=True)
        if not re.fullmatch(r"__index_level_\d+__", name)
    }


def _plain(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as numbers, truth values, or text, which dates and bytes become.

    Raises:
        InputError: its cells are none of these.
    """
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
            return column
        return column.cast(pa.float64() if pa.types.is_floating(kind) else pa.string())
    except pa.ArrowException as error:
        raise InputError(
            f"holds cells of the kind {column.type}; write one number, text or truth value per cell, or remove the "
            "column",
            path=path,
            column=name,
        ) from error

"""The rows of a long table by whole runs: as they stand, or brought together first where they stand apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from lcode.readers.long.rows import Files, Rows, read_tables

MOST_OPEN = 200
"""Files that are written at once: some systems let a program open no more than 256."""


class WholeRuns(Protocol):
    """The rows of a table, some runs after the others."""

    def __iter__(self) -> Iterator[Rows]:
        """All rows, about so many at a time as was asked for, always all of a run."""
        ...


@dataclass(frozen=True)
class InOrder:
    """Files in which the rows of each run stand together; where they do not, a run comes several times.

    Attributes:
        files: the files.
        run: column that names the run.
        rows: about so many are read at a time.
    """

    files: Files
    run: str
    rows: int

    def __iter__(self) -> Iterator[Rows]:
        begin, held = 0, None
        for part in self.files.tables(self.rows):
            held = part if held is None else pa.concat_tables([held, part])
            if len(held) < self.rows:
                continue
            some = self._numbered(held, begin)
            other = pc.fill_null(pc.not_equal(some.runs, some.runs[-1]), True).to_numpy(zero_copy_only=False)
            whole = int(np.flatnonzero(other)[-1]) + 1 if other.any() else 0
            if whole:
                yield some.where(np.arange(len(held)) < whole)
                begin, held = begin + whole, held.slice(whole).combine_chunks()
        if held is not None and len(held):
            yield self._numbered(held, begin)

    def _numbered(self, table: pa.Table, begin: int) -> Rows:
        return Rows.of(table, self.run, begin + np.arange(len(table)))


@dataclass(frozen=True)
class Regrouped:
    """Rows that were brought together: a file holds some runs, as they come in the table, whole and in no order.

    Attributes:
        paths: the files.
        schema: of the files: the table's columns, then the place of the run among all, then the number of the row.
        run: column that names the run.
    """

    paths: tuple[Path, ...]
    schema: pa.Schema
    run: str

    @classmethod
    def of(cls, order: InOrder, folder: Path) -> Self:
        """Write the rows to files in a folder that takes as much as the table does; each is about as long as asked for.

        Raises:
            InputError: a file is damaged.
            OSError: the operating system refuses.
        """
        folder.mkdir(parents=True)
        places: dict[str | None, int] = {}
        counts = np.zeros(0, dtype=np.int64)
        for table in order.files.tables(order.rows):
            found = np.bincount(_places(Rows.of(table, order.run, np.arange(0)).runs, places))
            counts = np.pad(counts, (0, len(places) - len(counts))) + np.pad(found, (0, len(places) - len(found)))
        rows = max(order.rows, -(-int(counts.sum()) // MOST_OPEN))
        file = (np.cumsum(counts) - counts) // rows  # of each run
        paths = tuple(folder / f"{number}.parquet" for number in range(int(file.max(initial=0)) + 1))
        schema = order.files.schema
        for name in ("place", "number"):  # found by where they stand: the table may have such names
            schema = schema.append(pa.field(name, pa.int64()))
        with ExitStack() as stack:
            writers = [stack.enter_context(parquet.ParquetWriter(path, schema)) for path in paths]
            begin = 0
            for table in order.files.tables(order.rows):
                rows_of = Rows.of(table, order.run, begin + np.arange(len(table)))
                place = _places(rows_of.runs, places)
                numbered = pa.Table.from_arrays(
                    [*table.columns, pa.array(place), pa.array(rows_of.numbers)], schema=schema
                )
                for number in np.unique(file[place]):
                    writers[number].write_table(numbered.filter(pa.array(file[place] == number)))
                begin += len(table)
        return cls(paths, schema, order.run)

    def __iter__(self) -> Iterator[Rows]:
        for path in self.paths:
            table = pa.concat_tables(read_tables(path, 1 << 20, self.schema))
            *columns, place, number = table.columns
            order = np.lexsort((number.to_numpy(), place.to_numpy()))
            rows = table.select(range(len(columns))).take(pa.array(order))
            yield Rows.of(rows, self.run, number.to_numpy()[order])


def _places(runs: pa.Array, places: dict[str | None, int]) -> NDArray[np.int64]:
    """The place of each row's run among all runs as they come, [N]; runs that are new are added."""
    coded = runs.dictionary_encode(null_encoding="encode")
    known = [places.setdefault(name, len(places)) for name in coded.dictionary.to_pylist()]
    return np.array(known, dtype=np.int64)[coded.indices.to_numpy()]

"""A Parquet table too long for memory, read by blocks of whole runs.

What a reader settles over all runs (which columns are curves, which configuration; the longest epoch; the unit of the
epochs) must not differ from block to block. So a few runs that together show what there is, the examples, are read
with every block and left out of what it hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from lcode.errors import InputError
from lcode.readers.choices import Choices
from lcode.readers.formats.parquet_file import ParquetFormat, plain_columns
from lcode.readers.raw import RawTable, check_names
from lcode.readers.understanding.columns import settle_roles
from lcode.table.axis import common_step, finer_unit
from lcode.table.outline import joined, outline
from lcode.table.table import RunTable

LONG = 5_000_000
"""Cells from which on a table is read by blocks: read whole it takes about 60 bytes of memory for each."""

BLOCK = 1_000_000
"""Cells that are taken from the file at a time; a block has these rows, less those of the last run, which may go on."""


class RunsApartError(InputError):
    """A table that cannot be read by blocks, for the rows of some run do not stand together."""


Read = Callable[[RawTable], RunTable]
"""How rows become runs: `lcode.read_logs` with all that the user says of how to read."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table.

    Attributes:
        table: the rows.
        runs: name of each row's run.
        numbers: of the rows in their file, from 0.
    """

    table: pa.Table
    runs: pa.Array
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, run: str, begin: int) -> Self:
        """Rows that follow one another from `begin` on; `run` is the column that names their runs."""
        names = table[run].combine_chunks()
        names = names.dictionary_decode() if isinstance(names, pa.DictionaryArray) else names
        return cls(table, pc.utf8_trim_whitespace(names.cast(pa.string())), begin + np.arange(len(table)))

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

    def raw(self, path: Path) -> RawTable:
        """The rows as a table of the file at that path."""
        names = self.table.column_names
        check_names(path, names)
        return RawTable(path, plain_columns(path, names, self.table.columns), lambda row: int(self.numbers[row]) + 1)


def _stacked(parts: Sequence[Rows]) -> Rows:
    """All these rows, one part below the other."""
    runs, numbers = pa.concat_arrays([part.runs for part in parts]), np.concatenate([part.numbers for part in parts])
    return Rows(pa.concat_tables([part.table for part in parts]), runs, numbers)


@dataclass(frozen=True)
class LongTable:
    """A Parquet file in which the rows of each run stand together.

    Attributes:
        path: the file.
        run: column that names the run.
        examples: rows of a few runs that show what there is.
        rows: about so many are read at a time.
    """

    path: Path
    run: str
    examples: Rows
    rows: int

    @classmethod
    def open(cls, path: Path, choices: Choices, *, cells: int = LONG, rows: int | None = None) -> Self | None:
        """The table at that path; None where it has fewer cells or is no Parquet file, and is to be read whole.

        Args:
            path: as the user named it.
            choices: what the user says of the columns.
            cells: a shorter table is read whole.
            rows: about so many are read at a time; default: by the number of columns.

        Raises:
            RunsApartError: the rows of some run do not stand together.
            InputError: no column counts the epochs.
        """
        if not path.is_file() or not ParquetFormat().sniff(path):
            return None
        try:
            about = parquet.read_metadata(path)
            if about.num_rows * about.num_columns < max(cells, 1):
                return None
            rows = max(BLOCK // about.num_columns, 1) if rows is None else rows
            head = next(_parts(path, rows))
        except (pa.ArrowException, OSError):
            return None  # told where it is read
        roles = settle_roles(Rows(head, pa.nulls(len(head), pa.string()), np.arange(len(head))).raw(path), choices)
        if roles.run is None:
            return None
        survey = Survey(roles.axis)
        for some in _whole_runs(path, roles.run, rows):
            survey.look_at(some, some.raw(path))
        if survey.apart:
            raise RunsApartError("holds the rows of some runs apart from each other; sort it by run", path=path)
        return cls(path, roles.run, survey.examples(), rows)

    def blocks(self, read: Read) -> Iterator[RunTable]:
        """All runs, some after the others."""
        for some in _whole_runs(self.path, self.run, self.rows):
            yield self._read(some, read)

    def select(self, names: Iterable[str], read: Read) -> RunTable:
        """These runs alone, in the order of the file."""
        wanted = pa.array([*names], pa.string())
        parts = _whole_runs(self.path, self.run, self.rows)
        return self._read(_stacked([some.where(some.of_runs(wanted)) for some in parts]), read)

    def outline(self, read: Read) -> RunTable:
        """All runs, of each the first and the last point alone, and no configuration but the columns' names."""
        return joined([outline(block) for block in self.blocks(read)])

    def _read(self, some: Rows, read: Read) -> RunTable:
        names = some.names
        shown = self.examples.where(~self.examples.of_runs(names))
        return read(_stacked([shown, some]).raw(self.path)).select(names.to_pylist())


@dataclass
class Survey:
    """What is seen of a table that is looked at from beginning to end.

    Attributes:
        axis: column that counts the epochs.
        seen: columns of which a value was seen, columns that were seen to change within a run, names of curves.
        longest: largest epoch.
        unit: of the epochs.
        names: names of the runs, in parts.
        shown: rows of the examples, in parts.
        last: rows of the run with the largest epoch.
    """

    axis: str
    seen: set[tuple[str, str]] = field(default_factory=set)
    longest: float = -1.0
    unit: float = 1.0
    names: list[pa.Array] = field(default_factory=list)
    shown: list[Rows] = field(default_factory=list)
    last: list[Rows] = field(default_factory=list)

    @property
    def apart(self) -> bool:
        """Whether the rows of some run do not stand together."""
        names = pa.chunked_array(self.names)
        return pc.count_distinct(names).as_py() < len(names)

    def examples(self) -> Rows:
        """The rows of the examples, each run once."""
        parts = [*self.shown, *self.last]
        found = parts[0]
        for rows in parts[1:]:
            found = _stacked([found, rows.where(~rows.of_runs(found.names))])
        return found

    def look_at(self, rows: Rows, raw: RawTable) -> None:
        """Take notice of some whole runs: their rows, as they stand and as they are read."""
        new = pc.not_equal(rows.runs.slice(1), rows.runs.slice(0, len(rows.runs) - 1))
        starts = np.append(True, pc.fill_null(new, True).to_numpy(zero_copy_only=False))
        run = np.cumsum(starts)
        self.names.append(rows.runs.filter(pa.array(starts)))
        epochs = raw.numbers(self.axis, remedy="it counts the epochs")[0]
        at = [*self._of_columns(raw, run), *self._of_names(raw), *self._of_units(epochs, run)]
        if at:
            self.shown.append(rows.where(np.isin(run, run[at])))
        longest = float(np.nanmax(epochs, initial=-1.0))
        if longest > self.longest:
            self.longest = longest
            self.last = [rows.where(run == run[np.argmax(epochs == longest)])]

    def _of_columns(self, raw: RawTable, run: NDArray[np.int64]) -> Iterator[int]:
        """Rows in which a column has its first value, or changes within a run for the first time."""
        same = run[1:] == run[:-1]
        for name, column in raw.columns.items():
            if (name, "value") not in self.seen and column.null_count < len(column):
                self.seen.add((name, "value"))
                yield int(np.argmax(column.is_valid().to_numpy()))
            if (name, "change") not in self.seen and len(column) > 1:
                other = pc.not_equal(
                    column.slice(1).combine_chunks(), column.slice(0, len(column) - 1).combine_chunks()
                )
                changes = pc.fill_null(other, False).to_numpy(zero_copy_only=False) & same
                if changes.any():
                    self.seen.add((name, "change"))
                    yield int(np.argmax(changes))

    def _of_names(self, raw: RawTable) -> Iterator[int]:
        """Rows that name a curve for the first time, in a table of one value per row."""
        named = [raw.columns[name].cast(pa.string()) for name in ("task", "metric", "split") if name in raw.columns]
        if "metric" not in raw.columns or "value" not in raw.columns:
            return
        keys = pc.binary_join_element_wise(*named, "\n", null_handling="replace").combine_chunks()
        for name in keys.unique().to_pylist():
            if (name, "curve") not in self.seen:
                self.seen.add((name, "curve"))
                yield pc.index(keys, name).as_py()

    def _of_units(self, epochs: NDArray[np.float64], run: NDArray[np.int64]) -> Iterator[int]:
        """Rows of the runs whose epochs are finer than all so far."""
        while True:
            left = epochs[np.isfinite(epochs)]
            ticks = left / self.unit
            odd = np.flatnonzero(np.abs(ticks - np.rint(ticks)) > 1e-6 / self.unit)
            if not len(odd):
                return
            one = run == run[np.isfinite(epochs)][odd[0]]
            finer = finer_unit(self.unit, common_step(epochs[one & np.isfinite(epochs)]))
            yield int(np.argmax(one))
            if finer == self.unit:
                return
            self.unit = finer


def _parts(path: Path, rows: int) -> Iterator[pa.Table]:
    """The file from its beginning, so many rows at a time; columns have no blanks around their names."""
    for batch in parquet.ParquetFile(path).iter_batches(rows):
        table = pa.Table.from_batches([batch])
        yield table.rename_columns([name.strip() for name in table.column_names])


def _whole_runs(path: Path, run: str, rows: int) -> Iterator[Rows]:
    """All rows, about so many at a time, always up to the end of a run.

    Raises:
        InputError: the file is damaged.
    """
    begin, held = 0, None
    try:
        for part in _parts(path, rows):
            held = part if held is None else pa.concat_tables([held, part])
            if len(held) < rows:
                continue
            some = Rows.of(held, run, begin)
            other = pc.fill_null(pc.not_equal(some.runs, some.runs[-1]), True).to_numpy(zero_copy_only=False)
            whole = int(np.flatnonzero(other)[-1]) + 1 if other.any() else 0
            if whole:
                yield some.where(np.arange(len(held)) < whole)
                begin, held = begin + whole, held.slice(whole).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise InputError("is a damaged or incomplete Parquet file; write it again", path=path) from error
    if held is not None and len(held):
        yield Rows.of(held, run, begin)

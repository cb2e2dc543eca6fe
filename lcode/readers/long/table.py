"""A Parquet table too long for memory, read by blocks of whole runs.

What a reader settles over all runs (which columns are curves, which configuration; the longest epoch; the unit of the
epochs) must not differ from block to block. So a few runs that together show what there is, the examples, are read
with every block and left out of what it hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from lcode.readers.choices import Choices
from lcode.readers.long.rows import Files, Rows, stacked
from lcode.readers.long.survey import Survey
from lcode.readers.long.whole_runs import InOrder, Regrouped, WholeRuns
from lcode.readers.raw import RawTable
from lcode.readers.understanding.columns import settle_roles
from lcode.table.outline import joined, outline
from lcode.table.table import RunTable

LONG = 5_000_000
"""Cells from which on a table is read by blocks: read whole it takes about 60 bytes of memory for each."""

BLOCK = 1_000_000
"""Cells that are taken from the files at a time; a block has these rows but those of the last run, which may go on."""

Read = Callable[[RawTable], RunTable]
"""How rows become runs: `lcode.read_logs` with all that the user says of how to read."""


@dataclass(frozen=True)
class LongTable:
    """A table in a Parquet file, or in several of the same columns.

    Attributes:
        files: the files.
        runs: their rows by whole runs.
        examples: rows of a few runs that show what there is.
    """

    files: Files
    runs: WholeRuns
    examples: Rows

    @classmethod
    def open(
        cls, path: Path, choices: Choices, scratch: Path, *, cells: int = LONG, rows: int | None = None
    ) -> Self | None:
        """The table at that path; None where it has fewer cells or is no such table, and is to be read whole.

        Args:
            path: as the user named it.
            choices: what the user says of the columns.
            scratch: a folder that may be made, for as long as the table is used: where the rows of some run do not
                stand together, all are written there anew by runs.
            cells: a shorter table is read whole.
            rows: about so many are read at a time; default: by the number of columns.

        Raises:
            InputError: no column counts the epochs, or a file is damaged.
            OSError: the operating system refuses.
        """
        files = Files.of(path)
        if files is None or files.cells < max(cells, 1):
            return None
        rows = max(BLOCK // len(files.schema), 1) if rows is None else rows
        head = next(files.tables(rows))
        roles = settle_roles(Rows(head, pa.nulls(len(head), pa.string()), np.arange(len(head))).raw(files), choices)
        if roles.run is None:
            return None
        in_order = InOrder(files, roles.run, rows)
        survey = Survey.of(in_order, files, roles.axis)
        if not survey.apart:
            return cls(files, in_order, survey.examples())
        regrouped = Regrouped.of(in_order, scratch)
        return cls(files, regrouped, Survey.of(regrouped, files, roles.axis).examples())

    def blocks(self, read: Read, after: int = 0) -> Iterator[RunTable]:
        """All runs, some after the others, but those of the first so many blocks."""
        for some in islice(self.runs, after, None):
            yield self._read(some, read)

    def select(self, names: Iterable[str], read: Read) -> RunTable:
        """These runs alone, in the order of the table."""
        wanted = pa.array([*names], pa.string())
        return self._read(stacked([some.where(some.of_runs(wanted)) for some in self.runs]), read)

    def outline(self, read: Read) -> RunTable:
        """All runs, of each the first and the last point alone, and no configuration but the columns' names."""
        return joined([outline(block) for block in self.blocks(read)])

    def _read(self, some: Rows, read: Read) -> RunTable:
        names = some.names
        shown = self.examples.where(~self.examples.of_runs(names))
        return read(stacked([shown, some]).raw(self.files)).select(names.to_pylist())

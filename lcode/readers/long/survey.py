"""What a reader settles over all runs of a table, and the few runs that show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.readers.long.rows import Files, Rows, stacked
from lcode.readers.raw import RawTable
from lcode.table.axis import common_step, finer_unit


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

    @classmethod
    def of(cls, runs: Iterable[Rows], files: Files, axis: str) -> Self:
        """Look at all of a table.

        Args:
            runs: its rows by whole runs.
            files: in which they stand.
            axis: column that counts the epochs.
        """
        survey = cls(axis)
        for some in runs:
            survey.look_at(some, some.raw(files))
        return survey

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
            found = stacked([found, rows.where(~rows.of_runs(found.names))])
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

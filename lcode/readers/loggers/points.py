"""From single values, each logged under a name at a step, to rows with a column per name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.raw import too_sparse


@dataclass(frozen=True, eq=False)
class Points:
    """Values in the order of logging.

    Attributes:
        names: what was logged.
        codes: index of each value's name, shape [N].
        steps: step at which it was logged, shape [N].
        values: the values, shape [N].
        times: seconds since 1970 at which it was logged, shape [N].
    """

    names: Sequence[str]
    codes: NDArray[np.int64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    times: NDArray[np.float64]

    def where(self, kept: NDArray[np.bool_]) -> Points:
        """Some of the values, by a mask of shape [N]; names of which none is left are dropped."""
        used, codes = np.unique(self.codes[kept], return_inverse=True)
        names = [self.names[code] for code in used]
        return Points(names, codes.astype(np.int64), self.steps[kept], self.values[kept], self.times[kept])

    def by_name(self) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Each name and the places of its values, in the order of logging; a name without a value is left out."""
        order = np.argsort(self.codes, kind="stable")
        edges = np.searchsorted(self.codes[order], np.arange(len(self.names) + 1))
        for name, start, end in zip(self.names, edges[:-1], edges[1:], strict=True):
            if start < end:
                yield name, order[start:end]


def rows_of(parts: Sequence[Points], path: Path, tool: str) -> dict[str, pa.Array]:
    """One row per step, with `step`, `wall_time` and a column per name.

    A name whose steps go back begins a new attempt, as a training does that was resumed at an earlier step: what is
    logged then stands in rows further down. Names are told apart, so that a tool may log one curve after the other,
    or each in a file of its own. A value logged twice at one step makes two rows.

    Args:
        parts: what was logged, part by part, such as file by file; where a later one begins at an earlier step for
            any name, all of it is a new attempt.
        path: the file, for messages.
        tool: who wrote it.

    Raises:
        InputError: nearly all cells would be empty, since nearly every step has names of its own.
    """
    names = list(dict.fromkeys(name for part in parts for name in part.names))
    place = {name: i for i, name in enumerate(names)}
    codes = np.concatenate([np.array([place[n] for n in part.names], dtype=np.int64)[part.codes] for part in parts])
    steps = np.concatenate([part.steps for part in parts])
    values = np.concatenate([part.values for part in parts])
    times = np.concatenate([part.times for part in parts])
    attempts = _attempts(codes, steps, [len(part.codes) for part in parts], len(names))
    again = _occurrences(codes, attempts, steps)
    order = np.lexsort((again, steps, attempts))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(attempts[order]) != 0) | (np.diff(steps[order]) != 0) | (np.diff(again[order]) != 0)
    row_of = np.empty(len(order), dtype=np.int64)
    row_of[order] = np.cumsum(new) - 1
    rows = int(np.count_nonzero(new))
    if too_sparse(rows * len(names), len(codes)):
        raise InputError(
            f"is read as a file of {tool}, but has {len(names)} different names at {rows} steps, so that hardly one "
            f"cell in {rows * len(names) // len(codes)} is filled; log under one name per curve",
            path=path,
        )
    clock = np.full(rows, -np.inf)
    np.maximum.at(clock, row_of, times)
    columns = {"step": pa.array(steps[order][new]), "wall_time": pa.array(clock)}
    by_name = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[by_name], np.arange(len(names) + 1))
    for i, name in enumerate(names):
        own = by_name[edges[i] : edges[i + 1]]
        cells, empty = np.full(rows, np.nan), np.ones(rows, dtype=np.bool_)
        cells[row_of[own]], empty[row_of[own]] = values[own], False
        columns[name if name not in columns else f"{name} (logged)"] = pa.array(cells, mask=empty)
    return columns


def _attempts(
    codes: NDArray[np.int64], steps: NDArray[np.int64], sizes: Sequence[int], names: int
) -> NDArray[np.int64]:
    """How often a value's training had gone back, shape [N]."""
    attempts = np.zeros(len(codes), dtype=np.int64)
    reached, attained = np.full(names, np.iinfo(np.int64).min), np.zeros(names, dtype=np.int64)
    at = 0
    for size in sizes:
        order, first = _by(codes[at : at + size])
        own_codes, own_steps = codes[at : at + size][order], steps[at : at + size][order]
        back = np.zeros(size, dtype=np.int64)
        back[1:] = (own_steps[1:] < own_steps[:-1]) & ~first[1:]
        back = np.cumsum(back)
        back -= np.maximum.accumulate(np.where(first, back, 0))
        begun = own_codes[first]
        back += attained[begun].max(initial=0) + int((own_steps[first] < reached[begun]).any())
        last = np.append(first[1:], True)[:size]
        reached[own_codes[last]], attained[own_codes[last]] = own_steps[last], back[last]
        attempts[at + order] = back
        at += size
    return attempts


def _occurrences(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often the same has come before, shape [N]."""
    order, first = _by(*keys)
    counted = np.arange(len(order))
    again = np.empty(len(order), dtype=np.int64)
    again[order] = counted - np.maximum.accumulate(np.where(first, counted, 0))
    return again


def _by(*keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The order that brings equal keys together, else as they came, and where in it a new key begins."""
    order = np.lexsort(keys[::-1])
    first = np.ones(len(order), dtype=np.bool_)
    if len(order):
        first[1:] = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    return order, first

"""Tables with a row per run and a column per curve and epoch: `run,seg_loss_epoch_1,seg_loss_epoch_2,…`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter, plain_name, words_of
from lcode.readers.understanding.counters import LONG
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.planned import is_planned
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_WORD = r"(?P<word>epochs?|ep|e|steps?|iter(?:ation)?s?|it)"
_BEHIND = re.compile(rf"(?P<name>.+?)[ _/.:@-]+{_WORD}[ _:.-]*(?P<at>\d{{1,9}})", re.IGNORECASE)
_BEFORE = re.compile(rf"{_WORD}[ _:.-]*(?P<at>\d{{1,9}})[ _/.:-]+(?P<name>.+)", re.IGNORECASE)
_ALONE = re.compile(r"(?P<name>.+?)[ _/:-]+(?P<word>)(?P<at>\d{1,9})")
"""Names of columns that hold the curve and its epoch, with a word of it or with a number alone."""

_FEWEST = 3
"""Columns of a curve at least."""

_BY_RANK = frozenset(
    ("hit", "hits", "hr", "recall", "precision", "ndcg", "mrr", "map", "ap", "top", "at", "k", "fold", "seed", "client")
)
"""Words before a number alone that is of a rank, as in `recall_10`, or of a fold."""

_ONE_WAY = 0.8
"""Rank correlation of values with their numbers at least: a curve goes one way, the scores of twenty classes do not."""

_Curves = dict[str, dict[int, str]]
"""Columns by the name of the curve and the epoch."""


def with_curves_as_columns(raw: RawTable) -> RawTable:
    """The table with a row per run and epoch and a column per curve, where its columns are those of curves and epochs.

    A number that no word calls an epoch is one where there are many, from the first on, and what is measured goes one
    way with it.
    """
    if any(is_counter(name) and not is_planned(name, "epoch") for name in raw.columns):
        return raw
    for form in (_BEHIND, _BEFORE, _ALONE):
        curves, step = _curves(raw, form)
        if curves and (form is not _ALONE or _go_one_way(raw, curves)):
            return _turned(raw, curves, "step" if step else "epoch")
    return raw


def _curves(raw: RawTable, form: re.Pattern[str]) -> tuple[_Curves, bool]:
    """The curves whose names are of this form, none where other columns do not name the rows; whether steps count."""
    curves: _Curves = {}
    words = set()
    for name in raw.columns:
        match = form.fullmatch(name.strip())
        if match is not None and (form is not _ALONE or known_metric(match["name"]) is not None):
            words.add(match["word"].lower()[:1])
            curves.setdefault(match["name"], {})[int(match["at"])] = name
    known = any(known_metric(name) is not None for name in curves)
    taken = {column for places in curves.values() for column in places.values()}
    others = [name for name in raw.columns if name not in taken]
    whole = known and len(words) == 1 and all(len(places) >= _FEWEST for places in curves.values())
    if not whole or not others or known_metric(others[0]) is not None or not _names_rows(raw, others[0]):
        return {}, False
    cells = (cell for name in taken for cell in raw.columns[name].to_pylist())
    if any(cell is not None and as_number(cell) is None for cell in cells):
        return {}, False
    return curves, words <= {"s", "i"}


def _names_rows(raw: RawTable, name: str) -> bool:
    cells = raw.columns[name].drop_null().unique().to_pylist()
    texts = bool(cells) and all(isinstance(cell, str) and as_number(cell) is None for cell in cells)
    return texts or plain_name(name) in RUN_NAMES


def _go_one_way(raw: RawTable, curves: Mapping[str, Mapping[int, str]]) -> bool:
    """Whether each curve has many numbers, all from the first on, and most rows of it go one way."""
    for name, places in curves.items():
        numbers = sorted(places)
        steps = set(np.diff(numbers).tolist())
        if len(numbers) < LONG or len(steps) != 1 or numbers[0] not in (0, 1, *steps):
            return False
        if not _BY_RANK.isdisjoint(words_of(name)):
            return False
        rows = _cells(raw, [places[at] for at in numbers]).T.astype(float)
        ways = [abs(_rank_correlation(row)) for row in rows]
        if float(np.median(ways)) < _ONE_WAY:
            return False
    return True


def _cells(raw: RawTable, columns: Sequence[str | None]) -> NDArray[np.object_]:
    """Their numbers, None where nothing stands or there is no such column, [columns, N]."""
    nothing = [None] * len(raw)
    told = [nothing if name is None else raw.columns[name].to_pylist() for name in columns]
    return np.array([[None if cell is None else as_number(cell) for cell in cells] for cells in told], dtype=object)


def _rank_correlation(values: NDArray[np.float64]) -> float:
    given = values[np.isfinite(values)]
    if len(np.unique(given)) < _FEWEST:
        return 0.0
    return float(np.corrcoef(np.arange(len(given)), np.argsort(np.argsort(given)))[0, 1])


def _turned(raw: RawTable, curves: _Curves, counter: str) -> RawTable:
    taken = {column for places in curves.values() for column in places.values()}
    results = [name for name in raw.columns if name not in taken and known_metric(name) is not None]
    others = {name: cells for name, cells in raw.columns.items() if name not in taken and name not in results}
    numbers = sorted({at for places in curves.values() for at in places})
    cells = {name: _cells(raw, [places.get(at) for at in numbers]) for name, places in curves.items()}
    filled = np.logical_or.reduce([held != None for held in cells.values()])  # noqa: E711, cell by cell
    place, row = np.nonzero(filled)  # epoch by epoch, as they would have been logged
    first = next(iter(others))
    alone = not any(plain_name(name) in RUN_NAMES for name in others) and len(others[first].unique()) == len(raw)
    names = {name: f"{CONFIG}{name}" for name in others if is_counter(name)}  # how many are planned
    names |= {first: "run"} if alone else {}
    columns = {
        **{names.get(name, name): cells.take(pa.array(row)) for name, cells in others.items()},
        counter: pa.chunked_array([pa.array(np.array(numbers)[place])]),
        **{name: pa.chunked_array([pa.array(held[place, row], pa.float64())]) for name, held in cells.items()},
    }
    note = f"columns of {listed([*curves])} are read as the {counter}s {numbers[0]} to {numbers[-1]} of a run per row"
    note += f", but not {listed(results)}, which count nothing." if results else "."
    return replace(raw, columns=columns, line_of=lambda at: raw.line_of(int(row[at])), notes=(*raw.notes, note))

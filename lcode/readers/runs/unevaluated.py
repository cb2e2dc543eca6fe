"""Zeros that a program writes where it did not evaluate: they are no values.

A table with a row per epoch has a cell for the validation in each; where that is done every fifth epoch, many programs
fill the others with what their variables began with.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import is_counter, why_left_out, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import CONFIG, RESERVED, is_long
from lcode.readers.understanding.learners import is_reward
from lcode.readers.understanding.rates import is_rate
from lcode.show import counted

_LEAST, _UNITS = 0.1, 3
"""Part of the typical loss, and units of its last decimal, below which none lies where the zeros beside them stand for
no evaluation: a loss that comes near 0 may be rounded to it."""

_TIMES = 3
"""Evaluations at equal distances that it takes to see from scores alone that there was none between them."""


def without_unevaluated(raw: RawTable) -> RawTable:
    """The table with empty cells where zeros say that nothing was evaluated.

    In a run they do where the losses of held-out data are exactly 0 and later are not, for no loss goes up from 0; and
    where only scores were measured, if they are 0 between evaluations at equal distances. What else is 0 in all of
    these rows, such as a score that does not say its data, was not measured there either.

    Args:
        raw: with a column `run`, the rows of each run in order.
    """
    if is_long(raw) or not len(raw):
        return raw
    names = [name for name in raw.columns if _may_be_evaluated(name)]
    held_out = {name: cells for name in names if split_name(name)[0] and (cells := _numbers(raw, name)) is not None}
    losses = {name: cells for name, cells in held_out.items() if "loss" in words_of(name)}
    telling = [*(losses or held_out).values()]
    if not telling or not all((cells == 0).any() for cells in telling) or (not losses and any(map(is_reward, names))):
        return raw  # an agent may earn nothing
    told = np.stack([np.where(np.isnan(cells), -1.0, np.abs(cells)) for cells in telling]).max(axis=0)
    rows = np.zeros(len(raw), dtype=bool)
    run = raw.names("run")[0]
    order = np.argsort(run, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(run[order])) + 1):
        rows[own] = _unevaluated(told[own], by_losses=bool(losses))
    if not rows.any():
        return raw
    curves = {name: cells for name in names if (cells := held_out.get(name, _numbers(raw, name))) is not None}
    empty = [name for name, cells in curves.items() if not cells[rows].any() and cells.any()]
    mask = pa.array(rows)
    columns = {
        name: pc.if_else(mask, pa.scalar(None, cells.type), cells) if name in empty else cells
        for name, cells in raw.columns.items()
    }
    told_of = counted(int(rows.sum()), "row")
    note = f"{raw.path.name}: zeros for all of the validation, so read as not evaluated: {told_of}."
    return replace(raw, columns=columns, notes=(*raw.notes, note))


def _unevaluated(told: NDArray[np.float64], *, by_losses: bool) -> NDArray[np.bool_]:
    """The rows of a run in which zeros say that nothing was evaluated, [N].

    Args:
        told: the largest of the losses, or of the scores, of each row; -1: none stands there, [N].
        by_losses: whether they are losses.
    """
    rows, evaluated = told == 0, np.flatnonzero(told > 0)
    if not len(evaluated) or not rows[: evaluated[-1]].any():
        return np.zeros_like(rows)
    if by_losses:
        found = told[evaluated]
        different = np.unique(found[np.isfinite(found)]).tolist()
        digits = (int(Decimal(repr(loss)).as_tuple().exponent) for loss in different)
        return rows & bool(found.min() >= max(_LEAST * np.median(found), _UNITS * 10.0 ** min(digits, default=0)))
    apart = np.unique(np.diff(np.flatnonzero(told[told >= 0])))
    return rows & (len(evaluated) >= _TIMES and len(apart) == 1 and bool(apart[0] > 1))


def _may_be_evaluated(name: str) -> bool:
    """Whether a column may be a curve that is measured where the network is evaluated."""
    if name.strip().lower() in RESERVED or name.startswith(CONFIG) or is_counter(name) or is_rate(name):
        return False
    return why_left_out(name) is None and split_name(name)[0] != "train"


def _numbers(raw: RawTable, name: str) -> NDArray[np.float64] | None:
    """The cells of a column, NaN where empty, [N]; None where one is no number, which is told where it is read."""
    try:
        return raw.numbers(name, remedy="it is measured")[0]
    except InputError:
        return None

"""Columns of what was logged: numbers as numbers, text as text, null where nothing was logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.json_text import as_float
from lcode.readers.raw import as_number, too_sparse

MOST_LEAVES = 100_000
"""No configuration and no row is larger; a YAML file of one page can be, by references to references."""

_INT64 = range(-(2**63), 2**63)


def columns_of(rows: Sequence[Mapping[str, Any]], path: Path, tool: str) -> dict[str, pa.Array]:
    """A column per name; names in the order in which they come up.

    Args:
        rows: name -> number, boolean or text; anything else, such as a list, is left out.
        path: the file, for messages.
        tool: who wrote it.

    Raises:
        InputError: nearly all cells would be empty, since nearly every row has names of its own.
    """
    names = dict.fromkeys(chain.from_iterable(rows))
    cells, given = len(rows) * len(names), sum(map(len, rows))
    if too_sparse(cells, given):
        raise InputError(
            f"is read as a file of {tool}, but has {len(names)} different names in {len(rows)} records, so that hardly "
            f"one cell in {cells // given} is filled; log under one name per curve",
            path=path,
        )
    columns = {name: column_of([row.get(name) for row in rows]) for name in names}
    return {name: column for name, column in columns.items() if not pa.types.is_null(column.type)}


def column_of(values: Sequence[Any]) -> pa.Array:
    """Numbers as int64 or float64, also where some are spelled as text (`"NaN"`); else text.

    What is neither number, boolean nor text is null; a column of nothing else has Arrow's null type.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pa.array(values, pa.int64())
    plain = [value if isinstance(value, (int, float, str)) else None for value in values]
    if kinds & {int, float} and bool not in kinds:
        numbers = [as_number(value) if isinstance(value, str) else value for value in plain]
        if all(number is not None for number, value in zip(numbers, plain, strict=True) if value is not None):
            return pa.array([None if number is None else as_float(number) for number in numbers], pa.float64())
    texts = [value if value is None or isinstance(value, str) else str(value) for value in plain]
    return pa.array(texts, pa.string() if any(text is not None for text in texts) else pa.null())


def spelled_column(texts: Sequence[str]) -> pa.Array:
    """Cells of a text file: numbers where all that are not empty spell one, whole ones as int64; else text."""
    column = pa.array([text or None for text in texts], pa.string())
    if column.null_count == len(column):
        return pa.nulls(len(column))
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(column, kind)
        except pa.ArrowInvalid:
            continue
    numbers = [None if text is None else as_number(text) for text in column.to_pylist()]
    if sum(number is None for number in numbers) == column.null_count:
        return pa.array(numbers, pa.float64())
    return column


def spelled_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, pa.Array]:
    """The columns of a text file; those in which nothing is written are left out."""
    by_column = zip(*rows, strict=True) if rows else [()] * len(header)
    columns = {name: spelled_column(texts) for name, texts in zip(header, by_column, strict=True)}
    return {name: column for name, column in columns.items() if not pa.types.is_null(column.type)}


def flat(value: Mapping[str, Any], separator: str) -> dict[str, Any]:
    """A nested mapping as one of plain values: inner names follow outer ones; at most `MOST_LEAVES` of them."""
    return dict(islice(_leaves(value, "", separator), MOST_LEAVES))


def _leaves(value: Mapping[str, Any], prefix: str, separator: str) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        key = f"{prefix}{name}"
        if isinstance(inner, Mapping):
            yield from _leaves(inner, key + separator, separator)
        else:
            yield key, inner

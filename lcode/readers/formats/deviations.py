"""Cells that hold a value and how far it may be off: `0.25 ± 0.01`, `0.25 (0.01)`, also as LaTeX has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.understanding.column_words import OTHER_RUN_NAMES, RUN_NAMES, is_counter, plain_name
from lcode.readers.understanding.layout import CONFIG
from lcode.table.reading import listed

_NUMBER = r"[-+]?(?:\d[0-9.,]*(?:[eE][-+]?\d+)?|[.,]\d+(?:[eE][-+]?\d+)?|nan|inf)"
_SIGN = r"(?:±|\+/[-−]|\+-|\\pm)"

_MARK = rf"{_SIGN}|\d\s*\("
"""What tells in one of the first cells of a column that a number follows another."""

_WITH = (
    rf"^\s*\$?\s*({_NUMBER})\s*\\?%?\s*"
    rf"(?:{_SIGN}\s*(?:{_NUMBER})?\s*\\?%?|\(\s*{_SIGN}?\s*(?:{_NUMBER})?\s*\\?%?\s*\)?)\s*\$?\s*$"
)
"""A value with its deviation, of which the end may be missing where a file is cut; a unit says nothing more."""

_ALONE = rf"^\s*(?:{_NUMBER}\s*%?|[-–—]+|n/?a|none|null)?\s*$"
"""A value alone, or what stands in its place."""

_FIRST = 100
"""Cells among which one with a deviation is looked for."""


def without_deviations(
    path: Path, columns: Mapping[str, pa.ChunkedArray]
) -> tuple[dict[str, pa.ChunkedArray], tuple[str, ...]]:
    """The columns, of their cells with a deviation the values alone, and a remark on these.

    Few cells that hold something else stay as they are: one is told where it is read, and not the first with a sign.

    Args:
        path: the file of the columns.
        columns: the cells, as text where they hold more than numbers.
    """
    found = {name: _values(cells) for name, cells in columns.items() if _may_be_curve(name)}
    told = [name for name, values in found.items() if values is not None]
    if not told:
        return dict(columns), ()
    note = f"{path.name}: of cells such as '{_example(columns[told[0]])}' the first number is read, in {listed(told)}; "
    plain = {name: cells if (values := found.get(name)) is None else values for name, cells in columns.items()}
    return plain, (note + "the deviations are left out.",)


def _values(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The values of a column's cells; None where they are no numbers with deviations."""
    if not pa.types.is_string(cells.type) or not _any(cells[:_FIRST], _MARK):
        return None
    whole = pc.match_substring_regex(cells, _WITH, ignore_case=True)
    alone = pc.match_substring_regex(cells, _ALONE, ignore_case=True)
    fits = pc.sum(pc.or_(whole, alone)).as_py()
    if not pc.any(whole).as_py() or 2 * fits <= len(cells) - cells.null_count:
        return None
    return pc.if_else(whole, pc.replace_substring_regex(cells, f"(?i){_WITH}", r"\1"), cells)


def _may_be_curve(name: str) -> bool:
    """Whether a column neither counts nor names runs, of which `1 (2)` may be the copy of another, nor is a setting."""
    return not (is_counter(name) or name.startswith(CONFIG) or plain_name(name) in (*RUN_NAMES, *OTHER_RUN_NAMES))


def _any(cells: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())


def _example(cells: pa.ChunkedArray) -> str:
    return str(cells.filter(pc.match_substring_regex(cells, _WITH, ignore_case=True))[0].as_py()).strip()

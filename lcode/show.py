"""Numbers and names as people read them: the same on the page, in the terminal and in notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal

NOTHING = "–"
"""What a cell without a value shows."""

ARROWS: dict[Literal["max", "min"], str] = {"max": "↑", "min": "↓"}
"""Which way is better, behind a metric's name."""

SHOWN = 12
"""Runs in the tables that notebooks show; of the others their number is told."""


def interval(median: float, low: float, high: float) -> str:
    """`median [low, high]` with two digits of the interval's width; the value alone where there is no width.

    An interval over more than two decades has two digits of each of its ends: the width says nothing of the lower one.
    """
    if not math.isfinite(median):
        return NOTHING
    if not _is_wide(median, low, high):
        return f"{median:z.4g}"
    decimals = max(0, 1 - _magnitude(high - low))
    if low > 0 and high > 100 * low:
        return f"{median:.2g} [{low:.2g}, {high:.2g}]"
    form = "z.3g" if decimals > 6 or max(abs(low), abs(high)) >= 1e6 else f"z.{decimals}f"
    return f"{median:{form}} [{low:{form}}, {high:{form}}]"


def intervals(column: Sequence[tuple[float, float, float]]) -> list[str]:
    """`interval` of each (median, low, high) of a table's column, all with the same decimals: they can be compared.

    Two digits of the typical interval's width, and three of values that have none. Values that are decades apart have
    their own digits each.
    """
    widths = sorted(high - low for median, low, high in column if _is_wide(median, low, high))
    exact = [median for median, low, high in column if not _is_wide(median, low, high)]
    if not widths:
        return numbers(exact)
    decimals = [1 - _magnitude(max(widths[0], widths[len(widths) // 2] / 10)), *_decimals(exact, digits=3)]
    if not _is_even([median for median, _, _ in column], decimals):
        return [interval(*values) for values in column]
    return [_with_decimals(*values, max(0, *decimals)) for values in column]


def numbers(column: Sequence[float], *, digits: int = 4) -> list[str]:
    """The values of a table's column, with the same decimals; `–` for none.

    Args:
        column: the values.
        digits: of a typical one; none at the end are zeros in all of them.
    """
    decimals = _decimals(column, digits=digits)
    if not _is_even(column, decimals):
        return [interval(value, value, value) for value in column]
    told = [_with_decimals(value, value, value, max(0, *decimals)) for value in column]
    while any("." in text for text in told) and all(text.endswith(("0", NOTHING)) for text in told):
        told = [text.removesuffix("0").removesuffix(".") for text in told]
    return told


def _is_even(column: Sequence[float], decimals: Sequence[int]) -> bool:
    """Whether so many decimals show every value of a column, and are not too many."""
    known = [value for value in column if math.isfinite(value)]
    sizes = [abs(value) for value in known if value]
    apart = min(known, default=0) > 0 and max(sizes) > 100 * min(sizes)
    return bool(sizes) and not apart and max(sizes) < 1e6 and max(decimals, default=0) <= 6


def _decimals(column: Sequence[float], *, digits: int) -> list[int]:
    """Decimals for so many digits of a typical value, and for two of what tells the values apart."""
    known = sorted((value for value in column if math.isfinite(value) and value), key=abs)
    if not known:
        return []
    typical, apart = _magnitude(abs(known[len(known) // 2])), max(known) - min(known)
    return [digits - 1 - typical, min(1 - _magnitude(apart), 4 - typical) if apart else 0]


def _with_decimals(median: float, low: float, high: float, decimals: int) -> str:
    if not math.isfinite(median) or (low > 0 and high > 100 * low):
        return interval(median, low, high)
    told = f"{median:z.{decimals}f}"
    return f"{told} [{low:z.{decimals}f}, {high:z.{decimals}f}]" if _is_wide(median, low, high) else told


def _is_wide(median: float, low: float, high: float) -> bool:
    """Whether an interval has a width that is more than a rounding error."""
    return math.isfinite(high - low) and high - low > 1e-6 * abs(median)


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))


def probability(value: float) -> str:
    """A probability with two decimals; a small one is not shown as 0."""
    if value == 0:
        return "0"
    return "<0.01" if value < 0.005 else f"{value:.2f}"


def plain(value: object) -> str:
    """Any value of a cell: four digits of a float, `–` for none."""
    if is_missing(value):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{float(value):z.4g}"
    return printable(str(value))


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`, `12,000 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """The text with control characters, text-direction marks and lone surrogates spelt out as escapes.

    A run's name must not steer the terminal, reverse the line, or be impossible to encode.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shorten(text: str, length: int) -> str:
    """The text with its middle left out if it is longer than `length`: both ends of a run's name tell it apart."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def is_missing(value: object) -> bool:
    """Whether a cell has no value: None or NaN."""
    return value is None or (isinstance(value, Real) and math.isnan(value))


def escaped(text: str) -> str:
    """The text as HTML that shows it literally, whatever characters it has."""
    return html.escape(printable(text))


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, more: int = 0) -> str:
    """A small HTML table, as notebooks show it; every text is escaped.

    Args:
        headings: of the columns.
        rows: cells, as many as headings.
        caption: what is shown, above the table.
        more: rows that are not shown; the foot says how many.
    """
    head = "".join(f"<th>{escaped(name)}</th>" for name in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row)}</tr>" for row in rows)
    foot = f"<p>… and {more:,} more</p>" if more > 0 else ""
    return (
        f"<div><p>{escaped(caption)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}</div>"
    )

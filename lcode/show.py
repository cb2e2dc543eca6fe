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
    width = high - low
    if not (math.isfinite(width) and width > 1e-6 * abs(median)):
        return f"{median:z.4g}"
    decimals = max(0, 1 - math.floor(math.log10(width)))
    if low > 0 and high > 100 * low:
        return f"{median:.2g} [{low:.2g}, {high:.2g}]"
    form = "z.3g" if decimals > 6 or max(abs(low), abs(high)) >= 1e6 else f"z.{decimals}f"
    return f"{median:{form}} [{low:{form}}, {high:{form}}]"


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

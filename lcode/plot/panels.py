"""The look that all figures share, and small multiples that can be put beside or below each other."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.show import printable, shorten

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK, GRID, GREY = "#1f2328", "#e6e8eb", "#9aa1a9"
"""Text and axes; grid lines; runs in the background."""

CONTINUE, STOP = "#0072B2", "#D55E00"
"""Colours of the two actions."""


class Mark(NamedTuple):
    """How a run or a policy is told from the others: a colour and, for those who see no colours, a symbol."""

    colour: str
    symbol: str

    def faint(self, opacity: float) -> str:
        """The colour with this opacity, 0 to 1."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity})"


MARKS = (
    Mark("#0072B2", "circle"),
    Mark("#D55E00", "square"),
    Mark("#009E73", "diamond"),
    Mark("#CC79A7", "triangle-up"),
    Mark("#000000", "triangle-down"),
    Mark("#7A4E00", "star"),
)
"""Okabe and Ito's palette (2008) without the colours that are too light on white (contrast below 3:1), and brown."""

_PANEL, _GAP, _SIDE, _TOP, _BOTTOM = 290, 92, 0.09, 84, 52
"""Height of a panel and of the space between two, in pixels; space between columns as a share; margins in pixels."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes: its heading and the axes' titles, as figure text."""

    title: str
    x: str
    y: str


def figure_text(text: str, length: int = 48) -> str:
    """A name from the user's data for any text of a figure, shortened to `length` characters.

    Figure texts are read as a small HTML dialect (bold, links, line breaks), or as TeX between two dollar signs; what
    is not meant so is escaped.
    """
    return html.escape(shorten(printable(text), length), quote=False).replace("$", "&#36;")


def figure_with(panels: Sequence[Panel], *, columns: int, height: int = _PANEL) -> Figure:
    """A figure of empty panels, each a column wide; the i-th one (from 0) has the axes of `axes(i)`."""
    from plotly.graph_objects import Figure

    line = {"gridcolor": GRID, "linecolor": INK, "zeroline": False, "ticks": "outside", "tickcolor": GRID}
    figure = Figure(
        layout={
            "template": "none",
            "autosize": True,
            "font": {"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 13, "color": INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": "white", "align": "left", "namelength": -1},
            "margin": {"l": 64, "r": 18, "t": _TOP, "b": _BOTTOM},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yanchor": "bottom", "itemwidth": 30},
        }
    )
    for i, panel in enumerate(panels):
        x, y = axes(i)
        name_x, name_y = (f"{a[0]}axis{a[1:]}" for a in (x, y))
        figure.layout[name_x] = {**line, "title": {"text": panel.x, "standoff": 6}, "anchor": y, "showgrid": False}
        figure.layout[name_y] = {**line, "title": {"text": panel.y, "standoff": 8}, "anchor": x, "automargin": True}
        figure.add_annotation(
            text=f"<b>{panel.title}</b>",
            x=0,
            y=1,
            xref=f"{x} domain",
            yref=f"{y} domain",
            xanchor="left",
            yanchor="bottom",
            yshift=6,
            showarrow=False,
            font={"size": 14},
        )
    return _place(figure, columns, height)


def fitting_columns(panels: int) -> int:
    """How many panels to put beside each other so that few places are left empty."""
    return panels if panels < 4 else 2 if panels == 4 else 3


def axes(panel: int) -> tuple[str, str]:
    """Names of the i-th panel's axes, as traces refer to them."""
    number = "" if panel == 0 else str(panel + 1)
    return f"x{number}", f"y{number}"


def axis_range(values: NDArray[np.float64]) -> dict[str, Any]:
    """Type and range of an axis on which these values can be read.

    Logarithmic for positive values over more than two decades. What lies ten inter-quartile ranges outside the
    quartiles (a diverging run on its way) is left out of the range.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return {}
    log = bool((values > 0).all()) and np.quantile(values, 0.95) > 100 * np.quantile(values, 0.05)
    scaled = np.log10(values) if log else values
    first, third = np.quantile(scaled, (0.25, 0.75))
    spread = third - first or np.ptp(scaled)
    low = max(float(scaled.min()), float(first - 10 * spread))
    high = min(float(scaled.max()), float(third + 10 * spread))
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    kind = {"type": "log", "dtick": 1} if log else {"type": "linear"}
    return {**kind, "range": [low - room, high + room]}


def _place(figure: Figure, columns: int, height: int) -> Figure:
    """Put the panels, row by row, into so many columns, each panel `height` pixels high."""
    all_x, all_y = list(figure.select_xaxes()), list(figure.select_yaxes())
    rows = -(-len(all_x) // columns)
    inner = rows * height + (rows - 1) * _GAP
    width = (1 - (columns - 1) * _SIDE) / columns
    for i, (x, y) in enumerate(zip(all_x, all_y, strict=True)):
        row, column = divmod(i, columns)
        left, top = column * (width + _SIDE), 1 - row * (height + _GAP) / inner
        # Rounding errors would leave the paper, which ends at exactly 0 and 1.
        x.domain = (left, min(1.0, left + width))
        y.domain = (max(0.0, top - height / inner), top)
    figure.layout.height = inner + _TOP + _BOTTOM
    figure.layout.legend.y = 1 + 34 / inner
    return figure

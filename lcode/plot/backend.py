"""The library that a figure is made with: plotly's, or matplotlib's for papers, drawn from the same traces.

Figures are described once, as plotly's: those of this package use scatter traces, error bars, filled bands and panels
alone, and these can be drawn by either. Matplotlib is imported on request, without `pyplot`: no state of it is changed.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lcode.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as StaticFigure
    from plotly.graph_objects import Figure

Backend: TypeAlias = Literal["plotly", "matplotlib"]

AnyFigure: TypeAlias = Any
"""A `plotly.graph_objects.Figure`, or a `matplotlib.figure.Figure` with `backend="matplotlib"`."""

COLUMN, NARROWEST, DPI, POINT = 400, 700, 100, 0.72
"""Width of a column of panels and least width of a figure, in pixels; pixels per inch; points per pixel."""

SYMBOLS = {
    "circle": "o", "circle-open": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v",
    "star": "*", "x": "X", "square-open": "s", "diamond-open": "D", "triangle-up-open": "^", "triangle-down-open": "v",
    "star-open": "*",
}  # fmt: skip
"""Matplotlib's markers by plotly's names."""

DASHES = {None: "-", "solid": "-", "dash": "--", "dot": ":"}


def drawn(figure: Figure, backend: Backend) -> AnyFigure:
    """The figure, made with the library that was asked for.

    Raises:
        UsageError: another name, or matplotlib is not installed.
    """
    if backend == "plotly":
        return figure
    if backend != "matplotlib":
        raise UsageError(f"no backend {backend!r} for figures; there are: plotly, matplotlib")
    try:
        from matplotlib.figure import Figure as StaticFigure
    except ImportError as error:
        raise UsageError(
            "figures of matplotlib need it: pip install 'lcode[notebooks]', or leave out backend='matplotlib'"
        ) from error
    layout = figure.layout
    columns = len({axis.domain[0] for axis in figure.select_xaxes()})
    made = StaticFigure(figsize=(max(NARROWEST, COLUMN * columns) / DPI, layout.height / DPI), dpi=DPI)
    panels = {axis.anchor or "y": axis for axis in figure.select_xaxes()}
    axes = {name: _panel(made, figure, x, name) for name, x in panels.items()}
    for note in layout.annotations:
        axes[note.yref.split(" ")[0]].set_title(_text(note.text), loc="left", fontsize=8, fontweight="bold")
    named = []
    for trace in figure.data:
        handle = _trace(axes[trace.yaxis or "y"], trace)
        if trace.showlegend and handle is not None:
            named.append((trace.legendrank or 1000, _text(trace.name), handle))
    if named:
        named.sort(key=lambda entry: entry[0])
        legend = made.legend(
            [handle for *_, handle in named], [" "] * len(named), loc="upper left", ncols=min(len(named), 5),
            frameon=False, fontsize=9,
        )  # fmt: skip
        # Given as labels, names that begin with an underscore would be left out.
        for place, (_, name, _) in zip(legend.get_texts(), named, strict=True):
            place.set_text(name)
    return made


def _panel(made: StaticFigure, figure: Figure, x: Any, name: str) -> Axes:
    """Axes where plotly would put them, with its ranges, scales, titles and ticks."""
    layout, y = figure.layout, figure.layout[f"yaxis{name[1:]}"]
    margin, (width, height) = layout.margin, made.get_size_inches() * DPI
    # Plotly makes room for long names of ticks by itself.
    names = max(map(len, y.ticktext or ()), default=0)
    side = max(margin.l, 20 + 8 * names)
    inner = (width - side - margin.r, height - margin.t - margin.b)
    (left, right), (bottom, top) = x.domain, y.domain
    axes = made.add_axes(
        (
            (side + left * inner[0]) / width,
            (margin.b + bottom * inner[1]) / height,
            (right - left) * inner[0] / width,
            (top - bottom) * inner[1] / height,
        )
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    for axis, which in ((x, "x"), (y, "y")):
        if axis.title.text:
            axes.set(**{f"{which}label": _text(axis.title.text)})
        log = axis.type == "log"
        if log:
            axes.set(**{f"{which}scale": "log"})
        if axis.range is not None:
            axes.set(**{f"{which}lim": tuple(10.0**end if log else end for end in axis.range)})
        if axis.tickvals is not None:
            axes.set(**{f"{which}ticks": list(axis.tickvals), f"{which}ticklabels": list(map(_text, axis.ticktext))})
        if axis.showgrid is not False:
            axes.grid(axis="x" if which == "x" else "y", color=axis.gridcolor)
    return axes


def _trace(axes: Axes, trace: Any) -> Any:
    """Draw one scatter trace; returns what stands for it in the legend."""
    # None, which stands for no point in plotly, becomes NaN.
    x, y = (np.array(values, dtype=float) for values in (trace.x, trace.y))
    if trace.fill == "toself":
        return axes.fill(x, y, color=_colour(trace.fillcolor), linewidth=0)[0]
    for which in ("x", "y"):
        bar = trace[f"error_{which}"]
        if bar.array is not None:
            ends: dict[str, Any] = {f"{which}err": np.array([bar.arrayminus, bar.array], dtype=float)}
            colour = _colour(bar.color or trace.marker.color)
            axes.errorbar(x, y, fmt="none", ecolor=colour, elinewidth=bar.thickness, zorder=2, **ends)
    marker, line = trace.marker, trace.line
    lines, markers = ("lines" in trace.mode, "markers" in trace.mode)
    symbol, size = SYMBOLS[marker.symbol or "circle"], POINT * (marker.size or 6)
    if isinstance(marker.color, np.ndarray):
        shades = {"cmap": "Blues", "vmin": marker.cmin, "vmax": marker.cmax}
        return axes.scatter(x, y, c=marker.color, s=size**2, marker=symbol, edgecolors="grey", zorder=3, **shades)
    colour = _colour(line.color if lines else marker.color)
    return axes.plot(
        x, y, color=colour, linestyle=DASHES[line.dash] if lines else "none", linewidth=line.width or 1.5,
        marker=symbol if markers else None, markersize=size, alpha=trace.opacity, zorder=3 if markers else 2,
        markerfacecolor="none" if (marker.symbol or "").endswith("-open") else colour,
    )[0]  # fmt: skip


def _colour(text: str) -> str | tuple[float, float, float, float]:
    """A colour as matplotlib reads it: `rgba(0,114,178,0.2)` becomes shares."""
    parts = re.fullmatch(r"rgba\(([^,]+),([^,]+),([^,]+),([^,]+)\)", text)
    if parts is None:
        return text
    red, green, blue, opacity = map(float, parts.groups())
    return (red / 255, green / 255, blue / 255, opacity)


def _text(text: str) -> str:
    """A figure text as matplotlib takes it literally: plotly's small HTML undone, and no TeX."""
    return html.unescape(re.sub("</?b>", "", text)).replace("$", r"\$")

"""Forecasts as fans: what was observed, the median and the bands up to the horizon, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_names
from lcode.curves.arrays import CurveArrays
from lcode.errors import UsageError
from lcode.forecast import LEVELS, NO_EPOCH, Forecast, check_forecast
from lcode.plot.backend import AnyFigure, Backend, drawn
from lcode.plot.panels import (
    GREY,
    INK,
    MARKS,
    Mark,
    Panel,
    axes,
    axis_range,
    figure_text,
    figure_with,
    fitting_columns,
)
from lcode.report.aligned import aligned_curves
from lcode.show import counted
from lcode.table import Metric, RunTable, as_epochs
from lcode.table.axis import epoch_text
from lcode.table.given import check_table

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HIGHLIGHTED = len(MARKS)
"""So many runs are drawn in colour; more could not be told apart."""

BACKGROUND = 300
"""So many other runs are drawn in grey; with more nothing could be seen but grey, and the file would grow."""


def curves(
    table: RunTable,
    forecast: Forecast,
    *,
    truth: RunTable | None = None,
    runs: Sequence[str] | None = None,
    backend: Backend = "plotly",
) -> AnyFigure:
    """Forecasts against the epoch as fans, one panel per metric.

    A highlighted run has its observed points, a ring at the last of them (a cross where the curve diverged), the
    median, the 50 % and 90 % bands up to the horizon, and, dashed, the true continuation if it is known. The other
    runs are the grey observed curves behind. A click on a name in the legend hides or shows a run.

    Args:
        table: the runs as observed, up to their cutoffs.
        forecast: of these runs, made with `at="full"`; one of the horizon alone gives fans with straight edges.
        truth: the same runs (others are ignored) with what came after the cutoffs.
        runs: the runs to highlight; the first `HIGHLIGHTED` are. Default: the first ones that are forecast at all.
        backend: the library to make the figure with.

    Raises:
        UsageError: no table or no forecast, or a run to highlight is not in the forecast.
    """
    check_table("table", table)
    check_forecast("forecast", forecast)
    if truth is not None:
        check_table("truth", truth)
    check_names("runs", runs, "the names of the runs to highlight, such as ['run1', 'run2']")
    marks = dict(zip(_highlighted(forecast, runs), MARKS, strict=False))
    observed = aligned_curves(forecast, table)
    true = None if truth is None else aligned_curves(forecast, truth)
    panels = [_panel(metric) for metric in forecast.metrics]
    figure = figure_with(panels, columns=fitting_columns(len(panels)))
    others = [i for i in range(len(forecast.run_ids)) if i not in marks]
    for k in range(len(forecast.metrics)):
        x, y = axes(k)
        place = {"xaxis": x, "yaxis": y}
        grey = _background(figure, observed, forecast, others, k, place)
        # The bulk of the others is enough: a few that never learnt would squeeze the panel.
        seen = [np.quantile(grey, (0.1, 0.9))] if len(grey) else []
        for i, mark in marks.items():
            seen += _fan(figure, forecast, observed, true, i, k, mark, place)
        last = max([1, *as_epochs(forecast.horizons, forecast.epoch_unit).tolist()])
        figure.update_layout({f"xaxis{x[1:]}": {"range": [0, 1.02 * last], "matches": None if k == 0 else "x"}})
        figure.update_layout({f"yaxis{y[1:]}": axis_range(np.concatenate([*seen, np.empty(0)]))})
    _legend(figure, with_truth=true is not None)
    return drawn(figure, backend)


def _highlighted(forecast: Forecast, runs: Sequence[str] | None) -> list[int]:
    if runs is None:
        unknown_end = (np.isin(forecast.status, ("ok", "too_short"))).any(axis=1)
        return np.argsort(~unknown_end, kind="stable")[:HIGHLIGHTED].tolist()
    place = {run: i for i, run in enumerate(forecast.run_ids)}
    unknown = [run for run in runs if run not in place]
    if unknown:
        raise UsageError(f"no run '{unknown[0]}' in this forecast of {len(place)} runs")
    return [place[run] for run in dict.fromkeys(runs)][:HIGHLIGHTED]


def _panel(metric: Metric) -> Panel:
    better = "higher" if metric.direction == "max" else "lower"
    return Panel(f"{figure_text(metric.key)} ({better} is better)", "epoch", figure_text(metric.name, 32))


def _background(
    figure: Figure,
    observed: CurveArrays,
    forecast: Forecast,
    others: list[int],
    k: int,
    place: dict[str, str],
) -> NDArray[np.float64]:
    """One trace with the observed curves of the other runs, gaps between them; returns the values drawn."""
    rows = others[:BACKGROUND]
    name = counted(len(others), "other run")
    lengths = observed.lengths[rows, k]
    size = int(lengths.max(initial=0))
    # A cell more than the longest curve: the gap that keeps the pen from going on to the next run.
    inside = np.arange(size + 1) < lengths[:, None]
    drawn = np.arange(size + 1) <= lengths[:, None]
    epochs, values = np.zeros(inside.shape, dtype=np.int64), np.full(inside.shape, np.nan)
    epochs[:, :size], values[:, :size] = observed.epochs[rows, k, :size], observed.values[rows, k, :size]
    names = np.array([figure_text(forecast.run_ids[i]) for i in rows], dtype=object)
    if size:
        figure.add_scatter(
            x=as_epochs(epochs[drawn], forecast.epoch_unit),
            y=np.where(inside, values, np.nan)[drawn],
            **place,
            mode="lines",
            line={"color": GREY, "width": 1},
            opacity=0.55,
            name=name if len(rows) == len(others) else f"{len(rows)} of {name}",
            legendgroup="others",
            legendrank=2000,
            showlegend=k == 0,
            text=np.repeat(names, np.maximum(lengths + 1, 0)),
            hovertemplate="%{text}<br>epoch %{x}: %{y:.4g}<extra></extra>",
        )
    return values[:, :size][inside[:, :size]]


def _fan(
    figure: Figure,
    forecast: Forecast,
    observed: CurveArrays,
    true: CurveArrays | None,
    i: int,
    k: int,
    mark: Mark,
    place: dict[str, str],
) -> list[NDArray[np.float64]]:
    """All traces of one run in one panel; returns the values drawn."""
    name, unit = figure_text(forecast.run_ids[i], 28), forecast.epoch_unit
    common = {**place, "legendgroup": f"run {i}", "name": name}
    epochs, values = _points(observed, i, k)
    cutoff = int(epochs[-1]) if len(epochs) else 0
    seen = [values]
    ahead = (forecast.epochs[i] > cutoff) & (forecast.epochs[i] != NO_EPOCH)
    ahead &= np.isfinite(forecast.quantiles[i, k, :, 0])
    if ahead.any():
        # The fan opens at the last observed point, where nothing is uncertain.
        x = np.concatenate([epochs[-1:], forecast.epochs[i, ahead]])
        start = np.broadcast_to(values[-1:, None], (len(values[-1:]), len(LEVELS)))
        fan = np.concatenate([start, forecast.quantiles[i, k, ahead]])
        seen += _bands(figure, as_epochs(x, unit), fan, mark, common)
    if true is not None:
        later, outcome = _points(true, i, k)
        kept = later >= cutoff
        if (later > cutoff).any():
            figure.add_scatter(
                x=as_epochs(later[kept], unit), y=outcome[kept], **common, mode="lines",
                line={"color": mark.colour, "width": 1.3, "dash": "dash"}, showlegend=False,
                hovertemplate="%{fullData.name}<br>epoch %{x}: truly %{y:.4g}<extra></extra>",
            )  # fmt: skip
            seen.append(outcome[kept])
    # The trace with the points carries the legend, also where it is empty: every highlighted run is named.
    figure.add_scatter(
        x=as_epochs(epochs, unit), y=values, **common, mode="lines+markers", line={"color": mark.colour, "width": 1},
        marker={"color": mark.colour, "symbol": mark.symbol, "size": 5 if len(epochs) <= 60 else 3},
        showlegend=k == 0, hovertemplate="%{fullData.name}<br>epoch %{x}: observed %{y:.4g}<extra></extra>",
    )  # fmt: skip
    if len(epochs) and forecast.status[i, k] in ("ok", "diverged"):
        diverged = forecast.status[i, k] == "diverged"
        at = epoch_text(int(observed.diverged_at[i, k]) if diverged else cutoff, unit)
        what = f"diverged at epoch {at}" if diverged else f"forecast from epoch {at}"
        ring = {"color": mark.colour, "symbol": "x" if diverged else "circle-open", "size": 12, "line": {"width": 2}}
        figure.add_scatter(
            x=as_epochs(epochs[-1:], unit), y=values[-1:], **common, mode="markers", marker=ring, showlegend=False,
            hovertemplate=f"%{{fullData.name}}<br>{what}<extra></extra>",
        )  # fmt: skip
    return seen


def _bands(
    figure: Figure,
    x: NDArray[np.int64] | NDArray[np.float64],
    fan: NDArray[np.float64],
    mark: Mark,
    common: dict[str, str],
) -> list[NDArray[np.float64]]:
    """Median and bands of values at `LEVELS`, shape [Q, 21], at Q epochs; returns the outer ends of the bands."""
    level = {percent: fan[:, int(np.argmin(np.abs(100 * LEVELS - percent)))] for percent in (5, 25, 50, 75, 95)}
    for low, high, opacity in ((5, 95, 0.09), (25, 75, 0.18)):
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([level[high], level[low][::-1]]), **common,
            mode="lines", line={"width": 0}, fill="toself", fillcolor=mark.faint(opacity), showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    figure.add_scatter(
        x=x,
        y=level[50],
        **common,
        mode="lines",
        line={"color": mark.colour, "width": 2},
        showlegend=False,
        customdata=np.stack([level[percent] for percent in (25, 75, 5, 95)], axis=-1),
        hovertemplate=(
            "%{fullData.name}<br>epoch %{x}: median %{y:.4g}<br>50 %: %{customdata[0]:.4g} to %{customdata[1]:.4g}"
            "<br>90 %: %{customdata[2]:.4g} to %{customdata[3]:.4g}<extra></extra>"
        ),
    )
    return [level[5], level[95]]


def _points(curves: CurveArrays, i: int, k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    length = int(curves.lengths[i, k])
    return curves.epochs[i, k, :length], curves.values[i, k, :length]


def _legend(figure: Figure, *, with_truth: bool) -> None:
    """What the strokes mean, named once in grey."""
    quiet = {"x": [None], "y": [None], "hoverinfo": "skip", "showlegend": True, "legendrank": 3000}
    for name, opacity in (("50 % band", 0.45), ("90 % band", 0.2)):
        colour = Mark(INK, "square").faint(opacity)
        figure.add_scatter(**quiet, mode="markers", marker={"color": colour, "symbol": "square", "size": 13}, name=name)
    if with_truth:
        figure.add_scatter(**quiet, mode="lines", line={"color": INK, "width": 1.3, "dash": "dash"}, name="truth")

"""Two metrics against each other: where runs are forecast to end, and how likely each is on the Pareto front."""

from __future__ import annotations

import numpy as np

from lcode.arguments import check_count
from lcode.decisions.pareto import front_probability
from lcode.errors import UsageError
from lcode.forecast import Forecast, check_forecast
from lcode.plot.backend import AnyFigure, Backend, drawn
from lcode.plot.panels import GREY, MARKS, Panel, axis_range, figure_text, figure_with
from lcode.table import Metric

SAMPLES = 256
"""Joint samples that the probabilities are counted on: a standard error of at most 0.03."""

LIKELY = 0.05
"""Runs at least so likely on the front are drawn with their intervals; the others are grey points."""


def pareto(
    forecast: Forecast, x: str | None = None, y: str | None = None, *, seed: int = 0, backend: Backend = "plotly"
) -> AnyFigure:
    """Forecast final values of two metrics, runs coloured by their probability of ending on the Pareto front.

    Args:
        forecast: R runs × K ≥ 2 metrics; the last query epoch of each run is taken as its horizon.
        x: key of the metric along the horizontal axis; default: the first.
        y: key of the other; default: the first that is not `x`.
        seed: of the joint samples that the probabilities are counted on.
        backend: the library to make the figure with.

    Raises:
        UsageError: no forecast, an unknown metric, or fewer than two.
    """
    check_forecast("forecast", forecast)
    check_count("seed", seed, 0)
    across, up = _two(forecast.metrics, x, y)
    final = forecast.final()
    low, median, high = (final.quantile(level)[..., 0] for level in (0.05, 0.5, 0.95))
    samples = final.sample(SAMPLES, seed=seed)[..., 0]
    one, other = (samples[..., k] * forecast.metrics[k].sign for k in (across, up))
    chance = front_probability(one, other)
    titles = [f"{figure_text(m.key)} ({'higher' if m.direction == 'max' else 'lower'} is better)" for m in (
        forecast.metrics[across], forecast.metrics[up])]  # fmt: skip
    figure = figure_with([Panel("final values as forecast", titles[0], titles[1])], columns=1, height=420)
    names = np.array([figure_text(run) for run in forecast.run_ids], dtype=object)
    known = np.isfinite(median[:, [across, up]]).all(1)
    for rows, likely in ((known & (chance < LIKELY), False), (known & (chance >= LIKELY), True)):
        spread = {
            f"error_{axis}": {
                "type": "data", "symmetric": False, "array": (high - median)[rows, k],
                "arrayminus": (median - low)[rows, k], "thickness": 1, "width": 0, "color": MARKS[0].faint(0.35),
            }
            for axis, k in (("x", across), ("y", up))
        } if likely else {}  # fmt: skip
        shown = {"color": chance[rows], "colorscale": "Blues", "cmin": -0.3, "cmax": 1, "size": 9, "line": {"width": 1}}
        figure.add_scatter(
            x=median[rows, across],
            y=median[rows, up],
            **spread,
            mode="markers",
            marker=shown if likely else {"color": GREY, "size": 5},
            name=f"P(on the front) ≥ {LIKELY:g}" if likely else "unlikely on the front",
            showlegend=True,
            text=names[rows],
            customdata=chance[rows],
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<br>P(on the front) %{customdata:.2f}<extra></extra>",
        )
    for axis, k in (("xaxis", across), ("yaxis", up)):
        figure.update_layout({axis: axis_range(median[known, k])})
    figure.update_xaxes(showgrid=True)
    return drawn(figure, backend)


def _two(metrics: tuple[Metric, ...], x: str | None, y: str | None) -> tuple[int, int]:
    """Places of the two metrics."""
    keys = [metric.key for metric in metrics]
    if len(keys) < 2:
        raise UsageError(f"a Pareto front needs two metrics; this forecast has {', '.join(keys) or 'none'}")
    unknown = [key for key in (x, y) if key is not None and key not in keys]
    if unknown:
        raise UsageError(f"no metric '{unknown[0]}' in this forecast; there are: {', '.join(keys)}")
    across = next(k for k, key in enumerate(keys) if (key != y if x is None else key == x))
    up = next(k for k, key in enumerate(keys) if (k != across if y is None else key == y))
    if across == up:
        raise UsageError(f"both axes would show '{keys[across]}'; name two metrics")
    return across, up

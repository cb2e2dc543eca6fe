"""Figures of all runs together; each takes the values of the other packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_kind, found
from lcode.decisions import Ranking
from lcode.errors import UsageError
from lcode.evaluation.metrics import kendall
from lcode.evaluation.replay import Replay
from lcode.forecast import Forecast, check_forecast
from lcode.plot.backend import AnyFigure, Backend, drawn
from lcode.plot.panels import CONTINUE, INK, MARKS, STOP, Panel, axes, axis_range, figure_text, figure_with
from lcode.report.aligned import true_finals
from lcode.report.cells import score_title
from lcode.show import counted
from lcode.table import RunTable
from lcode.table.given import check_table

__all__ = ["RANKING_ROWS", "calibration", "ranking", "savings", "stopping"]

RANKING_ROWS = 40
"""So many runs of a ranking can be read in one figure."""


def ranking(order: Ranking, *, backend: Backend = "plotly") -> AnyFigure:
    """Score of each run with its 5–95 % interval, best at the top, coloured by the advised action.

    Only the best `RANKING_ROWS` are drawn, and no run without a score (diverged); the heading says how many of all.

    Args:
        order: of the runs.
        backend: the library to make the figure with, here as in all figures.

    Raises:
        UsageError: no ranking.
    """
    _check_ranking(order)
    shown = np.flatnonzero(np.isfinite(order.score))[:RANKING_ROWS]
    heading = counted(len(shown), "run") if len(shown) == len(order) else f"best {len(shown)} of {len(order)} runs"
    better = "lower" if order.objective.direction == "min" else "higher"
    title = figure_text(f"{score_title(order)}, {better} is better")
    figure = figure_with([Panel(heading, title, "")], columns=1, height=max(60, 22 * len(shown)))
    ranks = np.arange(1, len(order) + 1)
    hover = np.column_stack([order.score_q05, order.score_q95, order.p_best, order.p_top_10pct, ranks])
    for action, colour, symbol in (("continue", CONTINUE, "circle"), ("stop", STOP, "x")):
        rows = np.array([i for i in shown if order.action[i] == action], dtype=np.int64)
        figure.add_scatter(
            x=order.score[rows],
            y=ranks[rows],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (order.score_q95 - order.score)[rows],
                "arrayminus": (order.score - order.score_q05)[rows],
                "thickness": 1.5,
                "width": 0,
            },
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9},
            name="continue, or finished" if action == "continue" else action,
            showlegend=True,
            text=[figure_text(order.runs[i]) for i in rows],
            customdata=hover[rows],
            hovertemplate=(
                "%{text}<br>rank %{customdata[4]}, score %{x:.4g} (90 %: %{customdata[0]:.4g} to %{customdata[1]:.4g})"
                "<br>P(best) %{customdata[2]:.2f}, P(top 10 %) %{customdata[3]:.2f}<extra></extra>"
            ),
        )
    figure.update_yaxes(
        tickvals=ranks[shown],
        ticktext=[figure_text(order.runs[i], 22) for i in shown],
        range=[len(shown) + 0.7, 0.3],
        showgrid=False,
        ticks="",
    )
    figure.update_xaxes(showgrid=True)
    return drawn(figure, backend)


def calibration(forecast: Forecast, truth: RunTable, *, backend: Backend = "plotly") -> AnyFigure:
    """Predicted against true value at the horizon with 5–95 % intervals, a panel per metric.

    Runs whose end is known to the forecast already, or unknown to `truth`, are left out. The headings state
    Kendall's τ of predicted and true order, and the number of runs.

    Args:
        forecast: R runs × K metrics; the last query epoch of each run is taken as its horizon.
        truth: the same runs (others are ignored) trained to their ends.
        backend: the library to make the figure with.

    Raises:
        UsageError: no forecast, or no table.
    """
    check_forecast("forecast", forecast)
    check_table("truth", truth)
    final = forecast.final()
    low, median, high = (final.quantile(level)[..., 0] for level in (0.05, 0.5, 0.95))
    true = true_finals(forecast, truth)
    compared = np.isfinite(true) & np.isfinite(median) & (forecast.status != "finished")
    panels = []
    for k, metric in enumerate(forecast.metrics):
        rows = compared[:, k]
        tau = kendall(true[rows, k], median[rows, k])
        quality = f"τ = {tau:.2f}, " if np.isfinite(tau) else ""
        name = figure_text(metric.name, 32)
        heading = f"{figure_text(metric.key, 32)}: {quality}{counted(int(rows.sum()), 'run')}"
        panels.append(Panel(heading, f"true {name}", f"predicted {name}"))
    figure = figure_with(panels, columns=3)
    for k in range(len(forecast.metrics)):
        rows, (x, y) = compared[:, k], axes(k)
        if not rows.any():
            continue
        both = np.concatenate([true[rows, k], low[rows, k], high[rows, k]])
        ends = np.array([both.min(), both.max()])
        scale = axis_range(both)
        figure.update_layout({f"{a[0]}axis{a[1:]}": scale for a in (x, y)})
        figure.add_scatter(
            x=ends, y=ends, xaxis=x, yaxis=y, mode="lines", line={"color": INK, "width": 1, "dash": "dot"},
            showlegend=k == 0, legendgroup="identity", name="predicted = true", hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=true[rows, k],
            y=median[rows, k],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (high - median)[rows, k],
                "arrayminus": (median - low)[rows, k],
                "color": "rgba(0,114,178,0.25)",
                "thickness": 1,
                "width": 0,
            },
            xaxis=x,
            yaxis=y,
            mode="markers",
            marker={"color": MARKS[0].colour, "size": 6},
            name="run: median and 5–95 % interval",
            legendgroup="runs",
            showlegend=k == 0,
            text=[figure_text(run) for run, kept in zip(forecast.run_ids, rows, strict=True) if kept],
            hovertemplate="%{text}<br>true %{x:.4g}, predicted %{y:.4g}<extra></extra>",
        )
    return drawn(figure, backend)


def savings(replays: Mapping[str, Sequence[Replay]], *, unit: str = "", backend: Backend = "plotly") -> AnyFigure:
    """Compute saved against regret, one point per stopping policy: its mean over replays, bars from least to most.

    Args:
        replays: replays of the same finished runs (in several orders) by the policy's name.
        unit: what regret is measured in: the objective's unit.
        backend: the library to make the figure with.

    Raises:
        UsageError: no replays by name, or none of a policy.
    """
    expected = "replays by the policy's name, such as {'lcode': [replay]}"
    check_kind("replays", replays, Mapping, expected)
    for policy, outcomes in replays.items():
        several = isinstance(outcomes, Sequence) and len(outcomes) > 0
        if not several or not all(isinstance(outcome, Replay) for outcome in outcomes):
            raise UsageError(f"replays['{policy}'] is {found(outcomes)}; give {expected}")
    regret = "regret" if unit in ("", "score") else f"regret ({figure_text(unit)})"
    panel = Panel("the farther right and the lower, the better", "epochs saved (%)", regret)
    figure = figure_with([panel], columns=2)
    highest = 0.0
    for i, (policy, outcomes) in enumerate(replays.items()):
        mark = MARKS[i % len(MARKS)]
        share = 100 * np.array([outcome.saved for outcome in outcomes])
        lost = np.array([outcome.regret for outcome in outcomes], dtype=float)
        highest = max(highest, float(np.nanmax(lost, initial=0.0)))
        figure.add_scatter(
            x=[share.mean()],
            y=[lost.mean()],
            error_x=_spread(share),
            error_y=_spread(lost),
            mode="markers",
            marker={"color": mark.colour, "symbol": mark.symbol, "size": 13},
            name=figure_text(policy),
            showlegend=True,
            cliponaxis=False,
            hovertemplate=(
                "%{fullData.name}<br>%{x:.0f} % of the epochs saved, regret %{y:.3g}"
                f"<br>mean of {counted(len(outcomes), 'replay')}<extra></extra>"
            ),
        )
    figure.update_xaxes(range=[-2, 102], showgrid=True)
    figure.update_yaxes(range=[-0.05 * (highest or 1), 1.1 * (highest or 1)])
    return drawn(figure, backend)


def stopping(order: Ranking, *, backend: Backend = "plotly") -> AnyFigure:
    """What stopping runs now saves and is expected to lose, by threshold, from the forecasts alone.

    Args:
        order: as `lcode.rank` returns it.
        backend: the library to make the figure with.

    Raises:
        UsageError: no ranking, or it was made by hand.
    """
    _check_ranking(order)
    curve = order.stopping
    if curve is None:
        raise UsageError("this ranking does not say what stopping saves; make it with lcode.rank")
    unit = order.objective.unit
    regret = "expected regret" if unit in ("", "score") else f"expected regret ({figure_text(unit)})"
    figure = figure_with([Panel("by threshold", "epochs to come that are saved (%)", regret)], columns=1)
    told = np.column_stack([100 * curve.thresholds, curve.stopped])
    chosen = np.arange(len(told)) == curve.chosen
    advised = f"below {100 * curve.delta:g} %, as advised"
    for rows, name, mark in ((~chosen, "other thresholds", MARKS[0]), (chosen, advised, MARKS[1])):
        figure.add_scatter(
            x=100 * curve.saved[rows],
            y=curve.regret[rows],
            mode="markers",
            marker={"color": mark.colour, "symbol": mark.symbol, "size": 13 if mark is MARKS[1] else 6},
            name=name,
            showlegend=True,
            cliponaxis=False,
            customdata=told[rows],
            hovertemplate=(
                "a chance below %{customdata[0]:.3g} %: %{customdata[1]} stopped<br>%{x:.0f} % saved, "
                "expected regret %{y:.3g}<extra></extra>"
            ),
        )
    highest = float(np.nanmax(curve.regret, initial=0.0)) or 1.0
    figure.update_xaxes(range=[-2, 102], showgrid=True)
    figure.update_yaxes(range=[-0.05 * highest, 1.1 * highest])
    return drawn(figure, backend)


def _check_ranking(order: object) -> None:
    check_kind("order", order, Ranking, "a ranking, such as lcode.rank(forecast, table=table)")


def _spread(values: NDArray[np.float64]) -> dict[str, Any]:
    """Error bar from the least to the most."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [values.max() - values.mean()],
        "arrayminus": [values.mean() - values.min()],
        "thickness": 1.2,
        "width": 0,
    }

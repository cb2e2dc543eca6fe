"""Rules that stop runs, by what they save and what they lose."""

from __future__ import annotations

from lcode.evaluation.replay.compare import Comparison, Figures
from lcode.plot.backend import AnyFigure, Backend, drawn
from lcode.plot.panels import GREY, MARKS, Panel, figure_text, figure_with
from lcode.show import counted


def rules(result: Comparison, *, backend: Backend = "plotly") -> AnyFigure:
    """Compute saved against regret, a point per rule; the line joins those that no other rule beats in both.

    Args:
        result: what the rules came to, over all numbers of workers.
        backend: the library to make the figure with.
    """
    panel = Panel(
        "the farther right and the lower, the better", "times fewer epochs", "mean regret ÷ (best − median score)"
    )
    figure = figure_with([panel], columns=1, height=420)
    points = {rule: result.figures(rule) for rule in result.replays}
    front = sorted(
        (f.speedup, f.regret_share) for f in points.values() if not _beaten(f.speedup, f.regret_share, points)
    )
    figure.add_scatter(
        x=[x for x, _ in front],
        y=[y for _, y in front],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    for i, (rule, found) in enumerate(points.items()):
        mark = MARKS[i % len(MARKS)]
        hollow = "-open" if (i // len(MARKS)) % 2 else ""
        figure.add_scatter(
            x=[found.speedup],
            y=[found.regret_share],
            mode="markers",
            marker={"color": mark.colour, "symbol": mark.symbol + hollow, "size": 11, "line": {"width": 2}},
            name=figure_text(rule),
            showlegend=True,
            cliponaxis=False,
            hovertemplate=(
                "%{fullData.name}<br>%{x:.2f} times fewer epochs, regret %{y:.4f}"
                f"<br>{counted(found.replays, 'replay')}<extra></extra>"
            ),
        )
    figure.update_xaxes(showgrid=True)
    return drawn(figure, backend)


def _beaten(speedup: float, regret: float, points: dict[str, Figures]) -> bool:
    """Whether another rule saves as much and loses as little, and one of these better."""
    return any(
        other.speedup >= speedup
        and other.regret_share <= regret
        and (other.speedup, other.regret_share) != (speedup, regret)
        for other in points.values()
    )

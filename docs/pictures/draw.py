"""Draws `forecast.svg`, the picture of the README: `python docs/pictures/draw.py`.

Forecasts of multi-task runs of the corpus that the forecaster has not learned from, and what came of them. Seed 0; the
same machine draws the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lcode
from lcode.benchmarks import load_mtl_curves

PROBLEM, SEEN, RUNS, METRICS = "scenes", 8, 3, (0, 2)

WIDTH, HEIGHT, LEFT, TOP, GAP = 270, 180, 46, 28, 50
"""Of a panel, of what is to its left and above it, and between two, in pixels."""

INK, GREY, BAND, LINE = "#57606a", "#8c959f", "#2f81f7", "#1f6feb"
"""Colours that can be read on a white and on a black page."""


def main() -> None:
    """Fit on the training runs, forecast test runs from their first epochs, and write the picture beside this file."""
    corpus = load_mtl_curves(problems=[PROBLEM])[PROBLEM]
    history = corpus.part("train").with_status("finished")
    model = lcode.fit(history.select(sorted(history.run_ids)[:120]), seed=0)
    truth = corpus.part("test").with_status("finished")
    truth = truth.select(sorted(truth.run_ids)[:RUNS])
    forecast = model.predict(truth.prefix(SEEN), "full")
    panels = [
        panel(forecast, truth, run, metric, column, row)
        for row, metric in enumerate(METRICS)
        for column, run in enumerate(range(RUNS))
    ]
    width, height = LEFT + RUNS * (WIDTH + GAP), TOP + len(METRICS) * (HEIGHT + GAP)
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">{"".join(panels)}</svg>\n'
    )
    Path(__file__).with_name("forecast.svg").write_text(picture, encoding="utf-8")


def panel(forecast: lcode.Forecast, truth: lcode.RunTable, run: int, metric: int, column: int, row: int) -> str:
    """One curve: points seen, the 50 and 90 % bands to come with the median, and the truth, dashed."""
    key, horizon = forecast.metrics[metric].key, int(forecast.horizons[run])
    points = truth.points[(truth.points["run"] == forecast.run_ids[run]) & (truth.points["metric"] == key)].sort_values(
        "epoch"
    )
    epochs, values = points["epoch"].to_numpy(), points["value"].to_numpy()
    wanted = [forecast.quantile(q)[run, metric] for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
    ahead = forecast.epochs[run]
    left, top = LEFT + column * (WIDTH + GAP), TOP + row * (HEIGHT + GAP)
    spread = np.concatenate([values, *wanted])
    low, high = float(np.nanmin(spread)), float(np.nanmax(spread))

    def place(at: Iterable[float], value: Iterable[float]) -> str:
        return " ".join(
            f"{left + WIDTH * e / horizon:.1f},{top + HEIGHT * (high - v) / (high - low):.1f}"
            for e, v in zip(at, value, strict=True)
        )

    def band(under: NDArray[np.float64], over: NDArray[np.float64], opacity: float) -> str:
        outline = f"{place(ahead, under)} {place(ahead[::-1], over[::-1])}"
        return f'<polygon points="{outline}" fill="{BAND}" opacity="{opacity}"/>'

    def line(at: NDArray[np.int64], value: NDArray[np.float64], style: str) -> str:
        return f'<polyline points="{place(at, value)}" fill="none" {style}/>'

    seen, later = epochs <= SEEN, epochs >= SEEN
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="2.2"/>'
        for x, y in (pair.split(",") for pair in place(epochs[seen], values[seen]).split())
    )
    title = f"{escape(key)} of {escape(forecast.run_ids[run])}"
    return (
        f'<text x="{left}" y="{top - 6}">{title}</text>'
        f'<path d="M{left} {top}V{top + HEIGHT}H{left + WIDTH}" fill="none" stroke="{GREY}"/>'
        f'<text x="{left - 4}" y="{top + 10}" text-anchor="end">{high:.2g}</text>'
        f'<text x="{left - 4}" y="{top + HEIGHT}" text-anchor="end">{low:.2g}</text>'
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 14}" text-anchor="end">epoch {horizon}</text>'
        + band(wanted[0], wanted[4], 0.2)
        + band(wanted[1], wanted[3], 0.3)
        + line(ahead, wanted[2], f'stroke="{LINE}" stroke-width="1.5"')
        + line(epochs[later], values[later], f'stroke="{GREY}" stroke-width="1.5" stroke-dasharray="4 3"')
        + dots
    )


if __name__ == "__main__":
    main()

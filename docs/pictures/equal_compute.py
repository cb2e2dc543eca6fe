"""Draws `equal_compute.svg`: what ways to search come to at equal compute.

    python docs/pictures/equal_compute.py searches.jsonl

The file is one of `python -m mtl_runs.studies.equal_compute`; a line is a way, a point a number of runs to begin with.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from mtl_runs.studies.equal_compute.plan import Plan
from mtl_runs.studies.equal_compute.report import curves

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 820, 420, 56, 275, 30, 52
"""Of the picture, and of what is around the panel, in pixels; names stand at the right."""

INK, GREY, OURS = "#57606a", "#8c959f", "#1f6feb"
"""Colours that can be read on a white and on a black page."""

DASHES = ("", "6 3", "2 2", "8 2 2 2", "1 3")
"""Tell the others' lines apart, in turn."""

LINE = 13
"""Height of a name, in pixels."""

Points = Sequence[tuple[float, float]]


def main(arguments: Sequence[str]) -> None:
    """Write the picture beside this file."""
    found, horizon = curves(pd.read_json(arguments[0], lines=True)), Plan().horizon
    lines = {way: [(spent / horizon, gain) for spent, gain in points] for way, points in found.items()}
    Path(__file__).with_name("equal_compute.svg").write_text(picture(lines), encoding="utf-8")


def picture(lines: Mapping[str, Points]) -> str:
    """The picture of ways with their points: trainings paid for, mean Δm of the winner."""
    everything = [point for points in lines.values() for point in points]
    least, most = (f(math.log2(spent) for spent, _ in everything) for f in (min, max))
    top = max(gain for _, gain in everything)
    low = max(min(gain for _, gain in everything), top - 30)

    def place(spent: float, gain: float) -> tuple[float, float]:
        across, up = (math.log2(spent) - least) / (most - least), (max(gain, low) - low) / (top - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = []
    for power in range(math.ceil(least), math.floor(most) + 1):
        x, y = place(2**power, low)
        parts.append(f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{2**power}</text>')
    step = 5 if top - low > 12 else 2
    for gain in range(math.ceil(low / step) * step, math.floor(top) + 1, step):
        x, y = place(2**least, gain)
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{gain}</text>')
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity="0.25"/>')
    bottom = HEIGHT - BOTTOM + 38
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{bottom}" text-anchor="middle">trainings paid for</text>'
    )
    parts.append(f'<text x="{LEFT}" y="{TOP - 12}">mean Δm of the winner on the test split, %</text>')
    free = TOP - LINE
    ends = sorted(lines.items(), key=lambda item: place(*item[1][-1])[1])
    for number, (way, points) in enumerate(ends):
        own = way.startswith("lcode")
        colour, weight = (OURS, 2.5) if own else (INK, 1.2)
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (place(*point) for point in points))
        dashes = "" if own else DASHES[number % len(DASHES)]
        parts.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{weight}" stroke-dasharray="{dashes}"/>'
        )
        x, y = place(*points[-1])
        free = max(free + LINE, y + 4)
        bold = ' font-weight="bold"' if own else ""
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        parts.append(
            f'<path d="M{x:.1f} {y:.1f}L{WIDTH - RIGHT + 6} {free - 4:.1f}" stroke="{GREY}" stroke-opacity="0.5"/>'
        )
        parts.append(f'<text x="{WIDTH - RIGHT + 9}" y="{free:.1f}" fill="{colour}"{bold}>{escape(way)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}">{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    main(sys.argv[1:])

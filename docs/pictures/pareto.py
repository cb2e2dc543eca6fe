"""Draws `replays.svg`, the picture of compute saved against regret: `python docs/pictures/pareto.py replays.jsonl`.

The file is one of `python -m lcode.evaluation.replay.study`; a point is a rule, over all its replays without a history
of the sources of one collection.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from lcode.evaluation.replay.record import Replays, Row

GROUP = "lcbench"

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 24, 30, 52
"""Of the picture, and of what is around the panel, in pixels."""

INK, GREY, OURS = "#57606a", "#8c959f", "#1f6feb"
"""Colours that can be read on a white and on a black page."""

LETTER, BOLD, LINE = 6.0, 7.0, 12.0
"""Width of a letter, plain and bold, and height of a line."""

RADIUS = 6.0
"""Of the largest point."""

OWN = ("thaw", "regret", "lcode")
"""Rules of this project, by name."""

POWER = 0.5
"""The axis of regret shows its root: small ones are what matters."""

Place = Callable[[float, float], tuple[float, float]]
"""Where a mean regret and a saving stand in the picture."""


class Box(NamedTuple):
    """Where a text of a line stands, in pixels."""

    left: float
    bottom: float
    width: float

    def meets(self, other: Box) -> bool:
        """Whether both are in one place."""
        beside = self.left + self.width < other.left or other.left + other.width < self.left
        return not beside and abs(self.bottom - other.bottom) < LINE


def main(arguments: Sequence[str]) -> None:
    """Write the picture beside this file."""
    lines = [line for line in Replays(Path(arguments[0])).lines if line.group == GROUP and not line.warm]
    rows = {rule: Row.of([line for line in lines if line.rule == rule]) for rule in {line.rule: None for line in lines}}
    points = {rule: (row.regret, row.faster) for rule, row in rows.items()}
    Path(__file__).with_name("replays.svg").write_text(picture(points), encoding="utf-8")


def picture(points: dict[str, tuple[float, float]]) -> str:
    """The picture of rules with their mean regret and how many times fewer epochs they take."""
    farthest = max(saved for _, saved in points.values()) * 1.08
    highest = max(regret for regret, _ in points.values()) * 1.15 + 1e-6

    def place(regret: float, saved: float) -> tuple[float, float]:
        across = (saved - 1) / (farthest - 1)
        up = (regret / highest) ** POWER
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [axes(farthest, highest, place)]
    taken = [Box(x - RADIUS, y + RADIUS, 2 * RADIUS) for x, y in (place(*point) for point in points.values())]
    for rule, (regret, saved) in sorted(points.items(), key=lambda item: item[1][1]):
        x, y = place(regret, saved)
        own = rule.split(":")[0] in OWN
        colour, size, weight = (OURS, RADIUS, "bold") if own else (GREY, 4.5, "normal")
        text = told(rule)
        at = free_place(x, y, (BOLD if own else LETTER) * len(text), taken)
        taken.append(at)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"/>')
        parts.append(
            f'<text x="{at.left:.1f}" y="{at.bottom - 3:.1f}" fill="{colour if own else INK}" '
            f'font-weight="{weight}">{escape(text)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}">{"".join(parts)}</svg>\n'
    )


def free_place(x: float, y: float, width: float, taken: Sequence[Box]) -> Box:
    """Where a text beside a point is clear of the others and of all points: around it, or further above or below."""
    around = [Box(x - width / 2, y + down, width) for down in (-9, 21)]
    around += [Box(left, y + 7, width) for left in (x + RADIUS + 3, x - RADIUS - 3 - width)]
    further = [Box(x - width / 2, y + down, width) for far in range(1, 5) for down in (-9 - 13 * far, 21 + 13 * far)]
    return next((box for box in around + further if not any(box.meets(other) for other in taken)), around[0])


def told(rule: str) -> str:
    """A rule as it is named in the picture: its settings without their names."""
    head, *settings = rule.split(":")
    values = {key: value for key, _, value in (setting.partition("=") for setting in settings)}
    if "regret" in values:
        return f"{head} {values['regret'].split()[0]}, α {values.get('alpha', '0.1')}"
    return " ".join([head, *values.values()])


def axes(farthest: float, highest: float, place: Place) -> str:
    """Lines, numbers and names of both axes."""
    left, bottom = place(0.0, 1.0)
    right, top = place(highest, farthest)
    parts = [f'<path d="M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}" fill="none" stroke="{GREY}"/>']
    for saved in range(2, int(farthest) + 1, 2):
        x, _ = place(0.0, saved)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17:.1f}" text-anchor="middle">{saved}×</text>')
        parts.append(f'<path d="M{x:.1f} {bottom:.1f}v4" stroke="{GREY}"/>')
    for regret in (0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2):
        if regret <= highest:
            _, y = place(regret, 1.0)
            parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{regret:g}</text>')
            parts.append(f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{GREY}" stroke-opacity="0.25"/>')
    middle = (left + right) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{bottom + 38:.1f}" text-anchor="middle">times fewer epochs: right is better</text>'
    )
    parts.append(f'<text x="{left:.1f}" y="{top - 12:.1f}">mean regret ÷ (best − median): low is better</text>')
    return "".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Other problems that a problem holds: a part of its sweep, its values on another scale, the other way up.

A network that is to learn from examples must meet many problems, or it learns by heart how runs of those it met go on;
and real ones are few. With 6,000 steps variants changed little; what they are worth with 40,000, apart from the longer
training, was not measured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.curves.prefix import CURVE, OTHERS, SIDE, SIGNALS
from lcode.ensemble.problems import Problem

Array = NDArray[np.float64]

PART, LEFT_OUT = 0.4, 0.7
"""In this share of the problems a part of the runs is left out, up to so many of them."""

RESCALED, SCALES = 0.5, 0.7
"""In this share of the problems values are rescaled; standard deviation of the logarithm of by how much."""

REVERSED = 0.3
"""In this share of the problems values are negated."""

UNKNOWN = (0.3, 0.4)
"""In this share of the problems common settings are hidden, each with this probability, and each block of what else is
known of runs. What processes read of a curve stays on its own scale, whatever is done to the values."""


def varied(problem: Problem, least: int, draw: np.random.Generator) -> Problem:
    """A variant of a problem at one lead, with so many of its runs at least."""
    if draw.random() < PART:
        problem = _part(problem, least, draw)
    if draw.random() < RESCALED:
        problem = _rescaled(problem, draw)
    if draw.random() < REVERSED:
        problem = replace(problem, runs=replace(problem.runs, points=-problem.runs.points), came=-problem.came)
    if draw.random() < UNKNOWN[0]:
        hidden = draw.random(problem.runs.settings.shape[1]) < UNKNOWN[1]
        shown = [block for block in (OTHERS, SIGNALS, SIDE) if draw.random() >= UNKNOWN[1]]
        runs = replace(problem.runs, settings=np.where(hidden, 0.0, problem.runs.settings))
        problem = replace(problem, runs=replace(runs, evidence=runs.evidence.blocks(CURVE, *shown)))
    return problem


def _part(problem: Problem, least: int, draw: np.random.Generator) -> Problem:
    """Without the runs that come first by how they ended, by how they stood, or by a setting: a narrower sweep."""
    settings = problem.runs.settings
    traits = (problem.came[:, 0], problem.runs.points[:, -1], settings[:, draw.integers(settings.shape[1])])
    trait = np.nan_to_num(traits[draw.integers(len(traits))]) * draw.choice([-1, 1])
    order = np.lexsort((draw.random(len(trait)), trait))
    left_out = min(int(draw.uniform(0, LEFT_OUT) * len(order)), len(order) - least)
    return problem.rows(np.sort(order[left_out:]))


def _rescaled(problem: Problem, draw: np.random.Generator) -> Problem:
    """With distances that grow more slowly or faster on both sides of a value, or are stretched on one side of it."""
    low, high = np.quantile(problem.came, (0.1, 0.9))
    centre, unit = draw.choice(problem.came[:, 0]), max((high - low) / 2, 1e-3) * np.exp(draw.normal(0, SCALES))
    kind, side, stretch = draw.integers(3), draw.choice([-1, 1]), np.exp(draw.normal(0, SCALES))

    def rescale(values: Array) -> Array:
        away = (values - centre) / unit
        if kind == 0:
            return np.asarray(np.arcsinh(away))
        if kind == 1:
            return np.asarray(np.sinh(np.clip(away / 3, -6, 6)))
        return np.asarray(np.where(side * away > 0, away, stretch * away))

    runs = replace(problem.runs, points=rescale(problem.runs.points))
    return replace(problem, runs=runs, came=rescale(problem.came))

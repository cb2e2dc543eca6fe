"""What it costs, in epochs of a cell, to have trained one of the best hundredth of the cells to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtl_runs.studies.nas.predictors import PREDICTORS, Predictor, Rows, Trained

SHARE = 0.01
"""Of the cells, the best of which one is to be found."""

ETA = 3
"""Successive halving keeps one of so many."""


@dataclass(frozen=True)
class Found:
    """One search.

    Attributes:
        way: key of `WAYS`.
        split: seed of the order in which cells are drawn.
        cost: epochs trained, all cells together; infinity where it ended without any of the best.
    """

    way: str
    split: int
    cost: float


Way = Callable[[Trained, Rows], float]
"""A way to search: from the trained cells and their order to the epochs that it took."""


def best(trained: Trained) -> set[int]:
    """The best hundredth of the cells."""
    return set(np.argsort(trained.finals)[: max(round(SHARE * len(trained.finals)), 1)].tolist())


def first_of(rows: Sequence[int] | Rows, wanted: set[int]) -> int | None:
    """Place of the first of these rows that is wanted, from 1 on; None if none is."""
    return next((place for place, row in enumerate(rows, start=1) if int(row) in wanted), None)


def at_random(trained: Trained, rows: Rows) -> float:
    """Train one after the other."""
    place = first_of(rows, best(trained))
    return np.inf if place is None else float(place * trained.losses.shape[1])


def halving(size: int) -> Way:
    """Brackets of so many new cells, a third kept after 1, 3, 9 … epochs, until the last of one is among the best."""

    def cost(trained: Trained, rows: Rows) -> float:
        wanted, spent = best(trained), 0
        for begin in range(0, len(rows) - size + 1, size):
            found, epochs, _ = _bracket(trained, rows[begin : begin + size], wanted)
            spent += epochs
            if found:
                return float(spent)
        return np.inf

    return cost


def guided_halving(predictor: Predictor, size: int, rung: int) -> Way:
    """The same, but after the first bracket each takes the cells for which those before speak at a rung.

    What cells lost after a few epochs is known of many of them before one has ended: from these losses the predictor
    learns, and of the cells that nobody has trained it says the same.
    """

    def cost(trained: Trained, rows: Rows) -> float:
        wanted, spent, left = best(trained), 0, rows
        reached = np.zeros(len(trained.finals), dtype=np.int64)
        while len(left) >= size:
            known = np.flatnonzero(reached >= rung)
            if len(known):
                predicted = predictor(trained.until(rung), known, left, 0)
                left = left[np.argsort(predicted, kind="stable")]
            found, epochs, reached[left[:size]] = _bracket(trained, left[:size], wanted)
            spent, left = spent + epochs, rows[reached[rows] == 0]
            if found:
                return float(spent)
        return np.inf

    return cost


def _bracket(trained: Trained, rows: Rows, wanted: set[int]) -> tuple[bool, int, Rows]:
    """Successive halving of some cells.

    Returns:
        Whether one of the wanted ended first, the epochs that were trained by then, and those of each cell [N].
    """
    epochs, rung = trained.losses.shape[1], 1
    reached, alive = np.zeros(len(rows), dtype=np.int64), np.arange(len(rows))
    while len(alive) > 1 and rung < epochs:
        reached[alive] = rung
        alive = alive[np.argsort(trained.losses[rows[alive], rung - 1])[: max(len(alive) // ETA, 1)]]
        rung *= ETA
    for one in alive.tolist():
        reached[one] = epochs
        if int(rows[one]) in wanted:
            return True, int(reached.sum()), reached
    return False, int(reached.sum()), reached


def ranked_once(predictor: Predictor, finished: int, epochs: int) -> Way:
    """Train some cells to their ends and the others for a few epochs, rank these, and go on in this order."""

    def cost(trained: Trained, rows: Rows) -> float:
        wanted, horizon = best(trained), trained.losses.shape[1]
        if place := first_of(rows[:finished], wanted):
            return float(place * horizon)
        left = rows[finished:]
        predicted = predictor(trained, rows[:finished], left, epochs)
        place = first_of(left[np.argsort(predicted, kind="stable")], wanted)
        assert place is not None
        return float(finished * horizon + len(left) * epochs + place * (horizon - epochs))

    return cost


def ranked_again(predictor: Predictor, first: int, batch: int) -> Way:
    """Train some cells, then in turn rank the others by all that have finished, and train the best few of them."""

    def cost(trained: Trained, rows: Rows) -> float:
        wanted, horizon = best(trained), trained.losses.shape[1]
        done, left = rows[:first], rows[first:]
        place = first_of(done, wanted)
        while place is None:
            order = left[np.argsort(predictor(trained, done, left, 0), kind="stable")]
            place = first_of(order[:batch], wanted)
            if place is not None:
                place += len(done)
            done, left = np.concatenate([done, order[:batch]]), order[batch:]
        return float(place * horizon)

    return cost


def _ways() -> dict[str, Way]:
    last, trees, counts, ours = (
        PREDICTORS[name].predict
        for name in ("last value", "forest on the operations", "forest on the graph's statistics", "lcode")
    )
    return {
        "random search": at_random,
        "halving, brackets of 27": halving(27),
        "halving, brackets of 81": halving(81),
        **{f"last value of all after epoch {epochs}": ranked_once(last, 0, epochs) for epochs in (1, 2, 5)},
        **{f"forest, {n} finished": ranked_once(trees, n, 0) for n in (30, 100)},
        "forest on statistics, 30 finished": ranked_once(counts, 30, 0),
        **{f"forest, {n} finished, others after epoch 1": ranked_once(trees, n, 1) for n in (30, 100)},
        "forest, 30 finished, fitted again every 15": ranked_again(trees, 30, 15),
        **{
            f"brackets of 27, drawn by {name} at epoch {rung}": guided_halving(how, 27, rung)
            for name, how in (("a forest", trees), ("a forest on statistics", counts))
            for rung in (1, 3)
        },
        "brackets of 27, drawn by lcode at epoch 3": guided_halving(ours, 27, 3),
        "lcode, 30 finished": ranked_once(ours, 30, 0),
        "lcode, 30 finished, others after epoch 1": ranked_once(ours, 30, 1),
        "lcode, 100 finished": ranked_once(ours, 100, 0),
        "lcode, 30 finished, fitted again every 15": ranked_again(ours, 30, 15),
    }


WAYS: Mapping[str, Way] = _ways()
"""What is compared, by name."""


def find(trained: Trained, way: str, split: int) -> Found:
    """Search once."""
    rows = np.random.default_rng(split).permutation(len(trained.finals))
    return Found(way, split, WAYS[way](trained, rows))


def summary(rows: pd.DataFrame) -> str:
    """A line per way: median, quartiles and mean of the cost over orders, in Markdown.

    A search that found none of the best counts as one that cost more than all others, and has no mean.
    """
    lines = ["| | orders | median | quartiles | mean |", "|---|---|---|---|---|"]
    for way, own in rows.groupby("way", sort=False):
        low, middle, high = (float(own["cost"].quantile(q, interpolation="nearest")) for q in (0.25, 0.5, 0.75))
        mean = f"{own['cost'].mean():,.0f}" if np.isfinite(own["cost"]).all() else "–"
        lines.append(f"| {way} | {len(own)} | {middle:,.0f} | {low:,.0f} to {high:,.0f} | {mean} |")
    return "\n".join(lines)

"""How well cells are ranked before training and after a few epochs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lcode.evaluation.metrics import kendall
from mtl_runs.studies.nas.predictors import PREDICTORS, Array, Trained

MOST = max(max(entry.finished) for entry in PREDICTORS.values())
"""Cells that may have finished when others are ranked."""

ASKED = 300
"""Cells that are ranked, none of which has finished."""

EPOCHS = (0, 1, 2, 5)
"""Epochs that the others were trained for."""

RankingKey = tuple[str, int, int, int]
"""Predictor, split, finished cells, epochs."""


@dataclass(frozen=True)
class Ranked:
    """One ranking of `ASKED` cells.

    Attributes:
        predictor: key of `PREDICTORS`.
        split: seed of which cells have finished.
        finished: how many.
        epochs: that the others were trained for.
        tau: Kendall's τ with their losses at the end.
        regret: loss of the one ranked best minus that of the best, ÷ (median − best).
    """

    predictor: str
    split: int
    finished: int
    epochs: int
    tau: float
    regret: float


def rankings(splits: int) -> Iterator[RankingKey]:
    """All that is asked; of nothing that has been seen nothing is."""
    for split in range(splits):
        for name, entry in PREDICTORS.items():
            yield from ((name, split, n, epochs) for n in entry.finished for epochs in EPOCHS if n or epochs)


def ranked(trained: Trained, predictor: str, split: int, finished: int, epochs: int) -> Ranked:
    """Rank the cells of a split: they are the same however many have finished."""
    rows = np.random.default_rng(split).permutation(len(trained.finals))
    asked = rows[MOST : MOST + ASKED]
    predicted = PREDICTORS[predictor].predict(trained, rows[:finished], asked, epochs)
    truth = trained.finals[asked]
    return Ranked(predictor, split, finished, epochs, kendall(truth, predicted), regret(truth, predicted))


def regret(truth: Array, predicted: Array) -> float:
    """What the cell with the smallest prediction loses, as a share of median − best."""
    return float((truth[np.argmin(predicted)] - truth.min()) / (np.median(truth) - truth.min()))


def summary(rows: pd.DataFrame) -> str:
    """A line per predictor and number of finished cells: τ and regret, mean ± deviation over splits, in Markdown."""
    heads = [f"τ after {epochs}" for epochs in EPOCHS] + [f"regret after {epochs}" for epochs in EPOCHS]
    lines = ["| finished | | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    for (finished, name), own in rows.groupby(["finished", "predictor"], sort=True):
        cells = []
        for what, form in (("tau", ".3f"), ("regret", ".2f")):
            for epochs in EPOCHS:
                values = own.loc[own["epochs"] == epochs, what]
                cells.append(f"{values.mean():{form}} ± {values.std():{form}}" if len(values) else "–")
        lines.append(f"| {finished} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

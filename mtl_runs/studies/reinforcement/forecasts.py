"""How well the runs of a world are ranked after their first epochs, by the last values and by `lcode`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import lcode
from lcode.evaluation.metrics import kendall
from lcode.table import RunTable

Array = NDArray[np.float64]

FINISHED = 12
"""Runs that have ended where `lcode` is adapted to some; the others are ranked."""

SPLITS = 3
"""Draws of these."""

LAST, NONE, SOME = "last value", "lcode, none finished", f"lcode, {FINISHED} finished"


def conduct(folder: Path, looks: Sequence[int], split: int) -> pd.DataFrame:
    """Rank the finished runs of a world by their mean return at the end.

    Args:
        folder: of their logs.
        looks: epochs after which they are ranked.
        split: seed of which runs `lcode` is adapted to.

    Returns:
        A row per look and way to rank: `epoch, by`, Kendall's `tau`, and `regret`, what the run that was ranked first
        lacks of the best mean return.
    """
    table = lcode.read_logs(folder).with_status("finished")
    names = np.array(table.run_ids, dtype=object)
    returns = [metric.key for metric in table.metrics if metric.name == "return"]
    order = np.random.default_rng(split).permutation(len(names))
    known, asked = names[order[:FINISHED]], names[np.sort(order[FINISHED:])]
    models = {NONE: lcode.load(), SOME: lcode.fit(table.select(known), targets=returns)}
    truth = _means(table, returns, asked)
    rows: list[dict[str, Any]] = []
    for epoch in looks:
        begun = table.select(asked).prefix(epoch)
        scores = {LAST: _means(begun, returns, asked)}
        scores |= {by: _ends(model.predict(begun).final(), returns, asked) for by, model in models.items()}
        for by, own in scores.items():
            regret = float(truth.max() - truth[np.argmax(own)])
            rows.append({"epoch": epoch, "by": by, "tau": kendall(truth, own), "regret": regret})
    return pd.DataFrame(rows)


def _means(table: RunTable, keys: Sequence[str], names: NDArray[Any]) -> Array:
    """Mean of the last values of these curves, per run."""
    return np.array([np.mean([table.curve(run, key).values[-1] for key in keys]) for run in names])


def _ends(forecast: lcode.Forecast, keys: Sequence[str], names: NDArray[Any]) -> Array:
    """Mean of what these curves are expected to end with, per run."""
    columns = [column for column, metric in enumerate(forecast.metrics) if metric.key in keys]
    place = {run: row for row, run in enumerate(forecast.run_ids)}
    means: Array = forecast.mean()[[place[name] for name in names]][:, columns, 0].mean(1)
    return means

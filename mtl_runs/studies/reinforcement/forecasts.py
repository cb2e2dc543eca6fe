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
from lcode.forecasters import Forecaster
from lcode.table import RunTable

Array = NDArray[np.float64]

FINISHED = 12
"""Runs that have ended where `lcode` is adapted to some; the others are ranked."""

SPLITS = 3
"""Draws of these."""

LAST, NONE, SOME = "last value", "lcode, none finished", f"lcode, {FINISHED} finished"


def conduct(folder: Path, looks: Sequence[int]) -> pd.DataFrame:
    """Rank the finished runs of a world by their mean return at the end.

    Args:
        folder: of their logs.
        looks: epochs after which they are ranked.

    Returns:
        A row per split, look and way to rank: `split, epoch, by`, Kendall's `tau`, and `regret`, what the run that was
        ranked first lacks of the best mean return.
    """
    table = lcode.read_logs(folder).with_status("finished")
    names = np.array(table.run_ids, dtype=object)
    returns = [metric.key for metric in table.metrics if metric.name == "return"]
    finals = _means(table, returns, names)
    shipped = lcode.load()
    rows: list[dict[str, Any]] = []
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(names))
        asked = np.sort(order[FINISHED:])
        fitted = lcode.fit(table.select(names[order[:FINISHED]]), targets=returns)
        for epoch in looks:
            begun = table.select(names[asked]).prefix(epoch)
            predicted = {LAST: _means(begun, returns, names[asked])}
            predicted |= {
                by: _forecast(model, begun, returns, names[asked]) for by, model in ((NONE, shipped), (SOME, fitted))
            }
            for by, scores in predicted.items():
                truth = finals[asked]
                regret = float(truth.max() - truth[np.argmax(scores)])
                tau = kendall(truth, scores)
                rows.append({"split": split, "epoch": epoch, "by": by, "tau": tau, "regret": regret})
    return pd.DataFrame(rows)


def _means(table: RunTable, keys: Sequence[str], names: NDArray[Any]) -> Array:
    """Mean of the last values of these curves, per run."""
    return np.array([np.mean([table.curve(run, key).values[-1] for key in keys]) for run in names])


def _forecast(model: Forecaster, begun: RunTable, keys: Sequence[str], names: NDArray[Any]) -> Array:
    """Mean of what these curves are expected to end with, per run."""
    forecast = model.predict(begun).final()
    columns = [column for column, metric in enumerate(forecast.metrics) if metric.key in keys]
    place = {run: row for row, run in enumerate(forecast.run_ids)}
    means: Array = forecast.mean()[[place[name] for name in names]][:, columns, 0].mean(1)
    return means

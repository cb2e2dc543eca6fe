"""The planned ends of runs by their settings, for the logs of all tools alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.planned import planned_ends


def ends_by_settings(part: LogPart, configs: Mapping[str, Mapping[str, Any]], axis: str) -> NDArray[np.float64]:
    """The horizon that the settings of each run state, as its axis counts; NaN where they state none, [R].

    Args:
        part: the runs, their curves named as they were logged.
        configs: settings by run, in the order of the runs.
        axis: the column that counts.
    """
    by_epochs = axis.strip().lower() in EPOCHS
    return planned_ends([*configs.values()], _counts(part), by_epochs=by_epochs)


def _counts(part: LogPart) -> list[NDArray[np.float64]]:
    """The epochs at which each run was measured, as its axis counts; what a test alone told is none of them."""
    keys = [key for key in part.metrics if split_name(key)[0] != "test"] or list(part.metrics)
    points = part.points[part.points["metric"].isin(keys)]
    told = {str(run): np.unique(own.to_numpy()) for run, own in points.groupby("run", observed=True)["epoch"]}
    return [told.get(str(run), np.zeros(0)) * part.epoch_unit for run in part.runs.index]

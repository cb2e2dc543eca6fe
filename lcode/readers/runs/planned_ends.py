"""The planned ends of runs by their settings, for the logs of all tools alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.planned import planned_ends
from lcode.table.horizon import MIN_EVALUATIONS

SEVERAL = 2
"""Runs that a tool calls finished, from which on their common end is believed more than their settings."""


def ends_by_settings(
    part: LogPart, configs: Mapping[str, Mapping[str, Any]], axis: str, finished: Sequence[bool]
) -> NDArray[np.float64]:
    """The horizon that the settings of each run state, as its axis counts; NaN where they state none, [R].

    Args:
        part: the runs, their curves named as they were logged.
        configs: settings by run, in the order of the runs.
        axis: the column that counts.
        finished: which of them the tool itself calls finished.
    """
    by_epochs = axis.strip().lower() in EPOCHS
    counts = _counts(part)
    ends = planned_ends([*configs.values()], counts, by_epochs=by_epochs)
    reached = np.array([own[-1] if len(own) else 0.0 for own in counts])
    ended = reached[np.array(finished, dtype=bool)]
    if len(ended) >= SEVERAL and (ended == reached.max()).all():
        # As where a scheduler of Ray ends all trials at its own budget, or ten steps are told for a hundred epochs.
        ends[ends > reached.max() + 1] = np.nan
    return ends


def measured_at_the_end(
    part: LogPart, ends: NDArray[np.float64], axis: str, does_so: Sequence[bool]
) -> NDArray[np.bool_]:
    """Of which runs the last planned step is one at which they are measured, [R].

    What is measured at step 0 and every 250 steps from there on may be measured after all 2000 as well, or in a loop
    over `range(2000)`: what the program is, or another run that has come to step 2000, tells it.
    Epochs are passes that are counted from 0: of 20 of them number 20 does not come.

    Args:
        part: the runs.
        ends: the steps that are planned, NaN where nothing says it, [R].
        axis: the column that counts.
        does_so: whether the program of each run is known to do so.
    """
    if axis.strip().lower() in EPOCHS or np.isnan(ends).all():
        return np.zeros(len(ends), dtype=bool)
    found = []
    counts = _counts(part)
    told = {float(end) for own, end in zip(counts, ends, strict=True) if len(own) and own[0] == 0 and own[-1] == end}
    for own, end, always in zip(counts, ends, does_so, strict=True):
        every = int(np.gcd.reduce(own.astype(np.int64))) if len(own) >= MIN_EVALUATIONS and own[0] == 0 else 0
        found.append(every > 1 and bool(end % every == 0) and (always or float(end) in told))
    return np.array(found, dtype=bool)


def _counts(part: LogPart) -> list[NDArray[np.float64]]:
    """The epochs at which each run was measured, as its axis counts; what a test alone told is none of them."""
    keys = [key for key in part.metrics if split_name(key)[0] != "test"] or list(part.metrics)
    points = part.points[part.points["metric"].isin(keys)]
    told = {str(run): np.unique(own.to_numpy()) for run, own in points.groupby("run", observed=True)["epoch"]}
    return [told.get(str(run), np.zeros(0)) * part.epoch_unit for run in part.runs.index]

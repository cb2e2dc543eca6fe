"""Whether runs that were trained again are the stored ones, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtl_runs.corpus.collect import read_run
from mtl_runs.corpus.sample import Entry
from mtl_runs.corpus.stored import read_curves, read_runs


def differences(entries: Sequence[Entry], logs: Path, stored: Path) -> dict[str, str | None]:
    """What differs first between the log of each run and the stored corpus; None where nothing does.

    Compared are all values of all metrics, as float32, and all signals with the digits that are stored.

    Args:
        entries: which runs; those that are not over or have no log are left out.
        logs: folder of the run logs.
        stored: folder of the stored corpus.

    Raises:
        DataNotFoundError: there is no stored corpus.
    """
    fields = read_runs(stored)
    wanted = {entry.spec.run for entry in entries}
    curves: dict[str, dict[str, NDArray[np.float32]]] = {run: {} for run in wanted}
    for owner, curve, _, values in read_curves(stored):
        if owner in wanted:
            curves[owner][curve] = values
    found: dict[str, str | None] = {}
    for entry in entries:
        name = entry.spec.run
        read = read_run(logs / f"{name}.jsonl", entry)
        if read is None:
            continue
        run, _ = read
        if name not in fields.index:
            found[name] = "it is not in the stored corpus"
            continue
        row = fields.loc[name].to_dict()
        unequal = [key for key in ("seed", "arch", "horizon") if row[key] != run.row[key]]
        if unequal:
            found[name] = f"{unequal[0]} is {run.row[unequal[0]]} here, {row[unequal[0]]} in the stored corpus"
        else:
            found[name] = first_difference({**run.metrics, **run.signals}, curves[name])
    return found


def first_difference(here: Mapping[str, NDArray[np.float32]], stored: Mapping[str, NDArray[np.float32]]) -> str | None:
    """The earliest epoch at which two runs differ, in words; None if they are equal.

    Args:
        here: curve -> values at the epochs 1, 2, …; NaN equals NaN.
        stored: the same of the other run.
    """
    if here.keys() != stored.keys():
        return f"it has no curve '{min(here.keys() ^ stored.keys())}' on one of the two sides"
    first: tuple[int, str] | None = None
    for name, values in here.items():
        n = min(len(values), len(stored[name]))
        same = (values[:n] == stored[name][:n]) | (np.isnan(values[:n]) & np.isnan(stored[name][:n]))
        unequal = np.flatnonzero(~same)
        if len(unequal) and (first is None or unequal[0] < first[0]):
            first = int(unequal[0]), name
    if first is not None:
        at, name = first
        return f"{name} at epoch {at + 1} is {here[name][at]:.9g} here, {stored[name][at]:.9g} in the stored corpus"
    lengths = [(len(values), len(stored[name])) for name, values in here.items()]
    unlike = [pair for pair in lengths if pair[0] != pair[1]]
    return f"it ended at epoch {unlike[0][0]} here, {unlike[0][1]} in the stored corpus" if unlike else None

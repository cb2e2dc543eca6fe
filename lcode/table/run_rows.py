"""What is known of each run beside its curves, checked and completed: status, horizon, architecture, seed, settings.

Live runs become a table at every report, so what is looked at is whole columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.arguments import check_kind, found
from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table.points import numbers

RunStatus = Literal["running", "finished", "failed", "stopped"]
STATUSES: tuple[RunStatus, ...] = ("running", "finished", "failed", "stopped")

RUN_COLUMNS = ("status", "horizon", "arch", "seed")

_LONGEST = 2**53
"""Whole numbers up to here are exact as floats."""


def run_index(points: pd.DataFrame, runs: pd.DataFrame | None) -> pd.Index:
    """Names of the runs, as text, in their order: those that have a row, or else those of the points.

    Raises:
        UsageError: `runs` is no data frame with columns of `RUN_COLUMNS`, or two runs have one name.
    """
    if runs is not None:
        check_kind("runs", runs, pd.DataFrame, f"a data frame with the columns {', '.join(RUN_COLUMNS)}")
        strange = [name for name in runs.columns if name not in RUN_COLUMNS]
        if strange:
            raise UsageError(
                f"runs has a column {strange[0]!r}; its columns are {', '.join(RUN_COLUMNS)}, indexed by the run's "
                "name: rename it, or leave it out (hyper-parameters are given as configs)"
            )
        if not runs.columns.is_unique:
            raise UsageError(f"runs has two columns '{runs.columns[runs.columns.duplicated()][0]}'; leave one out")
    named = points["run"].unique() if runs is None else runs.index
    index = pd.Index([str(name) for name in named], name="run", dtype=object)
    if not index.is_unique:
        raise UsageError(f"two runs are called '{index[index.duplicated()][0]}': give each a name of its own")
    return index


def run_rows(
    runs: pd.DataFrame | None, index: pd.Index, points: pd.DataFrame, graphs: Mapping[str, ArchGraph]
) -> pd.DataFrame:
    """A row for each run.

    Args:
        runs: what was given, in the order of the index.
        index: names of the runs.
        points: of these runs, tidied.
        graphs: by architecture, or by the name of a run.

    Raises:
        UsageError: no such status, or a horizon that is no whole number of at least 0.
    """
    given = pd.DataFrame(index=index) if runs is None else runs
    last = np.full(len(index), np.nan)
    np.fmax.at(last, points["run"].array.codes, points["epoch"].to_numpy(float))
    # Epoch 0 alone is the state before the training.
    longest = max(int(np.nanmax(last)), 1) if np.isfinite(last).any() else 1
    planned = _horizons(given, index)
    # A run that outlived its plan moved its horizon.
    horizon = np.fmax(np.where(np.isnan(planned), longest, planned), last).astype(np.int64)
    # A graphs file may name runs instead of architectures.
    own_graphs = [run if run in graphs else None for run in index]
    status = _completed(given, "status", index, np.where(last >= horizon, "finished", "running"))
    for run, named in zip(index, status.to_list(), strict=True):
        if named not in STATUSES:
            raise UsageError(f"run '{run}': the status is {found(named)}; it is one of {', '.join(STATUSES)}")
    described = {
        "status": status,
        "horizon": pd.Series(horizon, index=index),
        "arch": _completed(given, "arch", index, own_graphs),
        "seed": _completed(given, "seed", index, [None] * len(index)),
    }
    return pd.DataFrame(described, index=index)


def settings_of(configs: pd.DataFrame | None, index: pd.Index) -> pd.DataFrame:
    """The hyper-parameters of these runs, in their order.

    Raises:
        UsageError: no data frame; two hyper-parameters, or two rows, of one name; rows for none of the runs; a value
            that is neither number nor text.
    """
    if configs is None:
        return pd.DataFrame(index=index)
    check_kind("configs", configs, pd.DataFrame, "a data frame with a column per setting, indexed by the run's name")
    names = pd.Index([str(name) for name in configs.columns], dtype=object)
    if not names.is_unique:
        raise UsageError(f"two hyper-parameters are called '{names[names.duplicated()][0]}': rename one of them")
    for name, column in configs.items():
        mixed = column if column.dtype == object else ()
        odd = [value for value in mixed if isinstance(value, list | dict | set | np.ndarray)]
        if odd:
            raise UsageError(
                f"the hyper-parameter '{name}' has a {type(odd[0]).__name__} for a value, {str(odd[0])[:40]}; give a "
                "number or a text for each run, such as a column per part"
            )
    if configs.index.equals(index):
        return configs.set_axis(index)
    rows = pd.Index([str(name) for name in configs.index], dtype=object)
    if not rows.is_unique:
        raise UsageError(f"configs has two rows for run '{rows[rows.duplicated()][0]}'; leave one of them out")
    if len(rows) and len(names) and len(index) and not rows.isin(index).any():
        raise UsageError(
            f"configs has rows for {_some(rows)}, and none for the runs {_some(index)}; index it by the run's name, "
            "such as configs.set_index('run')"
        )
    return configs.set_axis(rows).reindex(index)


def _horizons(given: pd.DataFrame, index: pd.Index) -> NDArray[np.float64]:
    """The planned last epochs, NaN where none is given."""
    if "horizon" not in given:
        return np.full(len(index), np.nan)
    said = numbers(given["horizon"], lambda place: f"run '{index[place]}': the horizon")
    wrong = ~(np.isnan(said) | ((said >= 0) & (said == np.floor(said)) & (said <= _LONGEST)))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise UsageError(
            f"run '{index[place]}': the horizon is {said[place]:g}; give the planned last epoch, a whole number as "
            "the epochs of the points are"
        )
    return said


def _completed(
    runs: pd.DataFrame, column: str, index: pd.Index, otherwise: Sequence[str | None] | NDArray[np.str_]
) -> pd.Series:
    """A column of what is known of the runs, with something else for those of which it says nothing."""
    values = np.array(otherwise, dtype=object)
    if column in runs:
        said = runs[column].to_numpy(object)
        values = np.where(pd.isna(said), values, said)
    return pd.Series(values, index=index, dtype=object)


def _some(names: pd.Index) -> str:
    """The first few names, for a message."""
    return ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")

"""The long frames of a table, its points and its signals: categorical run and metric, sorted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from lcode.table.axis import as_ticks


def empty_points() -> pd.DataFrame:
    """A frame of points without a point."""
    return pd.DataFrame(
        {
            "run": np.empty(0, dtype=object),
            "epoch": np.empty(0, dtype=np.int64),
            "metric": np.empty(0, dtype=object),
            "value": np.empty(0),
        }
    )


def tidied(points: pd.DataFrame, runs: list[str], keys: list[str]) -> pd.DataFrame:
    """Points with categorical run and metric, sorted by run, metric and epoch."""
    runs_at, keys_at = pd.Index(runs, dtype=object), pd.Index(keys, dtype=object)
    run, metric = _places(points["run"], runs_at), _places(points["metric"], keys_at)
    epoch, value = points["epoch"].to_numpy(), points["value"].to_numpy(float)
    epoch = epoch if epoch.dtype == np.int64 else as_ticks(epoch, 1.0)
    order = np.lexsort((epoch, metric, run))
    if np.any(np.diff(order) != 1):
        run, metric, epoch, value = run[order], metric[order], epoch[order], value[order]
    return pd.DataFrame(
        {"run": _categorical(run, runs_at), "epoch": epoch, "metric": _categorical(metric, keys_at), "value": value}
    )


def _places(column: pd.Series, among: pd.Index) -> NDArray[np.intp]:
    """Where each name of the column is, -1 for one that is not there; what is categorical is not turned into text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        held = column.array
        return np.append(among.get_indexer(_as_text(held.categories)), -1)[held.codes]
    return among.get_indexer(_as_text(column))


def _categorical(places: NDArray[np.intp], categories: pd.Index) -> pd.Categorical:
    return pd.Categorical.from_codes(places, categories=categories, validate=False)


def _as_text(values: pd.Series | pd.Index) -> pd.Index:
    """The values as text; what is text already is left alone, for to convert it takes longer than all the rest."""
    if values.dtype == object and infer_dtype(values, skipna=False) in ("string", "empty"):
        return pd.Index(values, dtype=object)
    return pd.Index(values.astype(str), dtype=object)


def restrict(points: pd.DataFrame, runs: list[str]) -> pd.DataFrame:
    """The points of these runs only, in their order."""
    return tidied(points[points["run"].isin(runs)], runs, list(points["metric"].cat.categories))


def before(points: pd.DataFrame, limits: pd.Series) -> pd.DataFrame:
    """The points up to each run's limit, which is given in the order of the runs' categories."""
    codes = points["run"].cat.codes.to_numpy()
    return points[points["epoch"].to_numpy() <= limits.to_numpy()[codes]].reset_index(drop=True)


def plain(points: pd.DataFrame) -> pd.DataFrame:
    """The points with run and metric as text."""
    return points.astype({"run": object, "metric": object})

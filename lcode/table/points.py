"""The long frames of a table, its points and its signals: categorical run and metric, sorted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from lcode.table.axis import as_ticks


def empty_points() -> pd.DataFrame:
    """A frame of points without a point."""
    return pd.DataFrame(
        {
            "run": pd.Series(dtype=object),
            "epoch": pd.Series(dtype=np.int64),
            "metric": pd.Series(dtype=object),
            "value": pd.Series(dtype=float),
        }
    )


def tidied(points: pd.DataFrame, runs: list[str], keys: list[str]) -> pd.DataFrame:
    """Points with categorical run and metric, sorted by run, metric and epoch."""
    run, metric = _categories(points["run"], runs), _categories(points["metric"], keys)
    epoch = points["epoch"].to_numpy()
    epoch = epoch if epoch.dtype == np.int64 else as_ticks(epoch, 1.0)
    tidy = pd.DataFrame({"run": run, "epoch": epoch, "metric": metric, "value": points["value"].to_numpy(float)})
    order = np.lexsort((epoch, metric.codes, run.codes))
    return tidy if np.all(np.diff(order) == 1) else tidy.take(order).reset_index(drop=True)


def _categories(column: pd.Series, categories: list[str]) -> pd.Categorical:
    """The column with these categories; one that is categorical already is not turned into text first."""
    wanted = pd.Index(categories, dtype=object)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = wanted.get_indexer(_as_text(column.cat.categories))
        return pd.Categorical.from_codes(np.append(codes, -1)[column.cat.codes], categories=wanted)
    return pd.Categorical.from_codes(wanted.get_indexer(_as_text(column)), categories=wanted)


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

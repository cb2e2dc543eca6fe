"""The long frames of a table, its points and its signals: categorical run and metric, sorted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from lcode.arguments import check_kind, found
from lcode.errors import UsageError
from lcode.table.axis import as_ticks

POINT_COLUMNS = ("run", "epoch", "metric", "value")


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


def tidied(points: pd.DataFrame, runs: list[str], keys: list[str], *, name: str = "points") -> pd.DataFrame:
    """Points with categorical run and metric, sorted by run, metric and epoch.

    Args:
        points: with the columns `POINT_COLUMNS`.
        runs: the categories of `run`.
        keys: the categories of `metric`.
        name: what messages call the points.

    Raises:
        UsageError: an epoch that is no whole number, or a value that is no number.
    """

    def of(column: str) -> Callable[[int], str]:
        return lambda place: f"{name}: {column} of run '{points['run'].iloc[place]}', '{points['metric'].iloc[place]}',"

    runs_at, keys_at = pd.Index(runs, dtype=object), pd.Index(keys, dtype=object)
    run, metric = _places(points["run"], runs_at), _places(points["metric"], keys_at)
    epoch, value = points["epoch"].to_numpy(), numbers(points["value"], of("value"))
    epoch = epoch if epoch.dtype == np.int64 else as_ticks(numbers(points["epoch"], of("epoch")), 1.0)
    order = np.lexsort((epoch, metric, run))
    if np.any(np.diff(order) != 1):
        run, metric, epoch, value = run[order], metric[order], epoch[order], value[order]
    return pd.DataFrame(
        {"run": _categorical(run, runs_at), "epoch": epoch, "metric": _categorical(metric, keys_at), "value": value}
    )


def check_points(name: str, points: pd.DataFrame) -> None:
    """Refuse what has not the form of points; of the rows nothing is looked at but whether each has a run.

    Raises:
        UsageError: the text says what was found and what to give.
    """
    check_kind(name, points, pd.DataFrame, f"a data frame with the columns {', '.join(POINT_COLUMNS)}")
    columns = points.columns.to_list()
    for column in POINT_COLUMNS:
        if columns.count(column) != 1:
            what = "two columns" if column in columns else "no column"
            raise UsageError(
                f"{name} has {what} '{column}'; there are: {', '.join(map(str, columns)) or 'none'}; give "
                f"{', '.join(POINT_COLUMNS)}, a row for each value"
            )
    if points["run"].hasnans:
        raise UsageError(f"{name} has a row whose run is missing; give each the name of its run")


def given_points(
    name: str, points: pd.DataFrame, runs: list[str], keys: list[str], *, last_counts: bool = False
) -> pd.DataFrame:
    """Points from outside, tidied, each once.

    Args:
        name: what messages call them.
        points: see `check_points`.
        runs: the names of the runs.
        keys: of the metrics.
        last_counts: of several values at one place, the last counts: refused otherwise.

    Raises:
        UsageError: see `tidied`; a run or a metric that there is not, an epoch below 0, or several values at one place.
    """
    tidy = tidied(points, runs, keys, name=name)
    run, metric = tidy["run"].array.codes, tidy["metric"].array.codes
    epoch, value = tidy["epoch"].to_numpy(), tidy["value"].to_numpy()
    if run.min(initial=0) < 0:
        strange = _first_unknown(points["run"], runs)
        raise UsageError(f"{name} has values of run '{strange}', and runs has no row for it; give one for each run")
    if metric.min(initial=0) < 0:
        raise UsageError(
            f"{name} has values of '{_first_unknown(points['metric'], keys)}', which is none of the metrics "
            f"({', '.join(keys) or 'none'}); give its Metric as well, or leave its rows out"
        )

    def place(row: int) -> str:
        return f"{name}: run '{runs[run[row]]}', '{keys[metric[row]]}'"

    if epoch.min(initial=0) < 0:
        row = int(np.argmin(epoch))
        raise UsageError(f"{place(row)}: epoch {epoch[row]} is below 0; count from 0, the state before the training")
    again = (run[1:] == run[:-1]) & (metric[1:] == metric[:-1]) & (epoch[1:] == epoch[:-1])
    if not again.any():
        return tidy
    one, other = value[:-1], value[1:]
    differ = again & (one != other) & ~(np.isnan(one) & np.isnan(other))
    if differ.any() and not last_counts:
        row = int(np.argmax(differ))
        raise UsageError(
            f"{place(row)} is {one[row]:g} and {other[row]:g} at epoch {epoch[row]}; give one value for each epoch, or "
            "each training a name of its own"
        )
    return tidy[np.append(~again, True)].reset_index(drop=True)


def numbers(column: pd.Series, of: Callable[[int], str]) -> NDArray[np.float64]:
    """A column as floats, NaN where it says nothing.

    Args:
        column: numbers, truth values, or the text of numbers.
        of: what a message calls the entry at a place.

    Raises:
        UsageError: an entry is no number; the text says which.
    """
    kind = column.dtype.kind
    if isinstance(column.dtype, np.dtype) and kind in "biuf":
        return column.to_numpy(float)
    if kind not in "cmM":  # complex numbers would lose a part, and times become nanoseconds
        try:
            return column.to_numpy(float, na_value=np.nan)
        except (TypeError, ValueError):
            pass
    for place, entry in enumerate(column):
        if not _is_number(entry):
            raise UsageError(f"{of(place)} is {found(entry)}; give a number")
    return column.astype(object).to_numpy(float, na_value=np.nan)


def _is_number(entry: object) -> bool:
    """Whether an entry can stand for a number, or for none."""
    if entry is None or entry is pd.NA:
        return True
    try:
        return not isinstance(entry, complex) and float(entry) is not None  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _first_unknown(column: pd.Series, known: list[str]) -> str:
    return next(name for name in map(str, column) if name not in known)


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

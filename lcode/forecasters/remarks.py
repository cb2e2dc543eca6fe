"""What the user should know of a forecast: architectures and settings of which nothing was learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.collate import Preprocessor, used_graphs
from lcode.curves.config import ConfigEncoder
from lcode.graphs import unknown_ops
from lcode.table import RunTable

Array = NDArray[np.float64]

MARGIN = 0.1
"""Share of the range of the finished runs' settings by which another may lie outside before it is told: where settings
are drawn at random the next one often lies a little outside."""

LISTED = 3
"""Settings that are named at most."""


def graph_remarks(read: Preprocessor, table: RunTable) -> list[str]:
    """Operations never seen, or graphs that are not there, where a model has learned from graphs."""
    if read.ops is None:
        return []
    graphs = used_graphs(table)
    remarks = []
    unknown = unknown_ops(graphs.values(), read.ops)
    if unknown:
        listed = ", ".join(f"{op} ({count} nodes)" for op, count in unknown.items())
        remarks.append(f"operations that the model never saw, read as one unknown kind: {listed}.")
    without = int((~table.runs["arch"].isin(list(graphs))).sum())
    if without:
        remarks.append(
            f"the model learned from architecture graphs, and {without} of {len(table)} runs have none: their "
            "forecasts are poorer; give them with --graphs."
        )
    return remarks


def settings_remarks(finished: pd.DataFrame, table: RunTable) -> list[str]:
    """Settings of runs without an epoch that no finished run came near: what they lead to can only be guessed.

    Args:
        finished: configurations of the finished runs that are learned from.
        table: the runs to forecast. Of those that have begun their curves say more than their settings.
    """
    begun = table.points.loc[table.points["value"].notna(), "run"].unique()
    asked = table.configs.loc[~table.configs.index.isin(begun)]
    told = list(_unlike(finished, asked)) if len(asked) else []
    if not told:
        return []
    more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
    return [
        "settings of runs without an epoch that no finished run came near, so that their forecasts are little more "
        f"than guesses: {'; '.join(told[:LISTED])}{more}."
    ]


def _unlike(finished: pd.DataFrame, asked: pd.DataFrame) -> Iterator[str]:
    """What is far from the finished runs, a text per setting."""
    columns = {column.name: column for column in ConfigEncoder.fit(finished).columns}
    for name in map(str, asked.columns.intersection(finished.columns)):
        column = columns.get(name)
        if column is not None and not column.categories:
            known, given = (pd.to_numeric(part[name], errors="coerce").to_numpy(float) for part in (finished, asked))
            far = _far(known[np.isfinite(known)], given[np.isfinite(given)], log=column.log)
            if len(far):
                ends = f"{np.nanmin(known):g} to {np.nanmax(known):g}"
                yield f"{name} {_some([f'{value:g}' for value in far])} (finished: {ends})"
            continue
        names, others = (_names(part[name]) for part in (finished, asked))
        new = sorted(others[key] for key in others.keys() - names.keys())
        if names and new:
            alone = " alone, so it is not looked at" if column is None else ""
            yield f"{name} {_some(new)} (finished: {_some(sorted(names.values()))}{alone})"


def _names(values: pd.Series) -> dict[str, str]:
    """Texts of the values by what they are compared as: `32` and 32.0, `True` and true are the same."""
    texts = values.dropna().astype(str)
    numbers = pd.to_numeric(texts, errors="coerce")
    return {
        text.strip().casefold() if np.isnan(number) else f"{number:.9g}": text
        for text, number in zip(texts, numbers, strict=True)
    }


def _far(known: Array, given: Array, *, log: bool) -> list[float]:
    """The given numbers that lie outside the known ones by more than a margin, ascending."""
    scale: Callable[[Array], Array] = _log if log else np.asarray
    placed, ends = scale(given), scale(np.array([known.min(), known.max()]))
    margin = MARGIN * (ends[1] - ends[0])
    near = (placed >= ends[0] - margin) & (placed <= ends[1] + margin)
    return sorted(set(given[~near].tolist()))


def _log(values: Array) -> Array:
    return np.log(np.where(values > 0, values, np.nan))


def _some(values: list[str]) -> str:
    return ", ".join(values[:LISTED]) + (", …" if len(values) > LISTED else "")

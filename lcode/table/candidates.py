"""Runs that have not begun: a configuration, perhaps an architecture, and nothing observed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lcode.arguments import as_config, check_kind, check_names
from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table.axis import as_ticks, check_horizon
from lcode.table.given import check_table
from lcode.table.points import empty_points
from lcode.table.table import RunTable

CONFIG = "config."
"""Begins a column of logs that holds a setting; it is no part of the setting's name."""

_NAME = "candidate "


def candidates(
    configs: Sequence[Mapping[str, Any]] | pd.DataFrame,
    graphs: Sequence[ArchGraph | None] | None = None,
    *,
    like: RunTable,
    horizon: float | None = None,
    names: Sequence[str] | None = None,
) -> RunTable:
    """Candidates for the next runs of a sweep, to be forecast and ranked beside those that have begun.

    Args:
        configs: hyper-parameters of each candidate, named as in `like` or as a column of logs is (`config.lr`); of a
            data frame each row is a candidate, and its index names it. A name that no run of `like` has is a new
            setting, of which a warning tells: nothing is known of what it does.
        graphs: architecture of each candidate; None for one without.
        like: the runs so far, whose metrics are to be forecast. A second batch is made like both of them and the first.
        horizon: planned last epoch, as the user counts; default: the longest of `like`.
        names: of the candidates; default: the index of a data frame, or `candidate 1`, `candidate 2`, …, going on from
            those that `like` has.

    Returns:
        A table of the candidates alone; `like.concat(…)` has both, and the finished runs are learned from.

    Raises:
        UsageError: no candidate, or none that is a configuration; as many graphs and names as candidates are needed; a
            name that `like` has already; no horizon is known, or it is none.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> new = lcode.candidates([{"lr": 0.01}, {"lr": 0.3}], like=table)
        >>> forecast = lcode.forecaster("trees").fit(table).predict(new)
        >>> forecast.status.tolist()  # 2 candidates, 2 metrics
        [['ok', 'ok'], ['ok', 'ok']]
    """
    check_table("like", like)
    rows, called = _rows(configs, like)
    if names is not None:
        check_names("names", names, "the names of the candidates, such as ['wide', 'narrow']")
        called = [str(name) for name in names]
    if len(called) != len(rows):
        raise UsageError(f"{len(called)} names for {len(rows)} candidates; give one for each")
    if graphs is not None and len(graphs) != len(rows):
        raise UsageError(f"{len(graphs)} graphs for {len(rows)} candidates; give one for each, None for none")
    taken = sorted(set(called) & set(like.run_ids))
    if taken or len(set(called)) < len(called):
        raise UsageError(f"a run is called '{taken[0]}' already" if taken else "two candidates have one name")
    if horizon is None and not len(like):
        raise UsageError("no run to take the horizon from; say horizon=N, the planned last epoch")
    if horizon is not None:
        check_horizon(horizon)
    end = int(like.runs["horizon"].max()) if horizon is None else int(as_ticks(horizon, like.epoch_unit))
    known = zip(called, graphs or (), strict=False)
    return RunTable.from_points(
        empty_points(),
        like.metrics,
        runs=pd.DataFrame({"status": "running", "horizon": end}, index=called),
        configs=rows.set_axis(pd.Index(called, dtype=object)),
        graphs={name: graph for name, graph in known if graph is not None},
        epoch_unit=like.epoch_unit,
    )


def _rows(configs: object, like: RunTable) -> tuple[pd.DataFrame, list[str]]:
    """A row of settings for each candidate, named as those of the runs so far, and the candidates' names.

    Raises:
        UsageError: no candidate, or what is no configuration.
    """
    if isinstance(configs, pd.DataFrame):
        rows, called = configs, [str(name) for name in configs.index]
    else:
        check_kind("configs", configs, Sequence, "a list of configurations, such as [{'lr': 0.01}, {'lr': 0.3}]")
        assert isinstance(configs, Sequence)
        before = [run.removeprefix(_NAME) for run in like.run_ids if run.startswith(_NAME)]
        first = 1 + max((int(number) for number in before if number.isdecimal()), default=0)
        called = [f"{_NAME}{number}" for number in range(first, first + len(configs))]
        rows = pd.DataFrame([as_config(config, name) for config, name in zip(configs, called, strict=True)])
    if not len(rows):
        raise UsageError("no candidate is given; give at least one configuration")
    own = {name: _setting(str(name), like) for name in rows.columns}
    twice = [name for name in own.values() if [*own.values()].count(name) > 1]
    if twice:
        raise UsageError(
            f"the setting '{twice[0]}' is given twice, once as '{CONFIG}{twice[0]}'; leave one of them out"
        )
    known = like.configs.columns[like.configs.notna().any()].astype(str).tolist()
    new = [name for name in own.values() if name not in known]
    if new and known:
        told = ", ".join(f"'{name}'" for name in new)
        warnings.warn(
            f"no run so far has the setting {told}, so nothing is known of what it does; there are: {', '.join(known)}",
            stacklevel=3,
        )
    return rows.rename(columns=own), called


def _setting(name: str, like: RunTable) -> str:
    """The setting that a name stands for: `lr` for the column `config.lr`, unless a setting is called so itself."""
    return name if name in like.configs.columns else name.removeprefix(CONFIG)

"""Runs that have not begun: a configuration, perhaps an architecture, and nothing observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table.axis import as_ticks
from lcode.table.points import empty_points
from lcode.table.table import RunTable


def candidates(
    configs: Sequence[Mapping[str, Any]] | pd.DataFrame,
    graphs: Sequence[ArchGraph | None] | None = None,
    *,
    like: RunTable,
    horizon: float | None = None,
) -> RunTable:
    """Candidates for the next runs of a sweep, to be forecast and ranked beside those that have begun.

    Args:
        configs: hyper-parameters of each candidate, named as in `like`; of a data frame each row is a candidate, and
            its index names it. Names are `candidate 1`, `candidate 2`, … otherwise.
        graphs: architecture of each candidate; None for one without.
        like: the runs so far, whose metrics are to be forecast.
        horizon: planned last epoch, as the user counts; default: the longest of `like`.

    Returns:
        A table of the candidates alone; `like.concat(…)` has both, and the finished runs are learned from.

    Raises:
        UsageError: no candidate, as many graphs as candidates are needed, a name that `like` has already, or no
            horizon is known.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> new = lcode.candidates([{"lr": 0.01}, {"lr": 0.3}], like=table)
        >>> forecast = lcode.forecaster("trees").fit(table).predict(new)
        >>> forecast.status.tolist()  # 2 candidates, 2 metrics
        [['ok', 'ok'], ['ok', 'ok']]
    """
    rows = configs if isinstance(configs, pd.DataFrame) else pd.DataFrame([dict(config) for config in configs])
    if not len(rows):
        raise UsageError("no candidate is given; give at least one configuration")
    named = isinstance(configs, pd.DataFrame)
    names = [str(name) if named else f"candidate {number}" for number, name in enumerate(rows.index, start=1)]
    if graphs is not None and len(graphs) != len(names):
        raise UsageError(f"{len(graphs)} graphs for {len(names)} candidates; give one for each, None for none")
    taken = sorted(set(names) & set(like.run_ids))
    if taken or len(set(names)) < len(names):
        raise UsageError(f"a run is called '{taken[0]}' already" if taken else "two candidates have one name")
    if horizon is None and not len(like):
        raise UsageError("no run to take the horizon from; say horizon=N, the planned last epoch")
    end = int(like.runs["horizon"].max()) if horizon is None else int(as_ticks(horizon, like.epoch_unit))
    known = zip(names, graphs or (), strict=False)
    return RunTable.from_points(
        empty_points(),
        like.metrics,
        runs=pd.DataFrame({"status": "running", "horizon": end}, index=names),
        configs=rows.set_axis(pd.Index(names, dtype=object)),
        graphs={name: graph for name, graph in known if graph is not None},
        epoch_unit=like.epoch_unit,
    )

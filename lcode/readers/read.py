"""From a file or a folder of logs to the table of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lcode.arguments import check_kind, check_names
from lcode.errors import InputError, UsageError
from lcode.graphs.arch import ArchGraph
from lcode.readers.choices import Choices
from lcode.readers.part import LogPart
from lcode.readers.raw import RawTable, as_number, as_text
from lcode.readers.remarks import between_remarks, gap_remarks, name_remarks, stand_in_remarks
from lcode.readers.runs.never_measured import without_never_measured
from lcode.readers.runs.pending import without_pending
from lcode.readers.runs.repeats import OnRepeat
from lcode.readers.sources import read_part, read_rows
from lcode.readers.understanding.column_words import tells_time
from lcode.readers.understanding.courses import falling_scores
from lcode.readers.understanding.curves import Curves, as_understood
from lcode.readers.understanding.directions import settle_directions
from lcode.readers.understanding.horizons import settle_horizons
from lcode.readers.understanding.name_settings import with_named_settings
from lcode.readers.understanding.rates import Rates, planned, rate_remarks, with_constant_rates
from lcode.show import counted
from lcode.table.axis import check_horizon
from lcode.table.metric import Direction
from lcode.table.reading import listed
from lcode.table.table import RunTable


def read_logs(
    path: str | Path,
    *,
    graphs: str | Path | None = None,
    directions: Mapping[str, Direction] | None = None,
    targets: Sequence[str] | None = None,
    known: Mapping[str, Direction] | None = None,
    horizon: float | None = None,
    on_repeat: OnRepeat = "error",
    rates: Rates = "plan",
    choices: Choices | None = None,
    rows: RawTable | None = None,
) -> RunTable:
    """Read training logs of any supported format.

    Args:
        path: a table (`.csv`, `.parquet`, `.jsonl`; wide or long), a run log, or a folder of tables of one format or
            of run logs, or of another tool's runs; folders within are searched as well.
        graphs: a JSON file of architecture graphs, by architecture or by run.
        directions: `min` or `max` by `task/metric`, or by a bare metric name for every task that has it. What is not
            stated comes from the run logs, or is inferred from well-known names, which `RunTable.notes` then says.
        known: directions by key to fall back on where neither the user nor the log says; others do not matter.
        targets: metrics that are to be forecast; each must exist, and other curves of unknown direction are left out
            instead of being refused.
        horizon: planned last epoch of all runs, stronger than what the logs say; with epochs 0 … N − 1, N epochs as in
            `range(N)`.
        on_repeat: what to do where a run has two different values for one epoch: `error`, or `last`: the later rows
            count, and where a run went back to an earlier epoch, as after a resume, all that it had logged from that
            epoch on is left out. Of several rows of one epoch, each column's last value counts.
        rates: what the learning rates in the rows are. `plan`: they were planned before the training, so that those of
            all rows are the run's schedule, which it keeps whole when it is cut at an earlier epoch
            (`RunTable.prefix`); one that is logged only up to now is a schedule up to now. `measured`: they react to
            the training (reduced on a plateau, say) and are a signal. A plan in a run log's header is a plan anyway.
        choices: what the user says of how columns are to be understood; default: as guessed.
        rows: some whole runs of the table at `path`, which are read instead of all; see `lcode.readers.long`.

    Raises:
        InputError: logs that cannot be read as they stand; the message names file, line and column, and the remedy.
        UsageError: a direction or a target that fits no metric, or an argument of another type.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> len(table), [metric.key for metric in table.metrics]
        (12, ['seg/miou', 'depth/abs_err'])
    """
    _check_given(path, graphs, directions, targets, known)
    path = Path(path)
    if on_repeat not in ("error", "last"):
        raise UsageError(f"on_repeat is 'error' or 'last', not '{on_repeat}'")
    if rates not in ("plan", "measured"):
        raise UsageError(f"rates is 'plan' or 'measured', not '{rates}'")
    if horizon is not None:
        check_horizon(horizon)
    stated = {*(directions or ()), *(targets or ())}
    if rows is None:
        part, reading = read_part(path, choices or Choices(), stated, on_repeat)
    else:
        part, reading = read_rows(rows, path, choices or Choices(), stated, on_repeat)
    part = with_constant_rates(without_never_measured(without_pending(part), stated))
    part, of_names = with_named_settings(part, choices or Choices())
    part, told = settle_horizons(part, horizon)
    measured = set(part.points["metric"].unique())
    metrics, notes, unknown = settle_directions(
        part.metrics,
        measured,
        directions or {},
        targets,
        path,
        known,
        may_lack=part.by_tools,
        sources=[*reading.sources],
        falling=falling_scores(part.points, [key for key, direction in part.metrics.items() if direction is None]),
    )
    clocks = [key for key in unknown if tells_time(key)]
    part, kept = _with_signals(part, [metric.key for metric in metrics], [key for key in unknown if key not in clocks])
    reading = replace(reading, left_out={**reading.left_out, **dict.fromkeys(clocks, "clock")}, of_names=of_names)
    if not metrics:
        raise InputError(
            f"no curve holds a value that is to be scored (read as {', '.join(reading.sources)}); read it after the "
            "first evaluation, or score what there is with --only",
            path=path,
        )
    known_graphs: dict[str, ArchGraph] = dict(part.graphs)
    if graphs is not None:
        from lcode.graphs.file import read_graphs

        given = read_graphs(Path(graphs))
        known_graphs.update(given)
    runs = _with_own_graphs(part.runs, known_graphs)
    if graphs is not None:
        if given and given.keys().isdisjoint(runs["arch"]):
            raise InputError(
                f"no run of these logs has an architecture or a name that it has a graph for; its keys are "
                f"{listed(list(given))}, the runs are {listed(list(runs.index))}",
                path=Path(graphs),
            )
        missing = [arch for arch in dict.fromkeys(runs["arch"]) if arch is not None and arch not in known_graphs]
        if missing:
            notes.append(f"no graph for these architectures in {Path(graphs).name}: {', '.join(missing[:10])}.")
        without = runs.index[runs["arch"].isna()].tolist()
        if without:
            notes.append(f"no graph in {Path(graphs).name} for {counted(len(without), 'run')}: {listed(without)}.")
    keys = [metric.key for metric in metrics]
    points = part.points
    if len(keys) < len(part.metrics):
        points = points[points["metric"].isin(keys)]
    assumed = part.runs["horizon"].isna() & part.runs["status"].fillna("running").eq("running")
    table = RunTable.from_points(
        points,
        metrics,
        runs=runs,
        configs=_config_frame(part.configs),
        graphs=known_graphs,
        signals=part.signals,
        schedules=planned(part.schedules, part.rates, rates),
        notes=(*part.notes, *told, *notes, *kept),
        epoch_unit=part.epoch_unit,
        reading=replace(reading, assumed_horizon=bool(assumed.any())),
    )
    remarks = (
        *gap_remarks(table), *stand_in_remarks(table), *name_remarks(table), *rate_remarks(table, part.rates),
    )  # fmt: skip
    return replace(table, notes=tuple(dict.fromkeys((*table.notes, *remarks))))


def _check_given(path: object, graphs: object, directions: object, targets: object, known: object) -> None:
    """Refuse arguments of another type."""
    check_kind("path", path, (str, os.PathLike), "the path of a file or a folder of logs, such as 'runs/'")
    check_kind("graphs", graphs, (str, os.PathLike, type(None)), "the path of a file of graphs, such as 'graphs.json'")
    for name, ways in (("directions", directions), ("known", known)):
        check_kind(name, ways, (Mapping, type(None)), "min or max by metric, such as {'seg/foo': 'max'}")
    check_names("targets", targets, "metrics, such as ['seg/miou', 'depth/abs_err']")


def _with_signals(part: LogPart, scored: Sequence[str], unknown: Sequence[str]) -> tuple[LogPart, tuple[str, ...]]:
    """The part with the curves of unknown direction among its signals, and what to tell of them."""
    if not unknown:
        return part, ()
    curves = Curves({key: key for key in scored}, {key: key for key in unknown})
    understood = as_understood(part, curves)
    told = (
        f"signals, since it is not known whether larger or smaller values are better: {listed(unknown)}; one is scored "
        f"with --direction {unknown[0]}=max (or {unknown[0]}=min)."
    )
    return understood, (told, *between_remarks(part, curves, understood))


def _with_own_graphs(runs: pd.DataFrame, graphs: Mapping[str, ArchGraph]) -> pd.DataFrame:
    """The runs as a table has them, each pointing to the graph of its architecture, or else to that of its own name."""
    own = [
        run if (arch is None or as_text(arch) not in graphs) and run in graphs else arch
        for run, arch in runs["arch"].items()
    ]
    texts = [None if key is None else as_text(key) for key in own]
    rows = runs.drop(columns=["first", "last", "ends_there"], errors="ignore")
    return rows.assign(arch=pd.Series(texts, index=runs.index, dtype=object))


def _config_frame(configs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Hyper-parameters of all runs: a column is numeric or boolean if all its values are, else text."""
    names = dict.fromkeys(name for config in configs.values() for name in config)
    index = pd.Index(list(configs), dtype=object, name="run")
    return pd.DataFrame(
        {name: _config_column([config.get(name) for config in configs.values()], index) for name in names}, index=index
    )


def _config_column(values: Sequence[Any], index: pd.Index) -> pd.Series:
    given = [value for value in values if value is not None]
    truths = {"true": True, "false": False}
    if given and all(str(value).lower() in truths for value in given):
        flags = [None if value is None else truths[str(value).lower()] for value in values]
        return pd.Series(flags, index=index, dtype=bool if len(given) == len(values) else object)
    numbers = [None if isinstance(value, bool) else as_number(value) for value in given]
    if None not in numbers:
        rest = iter(numbers)
        return pd.Series([np.nan if value is None else next(rest) for value in values], index=index, dtype=float)
    return pd.Series([None if value is None else as_text(value) for value in values], index=index, dtype=object)

"""CSV files that W&B's pages and its API export: a chart with a column per run, or the history of a run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.readers.logged.base import Logged, says_epochs
from lcode.readers.logged.cells import columns_of, spelled_columns
from lcode.readers.logged.lines import csv_cells, head_of
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, RUN_NAMES, STEPS, plain_name, why_left_out

TOOL = "W&B export"

_BETWEEN = " - "
"""What stands between run and metric in the header of a chart; a run's name may hold it as well."""

_BOUNDS = ("__MIN", "__MAX")
"""Ends of the columns with the bounds of what the chart has put into one point."""


@dataclass(eq=False)
class _Chart:
    """A file with one column per run.

    Attributes:
        path: the file.
        axis: name of the first column.
        rows: by run, what it has logged at each value of the axis.
        notes: remarks on what was left out.
    """

    path: Path
    axis: str
    rows: dict[str, dict[float, dict[str, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class WandbExportReader:
    """Reads what was downloaded as CSV; the files of one folder that hold one run each in a column are one export."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether its header is one of W&B's."""
        if path.suffix.lower() != ".csv":
            return False
        header = _header(path)
        return _is_chart(header) or _is_history(header)

    def owns(self, path: Path) -> Path:
        """The file alone: downloads lie anywhere."""
        return path

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs of these files; charts in one folder are joined by the runs' names.

        Raises:
            InputError: none can be read.
        """
        charts = [path for path in paths if _is_chart(_header(path))]
        files, damaged = parsed(charts, _chart)
        joined: dict[tuple[Path, str], list[_Chart]] = {}
        for file in files:
            for run in file.rows:
                joined.setdefault((file.path.parent, run), []).append(file)
        sources: list[Callable[[], Logged]] = [partial(_joined, run, parts) for (_, run), parts in joined.items()]
        sources += [partial(_history, path) for path in paths if path not in set(charts)]
        return sound_runs(sources, lambda source: [source()], damaged)


def _header(path: Path) -> list[str]:
    """The names in the first line, which are quoted where they hold a comma; empty where it cannot be read."""
    first = head_of(path).split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    try:
        return [name.strip() for name in next(csv.reader([first]), [])]
    except csv.Error:
        return []


def _is_chart(header: Sequence[str]) -> bool:
    """Whether each column but the first belongs to a run, and some have bounds, or the first is the step."""
    rest = header[1:]
    names = [name for name in rest if not name.endswith(_BOUNDS)]
    bounded = any(name + end in rest for name in names for end in _BOUNDS)
    return bool(names) and all(_BETWEEN in name for name in names) and (bounded or header[0] == "Step")


def _is_history(header: Sequence[str]) -> bool:
    """Whether it has W&B's own columns, and none that names the run: a table of several runs is read as any other."""
    of_one = {*RUN_NAMES, "name"}.isdisjoint(map(plain_name, header))
    return "_step" in header and bool({"_runtime", "_timestamp"} & {*header}) and of_one


def _chart(path: Path) -> _Chart:
    """What a chart shows of each run.

    Raises:
        InputError: it is damaged.
    """
    cells = csv_cells(path, TOOL)
    chart = _Chart(path, cells.header[0], notes=cells.notes)
    columns = [
        (at, name.rpartition(_BETWEEN)) for at, name in enumerate(cells.header) if at and not name.endswith(_BOUNDS)
    ]
    for line, row in zip(cells.lines, cells.rows, strict=True):
        place = as_number(row[0])
        if place is None:
            raise InputError(
                f"is read as a chart of {TOOL}, but '{row[0]}' is no number; export the chart again with a step as its "
                "axis",
                path=path,
                line=line,
                column=chart.axis,
            )
        for at, (run, _, metric) in columns:
            if row[at]:
                value = as_number(row[at])
                chart.rows.setdefault(run, {}).setdefault(place, {})[metric] = row[at] if value is None else value
    metrics = dict.fromkeys(metric for _, (_, _, metric) in columns)
    if all(metric.lower() in (*EPOCHS, *STEPS) or why_left_out(metric) is not None for metric in metrics):
        raise InputError(
            f"is a chart of {TOOL} of what only counts or keeps time ({', '.join(metrics)}); export a chart of a "
            "metric, or the whole history of each run: run.history().to_csv('run.csv')",
            path=path,
            line=1,
        )
    if not chart.rows:
        raise InputError(f"is a chart of {TOOL} without a value; export it again, or move it away", path=path)
    return chart


def _joined(run: str, charts: Sequence[_Chart]) -> Logged:
    """A run with all its charts, in order of the axis; charts with another axis follow with rows of their own."""
    places: dict[tuple[str, float], dict[str, Any]] = {}
    axes = list(dict.fromkeys(chart.axis for chart in charts))
    for chart in charts:
        for place, values in chart.rows[run].items():
            places.setdefault((chart.axis, place), {}).update(values)
    order = sorted(places, key=lambda key: (axes.index(key[0]), key[1]))
    rows = [{axis: int(place) if place.is_integer() else place, **places[axis, place]} for axis, place in order]
    return Logged(
        file=charts[0].path,
        columns=columns_of(rows, charts[0].path, TOOL),
        run=run,
        axis=axes[0] if len(axes) == 1 else None,
        # A chart's remarks are said once, with its first run.
        notes=tuple(note for chart in charts for note in chart.notes if next(iter(chart.rows)) == run),
    )


def _history(path: Path) -> Logged:
    """The run whose history was written to a file, as `run.history().to_csv(path)` does."""
    cells = csv_cells(path, TOOL)
    columns = spelled_columns(cells.header, cells.rows)
    if not _header(path)[0]:
        columns.pop(cells.header[0], None)  # the index of pandas
    if not cells.rows:
        raise InputError(f"is a history of {TOOL} without a row; export it again, or move it away", path=path)
    # Lightning logs training and validation in rows of their own, and the epoch in all of them.
    axis = None if says_epochs(columns) else "_step"
    return Logged(path, columns, axis=axis, lines=cells.lines, notes=cells.notes)

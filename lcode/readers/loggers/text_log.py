"""Text files of no tool in particular: JSON lines, tables and what a program printed, in `.log`, `.txt` and the like.

Such files lie in every folder, so one is a log only if something in it is counted and a known metric is told at several
counts; and where another tool's logs lie in the same folder, those are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.compute as pc

from lcode.json_text import parse_json
from lcode.readers.damaged import LISTED
from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.cells import columns_of, flat, spelled_columns
from lcode.readers.loggers.console_lines import told_in
from lcode.readers.loggers.lines import (
    HEAD,
    PRINTED,
    first_object,
    head_of,
    is_binary,
    json_objects,
    printed_text,
    refused,
)
from lcode.readers.loggers.several import sound_runs
from lcode.readers.loggers.text_tables import table_of
from lcode.readers.raw import as_text
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.readers.understanding.uncounted import with_counted_rows
from lcode.table.metric_names import known_metric

TOOL = "text logs"

SUFFIXES = (*PRINTED, ".dat", ".ndjson")

FEWEST_COUNTS = 3
"""Values of the counter that a training must have had before one is taken to begin anew."""

COCO = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
"""The numbers of COCO's evaluation in the order in which `pycocotools` summarises them."""

_COUNTED = (
    *("epoch", "step", "iter", "round", "episode", "update", "loss", "acc", "generation", "timesteps"),
    *("train", "val", "test", "learn", "error", "score", "reward", "cost", "rmse", "mae", "auc"),
)
"""One of these is in every log of a training: other texts need not be searched line by line."""


class TextLogReader:
    """Reads logs in text files, a run per file."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether a training is told in the file's beginning, or in its end where a program was printed before it."""
        suffix = path.suffix.lower()
        if suffix == ".json":  # one object alone is what a training came to, such as W&B's summary
            return b"\n{" in head_of(path) and _is_counted(first_object(path))
        if suffix not in SUFFIXES:
            return False
        head = head_of(path)
        if is_binary(head):
            return False
        text, _ = printed_text(head)
        if not any(word in text.lower() for word in _COUNTED):
            return False
        if text.lstrip().startswith("["):
            rows = _objects(path)
            if rows and _is_counted(rows[0]):
                return True
        return is_table(path) or told_in(text).is_training() or told_in(_end_of(path)).is_training()

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        return _of_one_axis(sound_runs(paths, _runs_of))


def is_table(path: Path) -> bool:
    """Whether a program wrote the file to be read again, as JSON lines or a table, rather than printed it."""
    if _is_counted(first_object(path)):
        return True
    table = table_of(path, printed_text(head_of(path))[0])
    return table is not None and with_counted_rows(spelled_columns(table.header, table.rows)) is not None


def _of_one_axis(runs: list[Logged]) -> list[Logged]:
    """The runs that count as most do: what counts steps cannot be set beside what counts epochs."""
    axes = [run.axis or next((name for name in run.columns if name.lower() in (*EPOCHS, *STEPS)), "") for run in runs]
    common = max(axes, key=axes.count)
    others = [run.file.name for run, axis in zip(runs, axes, strict=True) if axis != common]
    kept = [run for run, axis in zip(runs, axes, strict=True) if axis == common]
    if others:
        note = (
            f"left out, since they do not count by {common}: {', '.join(others[:LISTED])}; name one of them to read it."
        )
        kept[-1] = replace(kept[-1], notes=(*kept[-1].notes, note))
    return kept


def _runs_of(path: Path) -> list[Logged]:
    """The runs of a file.

    Raises:
        InputError: there is none in it.
    """
    text, odd = printed_text(path.read_bytes())
    if not text.strip():
        raise refused(path, TOOL, "it is empty")
    notes = (f"{path.name}: {odd}.",) if odd else ()
    start = text.lstrip()[:1]
    if start == "{":
        objects = json_objects(path, TOOL)
        rows = [_plain(row) for row in objects.rows]
        return _by_name(Logged(path, columns_of(rows, path, TOOL), lines=objects.lines, notes=objects.notes))
    if start == "[":
        objects_of_list = _objects(path)
        if objects_of_list:
            return _by_name(Logged(path, columns_of([_plain(row) for row in objects_of_list], path, TOOL), notes=notes))
    table = table_of(path, text)
    counted = None if table is None else with_counted_rows(spelled_columns(table.header, table.rows))
    if table is not None and counted is not None:
        columns, told = counted
        remarks = tuple(f"{path.name}: {remark}" for remark in told)
        return _by_name(Logged(path, columns, lines=table.lines, notes=(*notes, *table.notes, *remarks)))
    said = told_in(text)
    if not said.is_training():
        raise refused(path, TOOL, "no line of it counts epochs or steps and names a metric")
    remarks = tuple(f"{path.name}: {remark}" for remark in said.remarks)
    columns = columns_of(said.rows, path, TOOL)
    logged = Logged(path, columns, axis=said.axis, lines=said.lines, notes=(*notes, *remarks))
    return _trainings(_by_name(logged), [totals.get(said.axis) for totals in said.totals])


def _by_name(logged: Logged) -> list[Logged]:
    """The runs of a table in which a column names them; the table itself where none does."""
    names = logged.columns.get("run")
    if names is None:
        return [logged]
    runs = []
    for name in pc.unique(names).to_pylist():
        rows = pc.equal(names, name) if name is not None else pc.is_null(names)
        mine = {column: cells.filter(rows) for column, cells in logged.columns.items() if column != "run"}
        lines = (
            None
            if logged.lines is None
            else [n for n, is_mine in zip(logged.lines, rows.to_pylist(), strict=True) if is_mine]
        )
        runs.append(replace(logged, columns=mine, run="" if name is None else as_text(name), lines=lines))
    return runs


def _trainings(runs: list[Logged], totals: Sequence[float | None]) -> list[Logged]:
    """The runs, those apart that were printed one after another: folds, trials, another start with other settings.

    A training that is resumed goes back a little; one that begins anew goes back to where the last one began.

    Args:
        runs: what was printed, or the runs of it where they are named.
        totals: the last value of the counter as it is said in each row of the file.
    """
    run = runs[0]
    if len(runs) > 1 or run.axis is None:
        return [replace(run, total=_total(run, totals)) for run in runs]
    starts: list[int] = [0]
    seen: list[float] = []
    for row, count in enumerate(run.columns[run.axis].to_pylist()):
        if count is None:  # a row that says only the other counter
            continue
        if seen and count <= seen[0] and count < seen[-1] and len(set(seen)) >= FEWEST_COUNTS:
            starts.append(row)
            seen = []
        seen.append(count)
    if len(starts) == 1:
        return [replace(run, total=_total(run, totals))]
    parts = []
    for start, end in zip(starts, [*starts[1:], len(totals)], strict=True):
        columns = {name: cells.slice(start, end - start) for name, cells in run.columns.items()}
        part = replace(run, columns=columns, lines=None if run.lines is None else run.lines[start:end], notes=())
        parts.append(replace(part, total=_total(part, totals[start:end])))
    note = f"{run.file.name}: {run.axis}s begin anew {len(starts) - 1} times, so it holds {len(starts)} runs."
    parts[0] = replace(parts[0], notes=(*run.notes, note))
    return parts


def _total(run: Logged, totals: Sequence[float | None]) -> float | None:
    """The number behind the mark in `Epoch 3/50`, as it was said last, unless more epochs came."""
    said = [total for total in totals if total is not None]
    last = None if run.axis is None else pc.max(run.columns[run.axis]).as_py()
    return None if not said or last is None or said[-1] < last else said[-1]


def _is_counted(row: Mapping[str, Any]) -> bool:
    """Whether an object has a counter and a metric: one that has lists of them instead is a whole history."""
    numbers = {name.lower() for name, value in row.items() if isinstance(value, (int, float))}
    told = [name for name, value in row.items() if not isinstance(value, list) or len(value) == len(COCO)]
    return bool(numbers & {*EPOCHS, *STEPS}) and any(known_metric(name) is not None for name in told)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with inner objects and COCO's lists as names joined by slashes."""
    return flat(
        {
            name: dict(zip(COCO, value, strict=True)) if isinstance(value, list) and len(value) == len(COCO) else value
            for name, value in row.items()
        },
        "/",
    )


def _objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON list; none where the file is no such list."""
    try:
        found = parse_json(path.read_bytes())
    except (ValueError, OSError):
        return []
    return found if isinstance(found, list) and all(isinstance(row, dict) for row in found) else []


def _end_of(path: Path) -> str:
    """The last bytes of a file that is longer than what it is recognised by."""
    try:
        with path.open("rb") as file:
            file.seek(max(HEAD, path.stat().st_size - HEAD))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""

"""Text files of no tool in particular: JSON lines, tables and what a program printed, in `.log`, `.txt` and the like.

Such files lie in every folder, so one is a log only if something in it is counted and a known metric is told at several
counts; and where another tool's logs lie in the same folder, those are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, flat, spelled_columns
from lcode.readers.logged.lines import (
    HEAD,
    PRINTED,
    Cells,
    Objects,
    ending_of,
    first_object,
    head_of,
    is_binary,
    json_objects,
    numbered_objects,
    objects_in,
    printed_text,
    refused,
)
from lcode.readers.logged.several import sound_runs
from lcode.readers.printed.lines.decimal_commas import with_decimal_points
from lcode.readers.printed.lines.printed_lists import is_json
from lcode.readers.printed.runs.broken_off import with_ends
from lcode.readers.printed.runs.by_course import of_one_course
from lcode.readers.printed.runs.early_stops import with_early_stops
from lcode.readers.printed.runs.gone_on_texts import with_gone_on_texts
from lcode.readers.printed.runs.rotated import with_rotated
from lcode.readers.printed.runs.text_runs import joined_parts, of_one_axis, runs_in, without_files_beside
from lcode.readers.printed.settings.printed_settings import settings_in, with_plans, with_settings
from lcode.readers.printed.tables.text_tables import tables_in
from lcode.readers.printed.texts.begun import Sibling, begun_in, siblings_of, tells_as
from lcode.readers.printed.texts.console_lines import counts_on, told_in
from lcode.readers.printed.texts.nameless import is_nameless, nameless_runs
from lcode.readers.printed.texts.ray_console import is_status
from lcode.readers.understanding.column_words import EPOCHS, STEPS, is_counter, why_left_out
from lcode.readers.understanding.layout import RUN_LEVEL
from lcode.readers.understanding.uncounted import with_counted_rows
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed
from lcode.table.run_rows import STATUSES

TOOL = "text logs"

SUFFIXES = (*PRINTED, ".dat", ".ndjson")

COCO = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
"""The numbers of COCO's evaluation in the order in which `pycocotools` summarises them."""

LONGEST_SEARCHED = 1 << 26
"""Bytes of a text that is searched from end to end where its beginning counts but tells nothing."""

_LETTER = re.compile(r"[A-Za-z]")

_OF_NANOGPT = re.compile(r"(?m)^Overriding: \w+ = |^iter \d+: loss [\d.]+, time [\d.]+ms, mfu ")
"""Lines of nanoGPT, which evaluates after the last of `max_iters` steps as well."""

_COUNTED = (
    *("epoch", "step", "iter", "round", "episode", "update", "loss", "acc", "generation", "timesteps"),
    *("train", "val", "test", "learn", "error", "score", "reward", "cost", "rmse", "mae", "auc", "%) ", "% ("),
    *("verlust", "perte", "perdida", "perda", "epoque", "epoca"),
)
"""One of these is in every log of a training in the letters of English, or how much of it is done: other texts need not
be searched line by line."""


class TextLogReader:
    """Reads logs in text files, a run per file."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether a training is told in the file's beginning, or in its end where a program was printed before it."""
        if is_nameless(path):
            return True
        ending = ending_of(path)
        if ending == ".json" and not head_of(path, 64).lstrip().startswith(b"{'"):  # unless Python wrote it
            # One object alone is what a training came to, such as W&B's summary.
            return b"\n{" in head_of(path) and is_table(path)
        if ending not in (*SUFFIXES, ".json"):
            return False
        head = head_of(path)
        if is_binary(head):
            return False
        text, _ = printed_text(head)
        if text.isascii() and _LETTER.search(text) and not any(word in text.lower() for word in _COUNTED):
            return False
        if text.lstrip().startswith("["):
            rows = _objects(path)
            if rows and _is_counted(rows[0]):
                return True
        if is_json(text):  # of one object per line the first is read; others have their own reader
            return is_table(path)
        if is_table(path) or told_in(text).is_training or told_in(_end_of(path)).is_training:
            return True
        # Of a long epoch, thousands of lines may be printed before and after those that tell what it came to.
        long = HEAD < path.stat().st_size <= LONGEST_SEARCHED and counts_on(text)
        return long and told_in(printed_text(path.read_bytes())[0]).is_training

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        lists = [path for path in paths if is_nameless(path)]
        texts = [path for path in paths if path not in lists]
        if not texts:
            return nameless_runs(lists, self.tool)
        whole = with_gone_on_texts(with_rotated(self._runs_of_all(texts)))
        runs = of_one_axis(without_files_beside(joined_parts(of_one_course(whole))))
        if lists:  # a program that prints what it measures keeps it in lists as well
            note = f"beside texts that name what they tell, so not read: {listed([path.name for path in lists])}."
            runs[-1] = replace(runs[-1], notes=(*runs[-1].notes, note))
        return runs

    def _runs_of_all(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs of all files: first those that hold a training, then, as these were read, those that have but begun.

        What a text tells once is what its training came to, or the first of what others have told several times.

        Raises:
            InputError: none can be read.
        """
        read: dict[Path, list[Logged]] = {}
        refused: dict[Path, InputError | OSError] = {}
        for path in paths:
            try:
                read[path] = _runs_of(path)
            except (InputError, OSError) as error:
                refused[path] = error
        siblings = siblings_of(run for runs in read.values() for run in runs)
        others = {path for path in refused if siblings and not self.sniff(path) and not tells_as(path, siblings)}

        telling = Counter(name for sibling in siblings for name in sibling.names)
        own: dict[Path, Counter[str]] = {}
        for sibling in siblings:
            own.setdefault(sibling.file, Counter()).update(sibling.names)

        def again(path: Path) -> list[Logged]:
            here = own.get(path, Counter())
            once = {name for run in read.get(path, ()) for name in run.once if why_left_out(name) is None}
            if path in read and all(telling[name] == here[name] for name in once):
                return read[path]
            return _runs_of(path, siblings, frozenset(name for name in telling if telling[name] > here[name]))

        return sound_runs([path for path in paths if path not in others], again)


def is_table(path: Path) -> bool:
    """Whether a program wrote the file to be read again, as JSON lines or a table, rather than printed it."""
    if _is_counted(first_object(path)):
        return True
    text = printed_text(head_of(path))[0]
    if is_json(text):
        return any(map(_is_counted, objects_in(text)[:1]))
    return any(_of_table(path, table) for table in tables_in(path, printed_text(head_of(path))[0]))


def _of_table(path: Path, table: Cells, notes: tuple[str, ...] = ()) -> list[Logged]:
    """The runs of a table; none where no column counts its rows and they may be anything, or it counts in words."""
    if is_status(table.header):
        return []
    counting = next((at for at, name in enumerate(table.header) if is_counter(name)), None)
    if counting is not None and not any(char.isdigit() for row in table.rows for char in row[counting]):
        return []  # `all  128  929  0.64`, below a header of YOLO's that has as many names
    curves = len(table.header) == 1
    counted = with_counted_rows(spelled_columns(table.header, table.rows), curves=curves)
    if counted is None:
        return []
    columns, told = counted
    remarks = tuple(f"{path.name}: {remark}" for remark in told)
    return runs_in(Logged(path, columns, lines=table.lines, notes=(*notes, *table.notes, *remarks)))


def _runs_of(path: Path, siblings: Sequence[Sibling] = (), curves: Collection[str] = ()) -> list[Logged]:
    """The runs of a file.

    Args:
        path: the file.
        siblings: how files were read, as the others of which it is read where it tells too little by itself.
        curves: names that others of them tell at several counts.

    Raises:
        InputError: there is none in it.
    """
    text, odd = printed_text(path.read_bytes())
    if not text.strip():
        raise refused(path, TOOL, "it is empty")
    notes = (f"{path.name}: {odd}.",) if odd else ()
    start = text.lstrip()[:1]
    if is_json(text):  # a dictionary of Python is printed
        objects = json_objects(path, TOOL) if first_object(path) else Objects(*numbered_objects(text))
        told = [(_plain(row), line) for row, line in zip(objects.rows, objects.lines, strict=True)]
        counting = [(row, line) for row, line in told if any(is_counter(name) for name in row)]
        kept = counting or told  # settings come before the first, or what it came to behind the last
        columns = columns_of([row for row, _ in kept], path, TOOL)
        return runs_in(Logged(path, columns, lines=[line for _, line in kept], notes=objects.notes))
    if start == "[":
        objects_of_list = _objects(path)
        if objects_of_list:
            return runs_in(Logged(path, columns_of([_plain(row) for row in objects_of_list], path, TOOL), notes=notes))
    runs = [_without_settings(run) for table in tables_in(path, text) for run in _of_table(path, table, notes)]
    if runs:
        return with_ends(runs, text)
    settings, rest = settings_in(with_decimal_points(text))
    settings = with_plans(settings, text)
    found = told_in(rest, curves)
    said = found if found.is_training else begun_in(path, rest, siblings)
    if said is None:
        few = "too few values are told for a curve, and not as the files beside it tell theirs"
        raise refused(path, TOOL, few if siblings else "no line of it counts epochs or steps and names a metric")
    axis, remarks = said.axis, tuple(f"{path.name}: {remark}" for remark in said.remarks)
    columns = columns_of(said.rows, path, TOOL)
    logged = Logged(path, columns, axis=axis, lines=said.lines, nameless=said.nameless, once=said.once)
    logged = replace(logged, notes=(*notes, *remarks))
    totals = [one.get(axis) for one in said.totals]
    trainings = [_without_settings(run) for run in runs_in(logged, totals)]
    if said.is_evaluated_first and axis in EPOCHS:
        trainings = [_with_last_epoch(run, dict(zip(said.lines, totals, strict=True))) for run in trainings]
    if _OF_NANOGPT.search(text):
        trainings = [replace(run, measures_last=True) for run in trainings]
    return with_ends(with_early_stops(with_settings(trainings, settings), rest), text)


def _with_last_epoch(run: Logged, totals: Mapping[int, float | None]) -> Logged:
    """A run whose epoch 0 is the state before the training, so that as many follow as are planned.

    Args:
        run: one of the runs of a text.
        totals: by line, the last epoch as it is said there.
    """
    last = totals.get(run.lines[-1]) if run.lines else None
    return run if run.total is None or last is None else replace(run, horizon=last, total=None)


def _without_settings(run: Logged) -> Logged:
    """The run without what describes it as a whole, such as a seed, but was printed again with another value."""
    odd = [name for name in RUN_LEVEL if name in run.columns and pc.count_distinct(run.columns[name]).as_py() > 1]
    if "status" in run.columns and not set(run.columns["status"].drop_null().to_pylist()) <= set(STATUSES):
        odd.append("status")  # as another tool calls it
    return replace(run, columns={name: cells for name, cells in run.columns.items() if name not in odd})


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

"""Tables that hold one curve each, in files that are named after it: `loss.csv`, `3_iter_val_acc.csv`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

import pyarrow as pa

from lcode.readers.printed.tables.number_rows import named_by_course
from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import EPOCHS, RUN_NAMES, STEPS, is_counter, why_left_out, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import CONFIG, RESERVED, is_long
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.other_languages import name_in_english
from lcode.table.reading import listed

_NAMELESS = frozenset(("value", "values", "0", "y", "data"))
"""Columns that do not say what is measured; `0` is what pandas calls the only one of a series."""


_BY_CLASS = re.compile(r"[_-]*((per|by|each)[_-]?class(es)?|class[_-]?wise)[_-]*", re.IGNORECASE)


def is_by_class(raw: RawTable) -> bool:
    """Whether a file is named as that of what was measured of each class, `per_class_iou.csv`, and holds no loss.

    `focal_per_class.csv` with a loss is a run of a way to train.
    """
    named = _BY_CLASS.search(raw.path.name.partition(".")[0]) is not None
    return named and not any("loss" in words_of(name) for name in raw.columns)


def named_by_file(raw: RawTable) -> RawTable:
    """The table with its curves called after its file, where their columns do not say what they are.

    Where the file does not say it either, but the columns say on which data, they are a loss or a score by the way that
    they went.
    """
    curves, stem = curves_of(raw), raw.path.name.partition(".")[0]
    nameless = all(name.strip().lower() in (*_NAMELESS, *SPLITS) or name.strip().isdigit() for name in curves)
    of_parts = all(split_name(name)[0] and known_metric(name) is None for name in curves)
    if is_long(raw) or not curves or not (nameless or of_parts) or stem in raw.columns:
        return raw
    if known_metric(stem) is None:
        return _named_by_course(raw, curves) if nameless else raw
    names = {name: _name(name.strip(), stem, alone=len(curves) == 1) for name in curves}
    told = ", ".join(f"'{name}'" for name in curves[:3]) + (", …" if len(curves) > 3 else "")
    note = (
        f"{raw.path.name}: {told} does not say what it is, so it is called after the file: {listed([*names.values()])}."
    )
    columns = {names.get(name, name): column for name, column in raw.columns.items()}
    return replace(raw, columns=columns, notes=(*raw.notes, note))


def _named_by_course(raw: RawTable, curves: Sequence[str]) -> RawTable:
    """The table with `train` and `val` as losses where the first of them falls, else as scores."""
    parts = [SPLITS.get(name.strip().lower()) for name in curves]
    if None in parts or len(set(parts)) == 1:
        return raw
    first = curves[parts.index("train") if "train" in parts else 0]
    cells = [as_number(cell) for cell in raw.columns[first].to_pylist() if cell is not None]
    if not cells or None in cells:
        return raw
    metric = named_by_course([cell for cell in cells if cell is not None and isfinite(cell)])
    note = (
        f"{raw.path.name}: {listed([repr(name) for name in curves])} name no metric and are read as a {metric}, by the "
        f"way that '{first}' went."
    )
    names = {name: f"{name.strip()}/{metric}" for name in curves}
    columns = {names.get(name, name): column for name, column in raw.columns.items()}
    return replace(raw, columns=columns, notes=(*raw.notes, note))


def _name(column: str, stem: str, *, alone: bool) -> str:
    """The name of a curve of a file: `loss`, `loss_2`, or `Validation/loss` where its column says on which data.

    `train_box` is that of a task.
    """
    if column.lower() in SPLITS:
        return f"{column}/{stem}"
    split, task = split_name(column)
    if split:
        return f"{split}/{task}/{stem}"
    return stem if alone else f"{stem}_{column}"


def runs_by_column(raw: RawTable, names: Sequence[str] = ()) -> RawTable:
    """The table with a row per run and epoch, where each column is a run of the metric that its file is named after.

    `loss.csv` with the columns `epoch`, `all data` and `half of it` compares two runs; the columns of
    `per_class_iou.csv` are classes. `r1` and `r2` are runs, though R² is a metric.

    Args:
        raw: the table.
        names: what may say what is measured, the first that does; the name of the file if there is none.
    """
    curves, names = curves_of(raw), names or [raw.path.name.partition(".")[0]]
    known = (name.strip() for name in names if known_metric(name_in_english(name.strip())) is not None)
    stem = next(known, None)
    counter = next((name for name in raw.columns if is_counter(name)), None)
    named = any(known_metric(name) or split_name(name)[0] for name in curves)
    named = named or sum(name.strip().lower() in SPLITS for name in curves) > 1  # one may be called after its data
    of_runs = len(curves) > 1 and (not named or _are_numbered(curves))
    if not of_runs or counter is None or stem is None or not all(_is_filled(raw, name) for name in curves):
        return raw
    if is_by_class(raw):
        metric = _BY_CLASS.sub("", stem) or stem
        return replace(raw, columns={f"{n}/{metric}" if n in curves else n: cells for n, cells in raw.columns.items()})
    size = len(raw)
    columns = {
        "run": pa.chunked_array([pa.array([name] * size, pa.string()) for name in curves]),
        counter: pa.chunked_array([chunk for _ in curves for chunk in raw.columns[counter].chunks]),
        stem: pa.chunked_array([chunk for name in curves for chunk in raw.columns[name].chunks]),
    }
    note = f"{raw.path.name}: its columns ({listed(curves)}) name no metric, so each is read as a run, of {stem}."
    whole = replace(raw, columns=columns, line_of=lambda row: raw.line_of(row % size), notes=(*raw.notes, note))
    return whole.where(whole.columns[stem].is_valid().to_numpy())


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether names differ in a number at their end alone, which counts on: `r0`, `r1`, `r2`, but not `r1`, `r5`."""
    told = [re.fullmatch(r"(.*?)[_ -]*([0-9]{1,9})", name.strip()) for name in names]
    stems, numbers = {match[1] for match in told if match}, [int(match[2]) for match in told if match]
    stem = min(stems, default="")
    if len(stems) != 1 or not stem or numbers != [*range(numbers[0], numbers[0] + len(names))]:
        return False
    return known_metric(stem) is None or (stem.lower() == "r" and len(names) > 2)


def _is_filled(raw: RawTable, name: str) -> bool:
    """Whether a column holds numbers in every row, and not always the same; a run in progress has none at the end."""
    cells = raw.columns[name].to_pylist()
    while cells and cells[-1] is None:
        cells.pop()
    told = set(cells)
    return (len(told) > 1 or (len(cells) < len(raw) and bool(cells))) and all(
        cell is not None and as_number(cell) is not None for cell in told
    )


def runs_of_curves(raws: Mapping[Path, RawTable]) -> dict[Path, list[Path]] | None:
    """The files of each run, by a path whose last part tells the runs apart, where each file holds one of its curves.

    Returns:
        None where a file holds several curves, or is not named after the one that it holds, or none belong together.
    """
    runs: dict[Path, list[Path]] = {}
    for path, raw in raws.items():
        curves, stem = curves_of(raw), path.name.partition(".")[0]
        if len(curves) != 1:
            return None
        (curve,), rest = curves, stem
        for cut in (rest.removesuffix(curve), rest.removeprefix(curve)):
            rest = min(rest, cut, key=len)
        if rest == stem:
            return _of_one_length(raws)
        runs.setdefault(path.parent / rest.strip("_-. "), []).append(path)
    return runs if any(len(files) > 1 for files in runs.values()) else None


def _of_one_length(raws: Mapping[Path, RawTable]) -> dict[Path, list[Path]] | None:
    """The files of each folder as a run, where each of them holds another known metric, as often as the others do."""
    folders: dict[Path, list[Path]] = {}
    for path in raws:
        folders.setdefault(path.parent, []).append(path)
    for paths in folders.values():
        curves = [curve for path in paths for curve in curves_of(raws[path])]
        whole = len(curves) == len(paths) == len(set(curves)) and len({len(raws[path]) for path in paths}) == 1
        if not whole or any(known_metric(curve) is None for curve in curves):
            return None
    return {folder / "run": paths for folder, paths in folders.items()} if len(raws) > len(folders) else None


def curves_of(raw: RawTable) -> list[str]:
    """The columns that are neither counters, names of runs, settings nor clocks by their names."""
    others = {*EPOCHS, *STEPS, *RUN_NAMES, *RESERVED}
    return [
        name
        for name in raw.columns
        if "=" in name  # a run, called after its settings
        or not (
            name.strip().lower() in others or name.startswith(CONFIG) or is_rate(name) or why_left_out(name) is not None
        )
    ]

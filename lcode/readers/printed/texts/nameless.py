"""Files of numbers without a name, such as `loss.txt` and `val_acc.json`: a curve each, named after its file.

A program that keeps a list per metric saves each in a file of its own: a number per line, perhaps behind the epoch, or
a list in one line. The files of a folder that hold as many numbers are the curves of one run; tables without a header
whose names say nothing of what is in them (`cagrad.csv`, `mgda.csv`) are a run each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from lcode.readers.logged.base import Logged
from lcode.readers.logged.lines import HEAD, PRINTED, ending_of, head_of, is_binary, printed_text, refused
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.printed.lines.printed_line import FEWEST
from lcode.readers.printed.runs.text_runs import starts_of
from lcode.readers.printed.tables.number_rows import (
    NumberRows,
    as_curves,
    has_a_way,
    names_by_course,
    names_by_most,
    numbers_in,
)
from lcode.readers.understanding.counters import LONG
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

_AXES = ("epoch", "batch")
"""What the first columns count, where there are several."""

_TABLES = (".dat", ".csv", ".tsv")
_ENDINGS = (*PRINTED, *_TABLES, ".json")

_OF_FILE = re.compile(r"[_.\- ]*(?<![A-Za-z])(?:logs?|lists?|history|hist|values?|data|curves?|records?)(?![A-Za-z])")
"""Words in a file's name that say nothing of what is measured: `loss_log.txt`."""

_BEGINNING = re.compile(rb"\s*(?:[-+.\d\[(]|nan|inf|tensor\(|(?:INFO|DEBUG):\w*:\()")

_OF_TRAINING = re.compile(r"log|train|hist", re.IGNORECASE)
"""What is in the name of a file that tells of a training without saying what."""


def is_nameless(path: Path) -> bool:
    """Whether the file begins with numbers of curves alone, and is named after a metric, or a log that counts.

    A table without a header may have any name where many rows go one way.
    """
    ending = ending_of(path)
    if ending not in _ENDINGS or not _BEGINNING.match(head_of(path, 64)):
        return False
    known = known_metric(_metric(path)) is not None
    if not known and ending not in _TABLES and not _OF_TRAINING.search(path.name):
        return False
    head = head_of(path)
    if is_binary(head):
        return False
    text = printed_text(head)[0]
    if len(head) == HEAD:
        marks = "\n" if "\n" in text else ",; "
        text = text[: max(text.rfind(mark) for mark in marks)]  # the last number may be cut
    curve = _curve_in(text, known=known)
    if curve is None or len(curve.values[0]) < FEWEST:
        return False
    if known or (curve.counters and _OF_TRAINING.search(path.name)):
        return True
    measured = not all(value.is_integer() for values in curve.values for value in values)
    return ending in _TABLES and len(curve.values[0]) >= LONG and measured and all(map(has_a_way, curve.values))


def nameless_runs(paths: Sequence[Path], tool: str) -> list[Logged]:
    """The runs of such files: one per folder, or one per file where several of a folder hold the same nameless curves.

    Args:
        paths: the files.
        tool: whose reader asks, for messages.

    Raises:
        InputError: none can be read.
    """
    files, damaged = parsed(paths, lambda path: (path, _curve(path, tool)))
    folders: dict[Path, dict[Path, NumberRows]] = {}
    for path, curve in files:
        folders.setdefault(path.parent, {})[path] = curve
    runs = [run for curves in folders.values() for run in _runs_of(curves)]
    names = _names_of_all(runs)
    return sound_runs(runs, lambda curves: [_run(curves, names)], damaged)


def _runs_of(curves: Mapping[Path, NumberRows]) -> Iterator[dict[Path, NumberRows]]:
    """The files of each run in a folder: all, but tables, and curves that nothing tells apart, are a run each."""
    alone = _unnamed(curves)
    names = [name for path in alone for name in names_by_course(curves[path].values)]
    if len(alone) == 1 or len(set(names)) == len(names) == len(alone):
        alone = []
    together = {path: curve for path, curve in curves.items() if path not in alone}
    if together:
        yield together
    yield from ({path: curves[path]} for path in alone)


def _unnamed(curves: Mapping[Path, NumberRows]) -> list[Path]:
    """The files whose name says neither what was measured nor on which data."""
    return [path for path in curves if known_metric(_metric(path)) is None and _metric(path).lower() not in SPLITS]


def _names_of_all(runs: Sequence[Mapping[Path, NumberRows]]) -> dict[Path, list[str]]:
    """The names of the curves of runs of one nameless file each: files with as many curves hold the same."""
    widths: dict[int, dict[Path, NumberRows]] = {}
    for curves in runs:
        if len(unnamed := _unnamed(curves)) == 1:
            widths.setdefault(len(curves[unnamed[0]].values), {})[unnamed[0]] = curves[unnamed[0]]
    alike = {width: names_by_most([curve.values for curve in files.values()]) for width, files in widths.items()}
    return {path: alike[width] for width, files in widths.items() for path in files}


def _metric(path: Path) -> str:
    """What a file is called after, such as `val_loss` of `val_loss_log.txt`."""
    return _OF_FILE.sub("", path.name.partition(".")[0]).strip("_- ")


def _is_held_out(path: Path) -> bool:
    return split_name(_metric(path))[0] in ("val", "test")


def _curve(path: Path, tool: str) -> NumberRows:
    curve = _curve_in(printed_text(path.read_bytes())[0], known=known_metric(_metric(path)) is not None)
    if curve is None:
        raise refused(path, tool, "it holds something else than the numbers of one curve")
    return curve


def _curve_in(text: str, *, known: bool) -> NumberRows | None:
    """The curves of a text of numbers: one per line, a list in its only line, or several behind what counts them.

    Args:
        text: the text.
        known: whether the file is named after a metric.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and lines[0].strip() == "0" and not any(line.strip().isdigit() for line in lines[1:]):
        lines = lines[1:]  # what pandas calls a column without a name
    rows = []
    for line in lines:
        numbers = numbers_in(line)
        if numbers is None:
            return None
        rows.append(numbers)
    if len(rows) == 1 or text.lstrip()[:1] == "[":
        rows = [[number] for row in rows for number in row]  # a list, in one line or broken into several
    return as_curves(rows, named=known)


def _run(curves: Mapping[Path, NumberRows], named: Mapping[Path, Sequence[str]]) -> Logged:
    """The curves of a folder, or of a file of it, as a run.

    Args:
        curves: the numbers of each file.
        named: what the curves of files are that say nothing of it; of others it is told by the way that they went.
    """
    alike = Counter((len(curve.values[0]), curve.counters) for curve in curves.values())
    held_out = {(len(curve.values[0]), curve.counters) for path, curve in curves.items() if _is_held_out(path)}
    of_most, *others = sorted(alike, key=lambda form: (-alike[form], form not in held_out))
    joined = _joined(curves) if others else None
    if joined is not None:
        return joined
    kept = {path: curve.values for path, curve in curves.items() if (len(curve.values[0]), curve.counters) == of_most}
    size, counters = of_most
    columns = dict(zip(_AXES, counters, strict=False)) or {_AXES[0]: tuple(range(1, size + 1))}
    notes = []
    for path, values in kept.items():
        name = _metric(path)
        names = [f"{name}_{at}" for at in range(1, len(values) + 1)] if len(values) > 1 else [name]
        if known_metric(name) is None:
            split = f"{name}/" if name.lower() in SPLITS else ""
            names = [f"{split}{one}" for one in named.get(path) or names_by_course(values)]
            told = listed(names)
            notes.append(f"{path.name}: its numbers have no name and are read as {told}, by the way that they went.")
        columns |= dict(zip(names, values, strict=True))
    if not notes:
        files = listed([path.name for path in kept])
        counted = "" if counters else ", counted from 1"
        notes.append(f"{files}: numbers without a name, so each file is a curve of its name{counted}.")
    if others:
        odd = listed([path.name for path in curves if path not in kept])
        notes.append(f"left out, since they do not hold {size} numbers as the others do: {odd}; name one to read it.")
    first = next(iter(kept))
    return Logged(
        first if len(kept) == 1 else first.parent / "run",
        {name: pa.array(values, pa.float64()) for name, values in columns.items()},
        axis=_AXES[0],
        notes=tuple(notes),
    )


def _joined(curves: Mapping[Path, NumberRows]) -> Logged | None:
    """The curves where some were measured at some of the epochs of the others; None where that is not so.

    Of several trainings in the files the last counts, and of several rows of an epoch the last.
    """
    told: dict[Path, dict[float, float]] = {}
    dropped = 0
    for path, curve in curves.items():
        if len(curve.counters) != 1 or len(curve.values) != 1 or known_metric(_metric(path)) is None:
            return None
        (counts,), (values,) = curve.counters, curve.values
        start = starts_of(counts)[-1]
        told[path] = dict(zip(counts[start:], values[start:], strict=True))
        dropped += len(counts) - len(told[path])
    finest = max(told.values(), key=len)
    for own in told.values():
        between = max(finest) if len(own) < 2 else sorted(own)[1] - min(own)
        if not own.keys() <= finest.keys() or max(finest) - max(own) >= between:
            return None
    axis = sorted(finest)
    columns = {_AXES[0]: pa.array(axis, pa.float64())}
    columns |= {_metric(path): pa.array([own.get(at) for at in axis], pa.float64()) for path, own in told.items()}
    files = listed([path.name for path in told])
    note = f"{files}: numbers without a name behind the epoch, so each file is a curve of its name"
    rest = (
        f"; {dropped} rows of trainings before, or before the last row of an epoch, were left out." if dropped else "."
    )
    return Logged(next(iter(told)).parent / "run", columns, axis=_AXES[0], notes=(note + rest,))

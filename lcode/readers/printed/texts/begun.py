"""Texts of runs that have but begun: too little for a curve, beside others that have told the same further.

`loss 0.83 acc 0.47`, twice, may be anything; beside a text of nine such lines it is a run of two epochs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lcode.readers.logged.base import Logged
from lcode.readers.logged.lines import HEAD, PRINTED, ending_of, head_of, is_binary, printed_text
from lcode.readers.printed.lines.line_shapes import LineShapes
from lcode.readers.printed.lines.printed_line import FEWEST, IN_BATCH
from lcode.readers.printed.lines.printed_lists import COUNTED
from lcode.readers.printed.runs.text_runs import counter_of
from lcode.readers.printed.texts.console_lines import told_in
from lcode.readers.printed.texts.told import Told, in_order
from lcode.readers.printed.texts.uncounted_lines import rows_alike
from lcode.table.metric_names import known_metric

LONGEST = 4 * HEAD
"""Bytes of a text that may be of a run that has but begun: it says of itself and its network what the others say."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Sibling:
    """How another text was read.

    Attributes:
        file: the text.
        axis: what counts its rows.
        first: where the count begins.
        names: its columns.
        is_counted: whether its lines count, rather than were counted.
    """

    file: Path
    axis: str
    first: float
    names: frozenset[str]
    is_counted: bool


def may_have_begun(left: Iterable[Path], read: Collection[Path]) -> list[Path]:
    """Those of the texts in which no training was found that name a metric, beside or named like one of those read.

    Args:
        left: files that no reader has claimed.
        read: texts in which a training is told.
    """
    folders, names = {(path.parent, ending_of(path)) for path in read}, {path.name for path in read}
    found = []
    for path in left:
        ending = ending_of(path)
        if ending not in PRINTED or not ((path.parent, ending) in folders or path.name in names):
            continue
        if path.stat().st_size <= LONGEST and next(_metrics_in(path), None) is not None:
            found.append(path)
    return found


def siblings_of(runs: Iterable[Logged]) -> list[Sibling]:
    """How the texts were read that hold these runs."""
    siblings = []
    runs = [*runs]
    uncounted = {run.file for run in runs if any(note.endswith(COUNTED) for note in run.notes)}
    for run in runs:
        axis = counter_of(run)
        counts = [] if axis is None or axis not in run.columns else run.columns[axis].drop_null().to_pylist()
        if axis is not None and counts and not isinstance(counts[0], str):
            names = frozenset(run.columns)
            siblings.append(Sibling(run.file, axis, min(counts), names, run.file not in uncounted))
    return siblings


def begun_in(path: Path, text: str, siblings: Sequence[Sibling]) -> Told | None:
    """What a text tells of a run that has but begun, read as one of the others; None where none tells the same.

    One alone may be what a training came to: it begins where the others do, or its file is named as theirs are.

    Args:
        path: where it lies.
        text: the text.
        siblings: how files were read, of which others than this one say what it tells.
    """
    counted, rows = told_in(text), rows_alike(text, LineShapes())
    uncounted = in_order(Told([row for _, row in rows], [line for line, _ in rows], [{} for _ in rows]))
    for sibling in siblings:
        if sibling.file == path:
            continue
        told = counted if sibling.is_counted else uncounted
        names = {name for row in told.rows for name in row}
        if not any(known_metric(name) is not None for name in names) or not names <= sibling.names:
            continue
        counts = [row[sibling.axis] for row in told.rows if sibling.axis in row]
        if len(counts) < len(told.rows):
            continue
        begins = sibling.is_counted and counts[0] <= sibling.first
        if begins or len(set(counts)) >= FEWEST or _bare(path.name) == _bare(sibling.file.name):
            return told if sibling.is_counted else _with_remark(told)
    return None


def tells_as(path: Path, siblings: Sequence[Sibling]) -> bool:
    """Whether a text names a metric that others tell, so that the user must hear where it is not read."""
    told = {name.rpartition("/")[2] for sibling in siblings for name in sibling.names}
    return any(name.rpartition("/")[2] in told for name in _metrics_in(path))


def _metrics_in(path: Path) -> Iterator[str]:
    """The metrics that the lines at the beginning of a text name."""
    head, shapes = head_of(path), LineShapes()
    for line in () if is_binary(head) else printed_text(head)[0].split("\n"):
        said = shapes.said_in(line)
        for name in () if said is None else said.pairs:
            if known_metric(name.removeprefix(IN_BATCH)) is not None:
                yield name.removeprefix(IN_BATCH)


def _with_remark(told: Told) -> Told:
    return Told(told.rows, told.lines, told.totals, remarks=(COUNTED,))


def _bare(name: str) -> str:
    """A file's name without what numbers it."""
    return _DIGITS.sub("0", name)

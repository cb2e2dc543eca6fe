"""The `.wandb` files in which W&B keeps a run on disk, online or offline, as a log of records."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged, says_epochs
from lcode.readers.logged.cells import columns_of, flat
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.loggers.wandb_log import MAGIC, records_of
from lcode.readers.loggers.wire import fields
from lcode.readers.understanding.column_words import FORECASTS, STEPS
from lcode.table.metric import Direction
from lcode.table.table import RunStatus

TOOL = "W&B"

_HISTORY, _SUMMARY, _CONFIG, _METRIC, _RUN, _EXIT = 2, 3, 5, 12, 17, 18
"""Kinds of records, as fields of `wandb_internal.Record`."""

_UPDATE, _REMOVE = 1, 2
"""What happens to an entry of the configuration or the summary, as fields of `ConfigRecord` and `SummaryRecord`."""

KIND, _STOPPED = f"{FORECASTS}kind", ("beaten", "diverged")
"""The entry of the summary in which our own hook says why it ended a run, and what it says of one that counts no more;
what one had reached in which nothing was to be gained counts as its end."""

_GOALS: dict[int | bytes, Direction] = {1: "min", 2: "max"}
"""`MetricRecord.goal`, and which of a curve's values its summary shows, as fields of `MetricSummary`."""

_NAME_KEYS, _VALUE_KEY = b"\x0a\x12", b"\x82\x01"
"""On the wire, what stands before the length of a history item's name (fields 1 and 2) and value (field 16)."""

_STEP, _TIME = "_step", "_timestamp"


@dataclass(eq=False)
class _File:
    """What one file says."""

    path: Path
    id: str = ""
    name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    axes: set[str] = field(default_factory=set)
    directions: dict[str, Direction] = field(default_factory=dict)
    told: RunStatus | None = None
    status: RunStatus | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def begun(self) -> float:
        """Seconds since 1970 at its first row."""
        time = self.rows[0].get(_TIME) if self.rows else None
        return float(time) if isinstance(time, (int, float)) else 0.0


class WandbReader:
    """Reads the files under `wandb/` without W&B, its account or a network."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it has the ending of W&B's files."""
        return path.suffix == ".wandb" and path.is_file()

    def owns(self, path: Path) -> Path:
        """The folder of the run."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs of these files; files with the same run id are one run, which was resumed.

        Raises:
            InputError: no file can be read, or none holds a row.
        """
        files, damaged = parsed(paths, _read)
        files.sort(key=lambda file: file.begun)
        runs: dict[str, list[_File]] = {}
        for file in files:
            runs.setdefault(file.id or str(file.path), []).append(file)
        return sound_runs(runs.values(), lambda parts: [_logged(parts)], damaged)


def _read(path: Path) -> _File:
    """What a file says, as far as it is whole.

    Raises:
        InputError: it is none of W&B's, or holds no record.
    """
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        what = "is no file of W&B" if data.strip(b"\0") else "is empty"
        raise InputError(f"{what}, so there is no run of {TOOL} in it; restore it, or move it away", path=path)
    file, records = _File(path), records_of(data)
    damaged = records.damaged
    for record in records.whole:
        try:
            for kind, content in fields(record):
                if isinstance(content, bytes) and kind in _TAKEN:
                    _TAKEN[kind](file, content)
        except ValueError:
            damaged += 1
    if damaged:
        file.notes.append(f"{path.name}: {damaged} damaged record(s) were left out.")
    if records.torn:
        file.notes.append(f"{path.name}: its end is torn and was left out; a training that still writes it mends that.")
    return file


def _run(file: _File, message: bytes) -> None:
    for number, content in fields(message):
        if number == 1:
            file.id = _text(content)
        elif number == 8:
            file.name = _text(content)
        elif number == 4 and isinstance(content, bytes):
            _config(file, content)


def _config(file: _File, message: bytes) -> None:
    for number, content in fields(message):
        if isinstance(content, bytes) and number in (_UPDATE, _REMOVE):
            names, value = _item(content)
            inner = file.config
            for name in names[:-1]:
                inner = inner.setdefault(name, {})
            if number == _UPDATE:
                inner[names[-1]] = value
            else:
                inner.pop(names[-1], None)


def _history(file: _File, message: bytes) -> None:
    row: dict[str, Any] = {}
    for number, content in fields(message):
        if number == 1 and isinstance(content, bytes):
            middle = 2 + content[1] if len(content) > 1 else 0
            if content[middle : middle + 2] == _VALUE_KEY and _is_short(content, middle):
                row[content[2:middle].decode()] = _json(content[middle + 3 :])
                continue
            names, value = _item(content)
            row |= flat({".".join(names): value}, ".")
        elif number == 2 and isinstance(content, bytes):
            row[_STEP] = next((step for _, step in fields(content)), 0)
    media = tuple(name.removesuffix("_type") for name in row if name.endswith("._type"))
    if media:  # pictures, tables, histograms
        row = {name: value for name, value in row.items() if not name.startswith(media)}
    file.rows.append(row)


def _is_short(item: bytes, middle: int) -> bool:
    """Whether an item is a name and a value of less than 128 bytes each, as nearly all are: no need to walk through."""
    size = len(item) - middle - 3
    return item[0] in _NAME_KEYS and middle < 130 and 0 <= size < 128 and item[middle + 2] == size


def _item(message: bytes) -> tuple[list[str], Any]:
    """Name, outermost part first, and value of an entry of the history or the configuration."""
    names: list[str] = []
    value: Any = None
    for number, content in fields(message):
        if number in (1, 2):
            names.append(_text(content))
        elif isinstance(content, bytes):
            value = (
                struct.unpack("<d", content)[0] if number == 6 else _text(content) if number == 7 else _json(content)
            )
        elif number == 4:
            value = bool(content)
        elif number == 5:
            value = (content >> 1) ^ -(content & 1)
    if not names:
        raise ValueError("an entry without a name")
    return names, value


def _metric(file: _File, message: bytes) -> None:
    """What `define_metric` said: the curve a metric is drawn against, and which way is better."""
    name, goals = "", []
    for number, content in fields(message):
        if number in (1, 2):
            name = _text(content)
            file.metrics.append(name)
        elif number == 4:
            file.axes.add(_text(content))
        elif number == 5 and isinstance(content, int) and 0 < content <= len(file.metrics):
            file.axes.add(file.metrics[content - 1])
        elif number == 7 and isinstance(content, bytes):
            goals += [_GOALS[number] for number, _ in fields(content) if number in _GOALS]
        elif number == 8 and content in _GOALS:
            goals = [_GOALS[content]]
    if len(goals) == 1 and name:
        file.directions[name] = goals[0]


def _summary(file: _File, message: bytes) -> None:
    """Why our own hook has ended the run; the rest repeats the last rows."""
    for number, content in fields(message):
        if number == _UPDATE and isinstance(content, bytes) and KIND.encode() in content:
            names, value = _item(content)
            if names == [KIND]:
                file.told = "stopped" if value in _STOPPED else None


def _exit(file: _File, message: bytes) -> None:
    code = next((content for number, content in fields(message) if number == 1), 0)
    file.status = "failed" if code else "finished"


_TAKEN: Mapping[int, Callable[[_File, bytes], None]] = {
    _HISTORY: _history,
    _SUMMARY: _summary,
    _CONFIG: _config,
    _METRIC: _metric,
    _RUN: _run,
    _EXIT: _exit,
}
"""What is read of each kind of record; the others hold prints, readings of the machine and requests."""


def _text(content: int | bytes) -> str:
    if isinstance(content, int):
        raise ValueError("a number where a text stands")
    return content.decode()


def _json(content: bytes) -> Any:
    """A value; most are numbers, and W&B writes those that are not finite as texts or bare words."""
    try:
        return float(content) if not content.isdigit() else int(content)
    except ValueError:
        return parse_json(content)


def _logged(files: Sequence[_File]) -> Logged:
    """The run that these files make up, which are in order of time."""
    rows = [row for file in files for row in file.rows]
    notes = tuple(note for file in files for note in file.notes)
    last = files[-1]
    if not rows:
        raise InputError(
            f"a run of {TOOL} that has logged nothing yet; read it after its first run.log(…), or move it away",
            path=last.path,
        )
    config: dict[str, Any] = {}
    for file in files:
        config |= file.config
    config.pop("_wandb", None)
    columns = columns_of(rows, last.path, TOOL)
    # Integrations declare the step; what else is declared is the user's own word.
    declared = {axis for file in files for axis in file.axes if axis in columns}
    axes = {axis for axis in declared if axis not in STEPS} or (set() if says_epochs(columns) else declared)
    return Logged(
        file=last.path,
        # The records' entries come in any order.
        columns={name: columns[name] for name in sorted(columns, key=lambda name: (name != _STEP, name))},
        run=last.name or last.id,
        axis=axes.pop() if len(axes) == 1 else None if says_epochs(columns) or _STEP not in columns else _STEP,
        config=flat({name: _unwrapped(value) for name, value in config.items()}, "."),
        status=last.told if last.told and last.status != "failed" else last.status,
        directions={name: way for file in files for name, way in file.directions.items() if name in columns},
        notes=notes,
    )


def _unwrapped(value: Any) -> Any:
    """A setting that is wrapped as in `config.yaml`: `{"desc": …, "value": …}`."""
    if isinstance(value, Mapping) and "value" in value and value.keys() <= {"desc", "value"}:
        return value["value"]
    return value

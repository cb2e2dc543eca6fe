"""One run log: how it is told from other files, and its lines, parsed and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcode.errors import InputError, UsageError
from lcode.json_text import as_float, parse_json
from lcode.table.axis import MAX_TICKS
from lcode.table.log_lines import is_complete_line
from lcode.table.metric import Direction, Metric
from lcode.table.run_rows import STATUSES
from lcode.table.runlog import FORMAT_VERSION, RunHeader


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "run": (lambda value: isinstance(value, str), "a name"),
    "horizon": (lambda value: type(value) is int and value <= MAX_TICKS, "the planned last epoch, a whole number"),
    "metrics": (lambda value: isinstance(value, list), "a list of metrics"),
    "config": (lambda value: value is None or isinstance(value, dict), "an object, hyper-parameter -> value"),
    "arch": (lambda value: value is None or isinstance(value, str), "the name of an architecture"),
    "problem": (lambda value: value is None or isinstance(value, str), "the name of a problem"),
    "seed": (lambda value: value is None or type(value) in (int, str), "a number or a name"),
    "schedule": (
        lambda value: value is None or (isinstance(value, list) and all(map(_is_number, value))),
        "a list of learning rates, one per epoch up to the horizon",
    ),
}
"""What a header's fields must be: a check and its description."""


@dataclass(frozen=True)
class Log:
    """One run log.

    Attributes:
        path: the file.
        header: its first line, without the graph.
        graph: the architecture as parsed JSON, or None.
        epochs: the epoch lines as parsed JSON.
        places: file and 1-based line of each epoch.
        status: what the last end line says, `running` if an epoch follows it or there is none.
        notes: remarks for the user.
    """

    path: Path
    header: RunHeader
    graph: Any
    epochs: list[dict[str, Any]]
    places: list[tuple[Path, int]]
    status: str
    notes: tuple[str, ...]


def begins_with_object(path: Path) -> bool:
    """Whether the first line of the file is whole; that of a log that was just made, or is damaged, is not."""
    first = _first_line(path)
    return first is not None and first[1]


def is_run_log(path: Path) -> bool:
    """Whether the first line of the file is the header of a run log, whole or damaged.

    Other programs begin with `{"type": "header", "hparams": {…}}`, which says nothing of what ours must say.
    """
    first = _first_line(path)
    if first is None or first[0].get("type") != "header":
        return False
    foreign = any(isinstance(value, dict) for value in first[0].values())
    return not foreign or not {"run", "horizon", "metrics"}.isdisjoint(first[0])


def _first_line(path: Path) -> tuple[dict[str, Any], bool] | None:
    """The object in the first line, and whether the line is ended; None if it is no object."""
    with path.open("rb") as file:
        line = file.readline()
    try:
        header = parse_json(line)
    except ValueError:
        return None
    return (header, line.endswith(b"\n")) if isinstance(header, dict) else None


def read_log(path: Path) -> Log:
    """Parse and check one log; a torn last line is skipped.

    Raises:
        InputError: a damaged line or a header that makes no sense; the message names the line and the remedy.
    """
    entries, lines, notes = _entries(path)
    header, graph = _header(path, entries[0])
    keys = {metric.key for metric in header.metrics}
    epochs, epoch_lines, status = [], [], "running"
    for entry, line in zip(entries[1:], lines[1:], strict=True):
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "epoch":
            _check_epoch(path, line, entry, keys)
            epochs.append(entry)
            epoch_lines.append(line)
            status = "running"
        elif kind == "end":
            status = entry.get("status")
            if status not in STATUSES:
                raise InputError(
                    f"'{status}' is no status; write one of {', '.join(STATUSES)}",
                    path=path,
                    line=line,
                    column="status",
                )
        elif kind == "verdict":  # what a monitor of the folder said; that counts while the sweep goes on
            continue
        elif kind == "header":
            raise InputError(
                "is a second header: two runs wrote into one log. Move its lines into a log of their own",
                path=path,
                line=line,
            )
        else:
            raise InputError("is no line of a run log; its 'type' must be 'epoch' or 'end'", path=path, line=line)
    return Log(path, header, graph, epochs, [(path, line) for line in epoch_lines], status, notes)


def _entries(path: Path) -> tuple[list[Any], list[int], tuple[str, ...]]:
    """The parsed lines, their numbers, and a note if the last one was torn."""
    numbered = [(i, line) for i, line in enumerate(path.read_bytes().split(b"\n"), start=1) if line.strip()]
    notes: tuple[str, ...] = ()
    if not is_complete_line(numbered[-1][1]):
        notes = (f"{path.name}: the last line is incomplete and was skipped.",)
        numbered = numbered[:-1]
    numbers = [number for number, _ in numbered]
    try:
        entries = parse_json(b"[" + b",".join(line for _, line in numbered) + b"]")
        if len(entries) == len(numbered):
            return entries, numbers, notes
    except ValueError:
        pass
    return [_entry(path, number, line) for number, line in numbered], numbers, notes


def _entry(path: Path, number: int, line: bytes) -> Any:
    try:
        return parse_json(line)
    except ValueError as error:
        raise InputError(f"is not JSON ({error}); mend or remove the line", path=path, line=number) from error


def _header(path: Path, entry: Mapping[str, Any]) -> tuple[RunHeader, Any]:
    """The header, and the architecture graph as JSON."""
    version = entry.get("version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"is a run log of version {version}, but this lcode reads version {FORMAT_VERSION}; upgrade lcode",
            path=path,
            line=1,
        )
    for name, (is_right, expected) in _FIELDS.items():
        if not is_right(entry.get(name)):
            raise InputError(
                f"the header's '{name}' is {json.dumps(entry.get(name))[:60]}; expected {expected}",
                path=path,
                line=1,
                column=name,
            )
    config = entry.get("config") or {}
    for name, value in config.items():
        if isinstance(value, (dict, list)):
            raise InputError(
                "holds a nested value; write one number, text or truth value per hyper-parameter",
                path=path,
                line=1,
                column=f"config.{name}",
            )
    try:
        metrics = tuple(Metric(str(m["task"]), str(m["name"]), _direction(m["direction"])) for m in entry["metrics"])
        header = RunHeader(
            run=entry["run"],
            horizon=entry["horizon"],
            metrics=metrics,
            config=config,
            problem=entry.get("problem"),
            seed=entry.get("seed"),
            arch=entry.get("arch"),
            schedule=None if entry.get("schedule") is None else [as_float(rate) for rate in entry["schedule"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            'the header\'s metrics must each read {"task": …, "name": …, "direction": "min" or "max"}',
            path=path,
            line=1,
            column="metrics",
        ) from error
    except UsageError as error:
        raise InputError(f"{error}; correct the header", path=path, line=1) from error
    return header, entry.get("graph")


def _direction(text: str) -> Direction:
    if text == "min":
        return "min"
    if text == "max":
        return "max"
    raise ValueError(text)


def _check_epoch(path: Path, line: int, entry: Mapping[str, Any], keys: set[str]) -> None:
    epoch, values = entry.get("epoch"), entry.get("values")
    if type(epoch) is not int or not 0 <= epoch <= MAX_TICKS:
        raise InputError(
            f"{json.dumps(epoch)} is not an epoch; epochs are whole numbers counted from 0 or 1",
            path=path,
            line=line,
            column="epoch",
        )
    if not isinstance(values, dict) or not isinstance(entry.get("signals") or {}, dict):
        raise InputError("'values' and 'signals' must be objects, metric -> number", path=path, line=line)
    if not values.keys() <= keys:
        unknown = min(values.keys() - keys)
        raise InputError(
            f"is not among the header's metrics ({', '.join(sorted(keys))}); add it there, or move it to 'signals'",
            path=path,
            line=line,
            column=unknown,
        )

"""Logs that a program or a service rotates as they grow: `train.log.2`, `train.log.1` and `train.log` are one text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from lcode.readers.logged.base import Logged
from lcode.readers.printed.runs.text_runs import counter_of
from lcode.table.reading import listed

_OLDER = re.compile(r"(?P<log>.+)\.(?P<age>\d{1,3})")


def with_rotated(runs: Sequence[Logged]) -> list[Logged]:
    """The runs, of which those are one whose files are parts of a log that go on where the next older one ended.

    A file that begins anew is a training of its own, as where a log is set aside when a program starts.
    """
    logs: dict[Path, list[tuple[int, Logged]]] = {}
    for run in runs:
        older = _OLDER.fullmatch(run.file.name)
        log, age = (older["log"], int(older["age"])) if older else (run.file.name, 0)
        logs.setdefault(run.file.with_name(log), []).append((age, run))
    return [run for log, parts in logs.items() for run in _with_packed(log, [*_put_together(parts)], len(parts))]


def _with_packed(log: Path, runs: list[Logged], parts: int) -> list[Logged]:
    """The runs of one log, with a remark on still older parts of it that were compressed."""
    packed = sorted(path.name for path in log.parent.glob(f"{log.name}.*.gz")) if parts > 1 else []
    if packed:
        note = f"older parts of '{log.name}' are compressed and not read: {listed(packed)}; unpack them with gunzip."
        runs[-1] = replace(runs[-1], notes=(*runs[-1].notes, note))
    return runs


def _put_together(parts: Sequence[tuple[int, Logged]]) -> Iterator[Logged]:
    """The runs of one log, given by the age of the part that they are in."""
    ages = [age for age, _ in parts]
    if len(parts) == 1 or len(set(ages)) < len(ages):  # a part holds several runs
        yield from (run for _, run in parts)
        return
    oldest, *newer = (run for _, run in sorted(parts, key=lambda part: -part[0]))
    whole = oldest
    for run in newer:
        if _goes_on(whole, run):
            whole = joined(whole, run)
        else:
            yield whole
            whole = run
    yield whole


def _goes_on(older: Logged, newer: Logged) -> bool:
    axis = counter_of(newer)
    if axis is None or axis != counter_of(older) or older.status == "failed":
        return False
    before, after = (
        [at for at in run.columns[axis].to_pylist() if isinstance(at, int | float)] for run in (older, newer)
    )
    return bool(before) and bool(after) and 0 <= after[0] - before[-1] <= max(1.0, before[-1] - before[0])


def joined(older: Logged, newer: Logged) -> Logged:
    """One run with the rows of both; what was set at its beginning stands in the older file."""
    sizes = [len(next(iter(run.columns.values()))) for run in (older, newer)]
    columns = {}
    for name in dict.fromkeys((*older.columns, *newer.columns)):
        cells = [run.columns.get(name, pa.nulls(size)) for run, size in zip((older, newer), sizes, strict=True)]
        kinds = {one.type for one in cells if not pa.types.is_null(one.type)}
        kind = kinds.pop() if len(kinds) == 1 else pa.string() if pa.string() in kinds else pa.float64()
        columns[name] = pa.concat_arrays([one.cast(kind) for one in cells])
    note = f"'{newer.file.name}' goes on where '{older.file.name}' ended, so they are read as one log."
    return replace(
        newer,
        columns=columns,
        config={**older.config, **newer.config},
        horizon=older.horizon if newer.horizon is None else newer.horizon,
        total=older.total if newer.total is None else newer.total,
        lines=None,
        notes=(*older.notes, *newer.notes, note),
    )

"""The `monitor.csv` of stable-baselines3 and of OpenAI's baselines before it: a row per episode of an environment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import Cells, csv_cells, head_of, refused
from lcode.readers.logged.several import parsed, sound_runs

TOOL = "stable-baselines3 (Monitor)"

AXIS = "steps"
"""Steps of the environment: the sum of the episodes' lengths, as stable-baselines3 plots them."""

REWARD, LENGTH, CLOCK = "r", "l", "t"

_BEGINNING = re.compile(rb'# ?\{[^\n]*"t_start"')

_NAMES = {REWARD: "episode_reward", LENGTH: "episode_length"}


class MonitorReader:
    """Reads what `Monitor` writes: the files `0.monitor.csv`, `1.monitor.csv` …, one per environment, are one run."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file begins as `Monitor` begins it."""
        return path.suffix == ".csv" and _BEGINNING.match(head_of(path, 1024)) is not None

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, csv_cells(path, TOOL, comments=True)))
        environments: dict[Path, list[tuple[Path, Cells]]] = {}
        for path, cells in files:
            one = path.with_name(re.sub(r"^[\d.]+(?=monitor\.csv$)", "", path.name))
            environments.setdefault(one, []).append((path, cells))
        return sound_runs(environments.values(), lambda members: [_run(members)], damaged)


def _run(members: Sequence[tuple[Path, Cells]]) -> Logged:
    """The episodes of all environments in the order in which they ended."""
    first = members[0][0]
    for path, cells in members:
        missing = [name for name in (REWARD, LENGTH, CLOCK) if name not in cells.header]
        if missing:
            raise refused(path, TOOL, f"it has no column '{missing[0]}'", 2)
    header = list(dict.fromkeys(name for _, cells in members for name in cells.header))
    rows, lines = [], []
    for _, cells in members:
        place = [cells.header.index(name) if name in cells.header else None for name in header]
        rows += [["" if at is None else row[at] for at in place] for row in cells.rows]
        lines += cells.lines
    columns = spelled_columns(header, rows)
    if not columns or not all(
        pa.types.is_integer(columns[n].type) or pa.types.is_floating(columns[n].type) for n in (REWARD, LENGTH, CLOCK)
    ):
        raise InputError(f"is read as a file of {TOOL}, but no episode has ended yet; read it later", path=first)
    order = np.argsort(
        [_started(path) + float(row[cells.header.index(CLOCK)]) for path, cells in members for row in cells.rows],
        kind="stable",
    )
    taken = {_NAMES.get(name, name): column.take(pa.array(order)) for name, column in columns.items() if name != CLOCK}
    steps = np.cumsum(taken[_NAMES[LENGTH]].to_numpy(zero_copy_only=False))
    return Logged(
        first,
        {AXIS: pa.array(steps), **taken},
        axis=AXIS,
        directions={_NAMES[REWARD]: "max"},
        lines=[lines[at] for at in order],
        notes=tuple(note for _, cells in members for note in cells.notes),
    )


def _started(path: Path) -> float:
    """When the environment was made; its clock counts from there."""
    try:
        told = parse_json(head_of(path).split(b"\n", 1)[0].lstrip(b"#"))
    except ValueError:
        return 0.0
    started = told.get("t_start") if isinstance(told, dict) else None
    return float(started) if isinstance(started, (int, float)) else 0.0

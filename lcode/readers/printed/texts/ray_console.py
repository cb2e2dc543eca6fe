"""What Ray Tune and RLlib print of their trials: a block or a box per result, or else tables of the status.

Result for PPO_env_00000:          | Trial name    | status  | loc       | lr  | iter | total time (s) | reward |
  episode_reward_mean: 22.5        |---------------+---------+-----------+-----+------+----------------+--------|
  training_iteration: 1            | PPO_env_00000 | RUNNING | 10.0.0.1  | 0.1 |    1 |           9.5  |  22.5  |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lcode.readers.printed.lines.printed_line import RUN, STEP
from lcode.readers.printed.texts.told import Told
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import why_left_out
from lcode.table.metric_names import known_metric

_AXIS = "training_iteration"

_BLOCK = re.compile(r"(?:.*\s)?Result for (?P<trial>[^\s:]+):?\s*")
_BOX = re.compile(r"│ Trial (?P<trial>\S+) result\s*│")
_PAIR = re.compile(r"(?P<indent> +)(?P<name>[^\s:](?:[^:]*[^\s:])?):(?: (?P<value>.*))?")
_BOX_PAIR = re.compile(r"│ (?P<name>\S+)\s+(?P<value>\S+)\s*│")

_TIME = "total time (s)"
"""In a table of the status: between what a trial was given, with its iteration, and what it has reported."""

_NO_RESULTS = ("hist_stats", "timers", "sampler_perf", "perf", "config", "counters")
"""Groups of a result that tell nothing of how well it is."""


def told_by_ray(text: str) -> Told:
    """The results of all trials in the order in which they were printed; no rows where Ray printed none."""
    if "Result for " in text or " result " in text:
        told = _as_told([*_blocks(text), *_boxes(text)])
        if told.rows:
            return told
    return _as_told([*_of_tables(text)]) if _TIME in text else Told()


def is_status(header: Sequence[str]) -> bool:
    """Whether these are the names of a table of the status, which is printed again and again."""
    return header[0] == "Trial name" and "iter" in header and _TIME in header


def _as_told(results: list[tuple[int, str, dict[str, Any]]]) -> Told:
    """The results that are counted, as rows."""
    told = Told()
    for line, trial, row in sorted(results, key=lambda one: one[0]):
        if _AXIS in row and any(known_metric(name) is not None for name in row):
            kept = {name: value for name, value in row.items() if name != _AXIS and why_left_out(name) is None}
            told.rows.append({STEP: row[_AXIS], RUN: trial, **kept})
            told.lines.append(line)
            told.totals.append({})
    return told


def _blocks(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The line, the trial and the numbers of each block of inset lines; nested names are joined by slashes."""
    row: dict[str, Any] | None = None
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        head = _BLOCK.fullmatch(line)
        if head is not None:
            row, above = {}, []
            yield number, head["trial"], row
            continue
        found = None if row is None else _PAIR.fullmatch(line.rstrip())
        if row is None or found is None:
            row = None
            continue
        indent = len(found["indent"])
        above = [(before, name) for before, name in above if before < indent]
        names = [*(name for _, name in above), found["name"]]
        value = as_number(found["value"])
        if not found["value"]:
            above.append((indent, found["name"]))
        elif value is not None and names[0] not in _NO_RESULTS:
            row["/".join(names)] = value


def _boxes(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The same of boxes, as newer versions draw them."""
    row: dict[str, Any] | None = None
    for number, line in enumerate(text.split("\n") if "│ Trial " in text else (), start=1):
        head = _BOX.search(line)
        if head is not None:
            row = {}
            yield number, head["trial"], row
            continue
        found = None if row is None else _BOX_PAIR.search(line)
        value = None if found is None else as_number(found["value"])
        if row is not None and found is not None and value is not None:
            row[found["name"]] = value
        elif line.strip().startswith("╰"):
            row = None


def _of_tables(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The same of the rows of each table of the status."""
    names: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.lstrip().startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if is_status(cells):
            names = cells
        elif names and len(cells) == len(names):
            yield number, cells[0], _of_row(dict(zip(names, cells, strict=True)))


def _of_row(cells: Mapping[str, str]) -> dict[str, Any]:
    """The iteration of a trial in a table, and what it has reported up to then."""
    names = list(cells)
    at = as_number(cells["iter"])
    told = {name: as_number(cells[name]) for name in names[names.index(_TIME) + 1 :] if name != "ts"}
    row = {name: value for name, value in told.items() if value is not None}
    return row if at is None else {_AXIS: at, **row}

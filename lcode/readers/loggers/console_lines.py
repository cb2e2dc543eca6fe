"""Lines in which a program tells how its training goes, as rows: `Epoch 3/50 - loss: 0.25 - val acc 0.9`.

No two programs print alike, but nearly all name what they count and name each number. So a line is searched for
counters and for names with a number behind them. What stands in lines without a counter, such as
the validation that follows, belongs to the counter before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from statistics import mean
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.loggers.line_forms import DATA, NUMBER, usual_form
from lcode.readers.loggers.line_shapes import LineShapes
from lcode.readers.loggers.printed_line import BATCH, EPOCH, IN_BATCH, SECTION, STEP
from lcode.readers.loggers.uncounted_lines import uncounted_rows
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_SPLIT_WORD = re.compile(r"train|val(?:id)?|test|eval|dev", re.IGNORECASE)
_BOXED = re.compile(rf"^\| *(?P<name>[A-Za-z][\w /.%-]*?)(?P<group>/)? *\| *(?P<value>{NUMBER})? *\|$")
_RULE = re.compile(r"^[-=+]{9,}$")
_OBJECT = re.compile(r"\{\s*[\"'].*\}\s*$")
_PYTHON = (
    ("'", '"'),
    ("None", "null"),
    ("True", "true"),
    ("False", "false"),
    (": nan", ": NaN"),
    (": inf", ": Infinity"),
)
"""What makes JSON of a printed dictionary of numbers."""


_SOME = 5
"""Values at either end of a curve by which it is told whether it falls."""

SPLITS_OF_SECTIONS = {"tra": "train", "val": "val", "eva": "val", "dev": "val", "tes": "test"}
"""What the words at the head of a section say, by their first letters."""

LONGEST_HEAD = 120
"""Characters of a line that may be the head of a section, time and place in the program before it."""

LONGEST = 2000
"""Characters of a line that are looked at: more is the print of a network or of a configuration."""


@dataclass
class Told:
    """What a program has told.

    Attributes:
        rows: counters and values in the order in which they were printed; a row per value of the counters.
        lines: 1-based line at which each row begins.
        totals: the last value that each counter is said to reach where a row is told, by counter, of each row.
        remarks: what to tell the user of how names were understood.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    totals: list[Mapping[str, float]] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    @property
    def axis(self) -> str:
        """The counter of the rows: epochs where there are several, else steps."""
        epochs, steps = ({row[name] for row in self.rows if name in row} for name in (EPOCH, STEP))
        return EPOCH if len(epochs) > 1 or not steps else STEP

    @cached_property
    def is_training(self) -> bool:
        """Whether a known metric is told at several values of the counters."""
        return any(known_metric(name) is not None for name in _at_several_counts(self.rows) - {EPOCH, STEP, BATCH})


def told_in(text: str) -> Told:
    """The rows that lines of text tell; names that come up at one count of several are left out, as they sum up."""
    told = _boxed(text)
    if len(told.rows) > 1:
        return told
    told = Told()
    counters: dict[str, float] = {}
    totals: dict[str, float] = {}
    row: dict[str, Any] = {}
    shapes = LineShapes()
    section = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        stats = _OBJECT.search(raw) if "}" in raw[-3:] and len(raw) < LONGEST else None
        if stats is not None and (values := _object(stats.group())):
            told.rows.append(values)
            told.lines.append(number)
            told.totals.append(totals)
            continue
        line = raw.rstrip("\r").rpartition("\r")[2][:LONGEST]  # a progress bar's last state
        said = shapes.said_in(line)
        if counters and (said is None or not said.pairs):
            section = _section(line) or ("" if said is not None and EPOCH in said.counters else section)
        if said is None:
            continue
        if said.counters:
            now = said.counters
            totals = {**totals, **said.totals}
            if EPOCH in counters and EPOCH not in now:
                now[EPOCH] = counters[EPOCH]
            if now.get(EPOCH) != counters.get(EPOCH) and said.pairs:
                section = ""
            if now != counters:
                counters, row = now, {}
        if not counters:
            continue
        pairs = _in_section(said.pairs, section) if section else said.pairs
        if pairs and (not row or not row.keys().isdisjoint(pairs)):
            row = {}
        if pairs and not row:
            row = dict(counters)
            told.rows.append(row)
            told.lines.append(number)
            told.totals.append(totals)
        row.update(pairs)
    told = _without_summaries(_with_splits(_with_passes(told)))
    return told if told.is_training else _uncounted(text) or told


def _section(line: str) -> str:
    """The part of the data that a line says the ones below it are of; empty where it says none."""
    if len(line) > LONGEST_HEAD or not _SPLIT_WORD.search(line):
        return ""
    found = SECTION.fullmatch(line) or SECTION.fullmatch(usual_form(line).rpartition("\n")[2])
    return "" if found is None else SPLITS_OF_SECTIONS.get((found["data"] or found["split"]).lower()[:3], "")


def _in_section(pairs: Mapping[str, float], section: str) -> dict[str, float]:
    """The values with the part of the data in their names, where these do not say it."""
    names = {name: name.removeprefix(IN_BATCH) for name in pairs}
    return {
        name if split_name(bare)[0] or bare.lower() in DATA else f"{section}/{bare}": pairs[name]
        for name, bare in names.items()
    }


def metrics_told(text: str) -> tuple[bool, str]:
    """Whether lines that name metrics come after a counter, and one of the metrics: for what is said of other texts."""
    shapes = LineShapes()
    counted = False
    for line in text.split("\n"):
        said = shapes.said_in(line[:LONGEST])
        if said is not None:
            counted = counted or bool(said.counters)
            names = [name.removeprefix(IN_BATCH) for name in said.pairs if "/" not in name]  # or it is an address
            metric = next((name for name in names if known_metric(name) is not None), "")
            if metric:
                return counted, metric
    return counted, ""


def _uncounted(text: str) -> Told | None:
    """The rows of a text in which nothing is counted, or nothing named."""
    rows, remark = uncounted_rows(text)
    if not rows:
        return None
    return Told([row for _, row in rows], [line for line, _ in rows], [{} for _ in rows], (remark,))


def _with_passes(told: Told) -> Told:
    """The rows with the number of the pass over the data, where only its batches are counted, anew in each.

    Batches of one epoch alone are steps.
    """
    epochs, batches = ({row.get(name) for row in told.rows} for name in (EPOCH, BATCH))
    if len(epochs) == 1 < len(batches) and None not in epochs and not any(STEP in row for row in told.rows):
        return replace(told, rows=[{STEP: row.get(BATCH, 0.0), **row} for row in told.rows])
    if not told.rows or any(EPOCH in row or STEP in row for row in told.rows):
        return told
    rows, number, last = [], 1, -1.0
    for row in told.rows:
        at = row.get(BATCH, last)
        number += at < last
        last = at
        rows.append({EPOCH: float(number), **row})
    if number == 1:
        rows = [{STEP: row.get(BATCH, 0.0), **row} for row in told.rows]
    return replace(told, rows=rows)


def _with_splits(told: Told) -> Told:
    """The rows with names that say on which data was measured, where that is to be told from other lines.

    What is told within an epoch is of the training where other lines are of held-out data. `train 0.31 val 0.35` names
    no metric: it is a loss where it falls, else a score.
    """
    names = set(chain.from_iterable(told.rows))
    of_batches = [name for name in names if name.startswith(IN_BATCH)]
    others = names.difference(of_batches)
    apart = any(
        split_name(name)[0] in ("val", "test") or SPLITS.get(name.lower()) in ("val", "test") for name in others
    )
    # A score that is told without a batch, and in no batch, comes from an evaluation.
    in_batches = {name.removeprefix(IN_BATCH).lower() for name in of_batches}
    apart = apart or any(
        known_metric(name) is not None and not split_name(name)[0] and "loss" not in words_of(name)
        for name in others
        if name.lower() not in in_batches and name.lower() not in DATA
    )
    renamed = {name: ("train/" if apart else "") + name.removeprefix(IN_BATCH) for name in of_batches}
    # `Batch [20] acc=0.7`, and at the end of the epoch `Train-acc=0.8`: this is the curve.
    told_of_epochs = {split_name(name)[1].lower() for name in others if split_name(name)[0] == "train"}
    dropped = () if apart else {name for name in of_batches if name.removeprefix(IN_BATCH).lower() in told_of_epochs}
    bare = {name: SPLITS[name.lower()] for name in others if name.lower() in DATA}
    remarks = told.remarks
    if "train" in bare.values() and len(set(bare.values())) > 1:
        first = next(name for name, split in bare.items() if split == "train")
        values = [row[first] for row in told.rows if first in row]
        some = max(1, min(_SOME, len(values) // 2))
        metric = "loss" if mean(values[-some:]) <= mean(values[:some]) else "score"
        renamed |= {name: f"{name}/{metric}" for name in bare}
        listed = " and ".join(sorted(f"'{name}'" for name in bare))
        remarks += (f"{listed} name no metric and are read as a {metric}, by the way that '{first}' went.",)
    elif bare and any(
        split_name(name)[0] != "val" and split_name(name)[1].lower() == "loss"
        for name in (*others, *(name.removeprefix(IN_BATCH) for name in of_batches))
    ):
        renamed |= {name: f"{name}/loss" for name in bare}  # `loss 0.31 val 0.35`
    if not renamed:
        return told
    named: dict[tuple[str, ...], list[str]] = {}  # most rows have the same names
    rows = []
    for row in told.rows:
        row = {name: value for name, value in row.items() if name not in dropped} if dropped else row
        key = tuple(row)
        if key not in named:
            named[key] = [renamed.get(name, name) for name in key]
        rows.append(dict(zip(named[key], row.values(), strict=True)))
    return replace(told, rows=rows, remarks=remarks)


def _boxed(text: str) -> Told:
    """The rows of boxes such as stable-baselines3 prints: a name and a number per line, groups of names inset."""
    told = Told()
    row: dict[str, Any] = {}
    group = ""
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        found = _BOXED.match(line) if line.startswith("|") else None
        if found is not None and found["value"] is None:
            group = f"{found['name'].strip()}/" if found["group"] else ""
        elif found is not None:
            row[group + found["name"].strip()] = float(found["value"])
        elif _RULE.match(line):
            counters = [name for name in row if name.rpartition("/")[2].lower() in STEPS + EPOCHS]
            step = row.get("time/total_timesteps", row[counters[0]] if counters else None)
            if step is not None and len(row) > 1:
                told.rows.append({STEP: step, **row})
                told.lines.append(number)
                told.totals.append({})
            row, group = {}, ""
    return told


def _object(text: str) -> dict[str, Any]:
    """The numbers of an object that ends a line, its counters (`"epoch": "3/50"`) among them; none without one."""
    if text[1:].lstrip().startswith("'"):
        for python, same in _PYTHON:
            text = text.replace(python, same)
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    kind = next((str(found[name]) for name in ("_type", "type", "mode", "split", "phase") if name in found), "")
    split = _SPLIT_WORD.match(kind)
    row: dict[str, Any] = {}
    for name, value in found.items():
        counter = EPOCH if name.lower() in EPOCHS else STEP if name.lower() in STEPS else None
        if isinstance(value, str):
            value = as_number(value.partition("/")[0] if counter is not None else value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            row[counter or (f"{split.group()}/{name}" if split is not None else name)] = float(value)
    return row if EPOCH in row or STEP in row else {}


def _without_summaries(told: Told) -> Told:
    several = _at_several_counts(told.rows)
    if several:
        several -= _settings(told.rows)
        for row in told.rows:
            for name in row.keys() - several:
                del row[name]
    kept = [at for at, row in enumerate(told.rows) if not row.keys() <= {EPOCH, STEP, BATCH}]
    return replace(
        told,
        rows=[told.rows[at] for at in kept],
        lines=[told.lines[at] for at in kept],
        totals=[told.totals[at] for at in kept],
    )


def _settings(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The names with one value all through the log that are told in less than half as many rows as others.

    A training that is started again prints its configuration again, `FOCAL_LOSS_ALPHA: 0.25` among it.
    """
    times: Counter[str] = Counter()
    for names, number in Counter(map(tuple, rows)).items():
        times.update(dict.fromkeys(names, number))
    counters = {EPOCH, STEP, BATCH}
    most = max((number for name, number in times.items() if name not in counters), default=0)
    rare = {name for name, number in times.items() if 2 * number < most} - counters
    values: dict[str, set[Any]] = {name: set() for name in rare}
    for row in rows if rare else ():
        for name in rare & row.keys():
            values[name].add(row[name])
    return {name for name, found in values.items() if len(found) == 1}


def _at_several_counts(rows: Iterable[dict[str, Any]]) -> set[str]:
    """The names in rows of which the counters differ."""
    first: dict[str, tuple[Any, ...]] = {}
    several: set[str] = set()
    for row in rows:
        if row.keys() <= several:
            continue
        counted = (row.get(EPOCH), row.get(STEP), row.get(BATCH))
        several |= {name for name in row if first.setdefault(name, counted) != counted}
    return several

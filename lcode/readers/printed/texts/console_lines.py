"""Lines in which a program tells how its training goes, as rows: `Epoch 3/50 - loss: 0.25 - val acc 0.9`.

No two programs print alike, but nearly all name what they count and name each number. So a line is searched for
counters and for names with a number behind them. What stands in lines without a counter, such as
the validation that follows, belongs to the counter before it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from lcode.readers.printed.lines.bars_in_epochs import with_bars_in_epochs
from lcode.readers.printed.lines.coco_blocks import with_kinds_of_boxes
from lcode.readers.printed.lines.decimal_commas import with_decimal_points
from lcode.readers.printed.lines.detection_blocks import with_named_boxes
from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.printed.lines.growing_lists import may_hold_lists, with_newest_values
from lcode.readers.printed.lines.line_objects import names_data_before, object_of
from lcode.readers.printed.lines.line_shapes import LONGEST, LineShapes
from lcode.readers.printed.lines.metric_above import with_metrics_above
from lcode.readers.printed.lines.named_lines import (
    may_name_models,
    may_name_parts,
    model_of,
    models_by_turns,
    parts_by_turns,
    told_alike,
)
from lcode.readers.printed.lines.numbers_beside import without_numbers_beside
from lcode.readers.printed.lines.parts_below import with_data_of_parts
from lcode.readers.printed.lines.printed_line import EPOCH, FEWEST, IN_BATCH, RUN, STEP, Said, pieces_of
from lcode.readers.printed.lines.progress_bars import numbered_states, with_counted_bars
from lcode.readers.printed.lines.ranks import of_one_rank
from lcode.readers.printed.lines.sections import Ahead, Batches, Sections, results_of_folds, said_once
from lcode.readers.printed.lines.split_counts import with_split_counts
from lcode.readers.printed.tables.aligned import AlignedRows
from lcode.readers.printed.tables.listed_names import listed_names
from lcode.readers.printed.tables.names_above import with_names_above
from lcode.readers.printed.tables.printed_tables import may_hold_tables, with_told_tables
from lcode.readers.printed.tables.repeated_tables import with_repeated_tables
from lcode.readers.printed.texts.one_count import OneCount
from lcode.readers.printed.texts.ray_console import told_by_ray
from lcode.readers.printed.texts.rounds import counts_rounds, within_round
from lcode.readers.printed.texts.told import Told, in_order
from lcode.readers.printed.texts.told_over import ToldOver
from lcode.readers.printed.texts.uncounted_lines import uncounted_rows
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

_BOXED = re.compile(rf"^\| *(?P<name>[A-Za-z][\w /.%-]*?)(?P<group>/)? *\| *(?P<value>{NUMBER})? *\|$")
_RULE = re.compile(r"^[-=+]{9,}$")


def told_in(text: str, curves: Collection[str] = ()) -> Told:
    """The rows that lines of text tell; names that come up at one count of several are left out, as they sum up.

    Args:
        text: the text.
        curves: names that are curves in other texts, and so in this one where it tells them only once so far.
    """
    text, of_ranks = of_one_rank(with_decimal_points(text))
    text, beside = without_numbers_beside(text)
    remarks = tuple(remark for remark in (of_ranks, beside) if remark)
    for told in (_boxed(text), told_by_ray(text)):
        if len(told.rows) > 1:
            return told
    shapes = LineShapes()
    text = with_bars_in_epochs(text, lambda line: _counts_of(shapes.said_in(line)).get(EPOCH))
    told = _told(text, shapes, curves)
    told = told if told.is_training else _uncounted(text, shapes) or told
    return replace(told, remarks=(*remarks, *told.remarks)) if remarks else told


def _counts_of(said: Said | None) -> Mapping[str, float]:
    return {} if said is None else said.counters


def _told(text: str, shapes: LineShapes, curves: Collection[str] = ()) -> Told:
    """The rows of the lines that count something, in order, with the models that they tell of where several do."""
    lines = text.split("\n")
    lines = with_newest_values(lines) if may_hold_lists(text) else lines
    lines = with_told_tables(lines) if may_hold_tables(text) else lines
    lines = with_kinds_of_boxes(with_named_boxes(lines))
    lines = with_metrics_above(with_names_above(lines))
    lines = with_data_of_parts(with_split_counts(with_repeated_tables(lines)))
    models = models_by_turns(lines) if may_name_models(text) else None
    if models is not None:
        told = _rows_of(lines, shapes, models=models)
        if told_alike(told.rows):
            return in_order(told, curves)
    parts = parts_by_turns(lines) if may_name_parts(text) else None
    tags = parts_by_turns(lines, tags=True) if parts is None and models is not None else None
    if tags is not None:
        told = _rows_of(lines, shapes, parts=tags)
        if told_alike(told.rows, {*tags} - {""}):
            return in_order(told, curves)
    return in_order(_rows_of(lines, shapes, parts=parts), curves)


def _rows_of(
    lines: Sequence[str],
    shapes: LineShapes,
    *,
    models: Sequence[str] | None = None,
    parts: Sequence[str] | None = None,
) -> Told:
    """The rows as they were printed.

    Args:
        lines: the lines.
        shapes: reads them.
        models: the model that each line tells of, where there are several.
        parts: the data set or task that each line tells of, empty where it says none.
    """
    told = Told()
    cut: list[int] = []
    counters: dict[str, float] = {}
    totals: dict[str, float] = {}
    own: dict[str, dict[str, float]] = {}
    row: dict[str, Any] = {}
    sections, aligned, batches, ahead = Sections(results_of_folds(lines)), AlignedRows(), Batches(), Ahead()
    tests, tested, epochs = said_once(lines), -1, 0
    model, over, names = "", ToldOver(), listed_names(lines)
    in_rounds, count = counts_rounds(lines), OneCount.of(lines, shapes)
    told.is_evaluated_first = count.is_evaluated_first
    data_before = names_data_before(lines)
    for number, raw in _numbered_pieces(lines):
        if values := object_of(raw, data_before=data_before):
            told.rows.append(values)
            told.lines.append(number)
            told.totals.append(totals)
            continue
        line = raw[:LONGEST]
        if models is not None and models[number - 1] != model:
            model, row = models[number - 1], {}
            counters = own.get(model, counters)
        said = aligned.said_in(line) or names.said.get(number) or shapes.said_in(line)
        if in_rounds and said is not None:
            said = within_round(said, line)
        said = None if said is None else count.counted(said)
        is_next = said is not None and _goes_on(said.counters, counters)
        sections.follow(line, said, counted=bool(counters or (said and said.counters)), is_next=is_next)
        epochs += is_next
        if is_next:
            tested = -1
        elif number in tests and tested < 0:
            tested, row = len(told.rows), {}
        if said is None:
            continue
        if said.pairs and len(raw) > LONGEST:
            cut.append(number)
        if said.counters:
            now = dict(said.counters)
            totals = {**totals, **said.totals}
            if EPOCH in counters and EPOCH not in now:
                now[EPOCH] = counters[EPOCH]
            if now != counters:
                counters, row = now, {}
            if models is not None and model_of(line):
                own[model] = counters
            else:  # it counts for all
                own.clear()
        if not counters:
            ahead.hold(sections.named(said.pairs))
            continue
        if ahead.may_go_on:
            ahead.go_on(shapes.said_in(below) for below in lines[number - 1 :])
        if sections.is_over:
            continue
        pairs = ahead.in_turn(said, batches.named(line, said, sections.named(said.pairs)))
        if parts is not None and parts[number - 1]:
            pairs = _of_part(parts[number - 1], pairs)
        over.take({**counters, RUN: model}, line, pairs)
        if pairs and (not row or not row.keys().isdisjoint(pairs)):
            row = {}
        if pairs and not row:
            row = {**counters, RUN: model} if model else dict(counters)
            told.rows.append(row)
            told.lines.append(number)
            told.totals.append(totals)
        row.update(pairs)
    if tested >= 0 and epochs >= FEWEST:
        del told.rows[tested:], told.lines[tested:], told.totals[tested:]
    told.remarks += (*names.remarks, *over.remarks)
    if cut:
        told.remarks += (f"of long lines only the first {LONGEST} characters were read: {listed([*map(str, cut)])}.",)
    return told


def _numbered_pieces(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What each line tells in turn, with its number: the last states of bars, and several lines in one."""
    for number, state in numbered_states(lines):
        for piece in pieces_of(state):
            yield number, piece


def _of_part(part: str, pairs: Mapping[str, float]) -> dict[str, float]:
    """The values with the data set or task that they are of in their names, once: `age_acc` of age is its `acc`."""
    named = {}
    for name, value in pairs.items():
        bare = name.removeprefix(IN_BATCH)
        begin = IN_BATCH if name.startswith(IN_BATCH) and part not in SPLITS else ""
        before, slash, last = bare.rpartition("/")
        if last.lower().startswith(f"{part.lower()}_"):
            bare = f"{before}{slash}{last[len(part) + 1 :]}"
        named[name if bare.startswith(f"{part}/") else f"{begin}{part}/{bare}"] = value
    return named


def _goes_on(now: Mapping[str, float], before: Mapping[str, float]) -> bool:
    """Whether a line counts another epoch than those before it, or, where none are counted, a later step."""
    if EPOCH in now or EPOCH in before:
        return EPOCH in now and now[EPOCH] != before.get(EPOCH)
    return now.get(STEP, 0) > before.get(STEP, 0)


def counts_on(text: str) -> bool:
    """Whether the lines of a text count epochs, steps or batches of them, whatever else they tell."""
    shapes = LineShapes()
    counting = (said for line in text.split("\n") if (said := shapes.said_in(line)) and said.counters)
    return len(list(islice(counting, FEWEST))) == FEWEST


def metrics_told(text: str) -> tuple[bool, str]:
    """Whether lines that name metrics come after a counter, and one of the metrics: for what is said of other texts."""
    shapes = LineShapes()
    counted = False
    for line in text.split("\n"):
        said = shapes.said_in(line)
        if said is not None:
            counted = counted or bool(said.counters)
            names = [name.removeprefix(IN_BATCH) for name in said.pairs if "/" not in name]  # or it is an address
            metric = next((name for name in names if known_metric(name) is not None), "")
            if metric:
                return counted, metric
    return counted, ""


def _uncounted(text: str, shapes: LineShapes) -> Told | None:
    """The rows of a text in which bars alone count, or nothing does, or nothing is named."""
    bars = with_counted_bars(text)
    told = _told(bars, shapes) if bars else Told()
    if told.is_training:
        return told
    rows, remark = uncounted_rows(text, shapes)
    if not rows:
        return None
    return in_order(Told([row for _, row in rows], [line for line, _ in rows], [{} for _ in rows], remarks=(remark,)))


def _boxed(text: str) -> Told:
    """The rows of boxes such as stable-baselines3 prints: a name and a number per line, groups of names inset."""
    boxes: list[tuple[int, dict[str, Any]]] = []
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
            if len(row) > 1:
                boxes.append((number, row))
            row, group = {}, ""
    counter = _counter_of([row for _, row in boxes])
    rows = [(number, {STEP: row[counter], **row}) for number, row in boxes if counter in row]
    return Told([row for _, row in rows], [number for number, _ in rows], [{} for _ in rows])


def _counter_of(boxes: Sequence[Mapping[str, Any]]) -> str:
    """What counts the boxes: total timesteps, or what tells most of them apart where large numbers were rounded."""
    names = [name for name in dict.fromkeys(chain.from_iterable(boxes)) if _counts(name)]
    if "time/total_timesteps" in names:
        return "time/total_timesteps"
    return max(names, key=lambda name: len({row.get(name) for row in boxes}), default="")


def _counts(name: str) -> bool:
    """Whether a name in a box, or what stands behind its group, is that of a counter."""
    return is_counter(name.rpartition("/")[2])

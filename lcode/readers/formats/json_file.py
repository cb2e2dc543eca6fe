"""Tables in JSON files: a list of objects, one per row, or an object of lists, one per column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.formats.counted_groups import rows_of_groups
from lcode.readers.formats.data_frames import with_rows
from lcode.readers.formats.federated import rounds_of
from lcode.readers.formats.rows import counting_rows, flat_row, rows_to_table
from lcode.readers.formats.rows_of_settings import with_settings_of_rows
from lcode.readers.formats.settings_beside import SETTINGS, with_settings
from lcode.readers.formats.several_runs import one_table_of_runs
from lcode.readers.logged.lines import PRINTED, head_of
from lcode.readers.raw import RawTable, decoded
from lcode.readers.runs.curve_files import named_by_file
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.uncounted import with_counted_rows
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

_BEGINNING = re.compile(rb'\s*(\[\s*\{|(\{\s*"[^"]*"\s*:\s*){1,2}\[\s*([-\d"nN]|\{\s*"[^"]*"\s*:\s*[-\d]))')
"""Other JSON lies in every folder: settings, states, graphs."""

_NUMBERED = re.compile(
    rb'\s*\{\s*("[^"]*"\s*:\s*\{\s*"(epoch|step|iter\w*|round)?[ _-]*\d+"\s*:\s*[-\d"nN]'
    rb'|"(epoch|step|iter\w*|round)?[ _-]*\d+"\s*:\s*(\{\s*"[^"]*"\s*:\s*){1,2}[-\d]|"columns"\s*:\s*\[)'
)
"""How data frames are written: by column and number of the row, by row, or cells apart from the columns' names."""

_ROWS = re.compile(
    rb'"(\w*(epochs?|history|logs?|records|results|metrics)|train(ing)?|val(id(ation)?)?|test)"\s*:\s*'
    rb'(\[\s*\{|\{\s*"(epoch|step|iter\w*|round)?[ _-]*\d+"\s*:\s*\{)',
    re.IGNORECASE,
)
_LIST = re.compile(rb'"([^"]*)"\s*:\s*\[\s*(?:\[\s*)?-?\d')
"""Curves in an object that begins with the settings of the training: a row each, or a list of numbers."""

_HEAD = 1 << 14
"""Bytes by which a file is recognised: settings stand before the curves."""

_OF_A_RUN = re.compile(
    r"(fold|seed|run|trial|exp(eriment)?|model|cv|split|rep(eat)?|client|config|variant|attempt|phase|stage)?[ _-]*\d+",
    re.IGNORECASE,
)
"""Names of one training among several in an object."""


_ROW_COUNTERS = ("epoch", "round", "step", "iteration", "iter", "episode", "generation")
"""What counts rows; a number of `epochs` is what a training took."""


class JsonFormat:
    """Reads wide and long tables from `.json` files."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format: by its content alone where it has the ending of a text."""
        ending = path.suffix.lower()
        if ending != ".json" and ending not in PRINTED:
            return False
        head = head_of(path, _HEAD)
        if ending in PRINTED:
            return head.lstrip()[:1] == b"{" and _BEGINNING.match(head) is not None
        known = _BEGINNING.match(head) is not None or _NUMBERED.match(head) is not None
        if known or head.lstrip()[:1] != b"{":
            return known
        names = (name.decode("utf-8", "replace") for name in _LIST.findall(head))
        return _ROWS.search(head) is not None or any(known_metric(name) is not None for name in names)

    def load(self, path: Path) -> RawTable:
        """The cells of a JSON file; messages count rows from 1 where text files have lines.

        Raises:
            InputError: it is no list of flat objects, nor an object of equally long lists.
        """
        text, odd = decoded(path, path.read_bytes())
        try:
            found = parse_json(text)
        except ValueError as error:
            raise InputError(f"is not JSON ({error}); is it still being written?", path=path) from error
        raw = table_of(path, found)
        return replace(raw, notes=(*odd, *raw.notes))


def table_of(path: Path, found: Any) -> RawTable:
    """The table that an object of JSON holds: rows, lists, a history, or trainings by name.

    Raises:
        InputError: it holds none.
    """
    alone = found[0] if isinstance(found, list) and len(found) == 1 else None
    if isinstance(alone, dict) and any(len(cells) > 1 for cells in _of_training(alone).values()):
        found = alone  # of several trainings, the only one that there is yet
    by_round, remarks = rounds_of(found)
    if by_round:
        notes = tuple(f"{path.name}: {remark}" for remark in remarks)
        return with_settings(rows_to_table(path, by_round, list(range(1, len(by_round) + 1)), notes=notes), found)
    whole, found = found, with_rows(found)
    trainings = _trainings(found)
    if trainings:
        return one_table_of_runs({name: _of_lists(path, *training) for name, training in trainings.items()})
    if isinstance(found, dict):
        return _of_lists(path, dict(_lists(found, "")), found)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InputError("is no list of objects; write one object per row, with a key per curve", path=path)
    if not found:
        raise InputError("is an empty list; expected one object per row", path=path)
    below, numbers, set_by = with_settings_of_rows(path, found, list(range(1, len(found) + 1)), "rows")
    rows, numbers, notes = counting_rows(path, below, numbers, "rows")
    raw = _counted(rows_to_table(path, rows, numbers, notes=(*set_by, *notes)), curves=False)
    return with_settings(raw, whole) if isinstance(whole, dict) else raw


def _counted(raw: RawTable, *, curves: bool) -> RawTable:
    """The table with a column that counts its rows, where none does and they follow each other in time."""
    raw = named_by_file(raw)
    counted = with_counted_rows(raw.columns, curves=curves)
    if counted is None:
        return raw
    notes = (f"{raw.path.name}: {remark}" for remark in counted[1])
    return replace(raw, columns=counted[0], notes=(*raw.notes, *notes))


def _trainings(found: Any) -> dict[str, tuple[dict[str, list[Any]], dict[str, Any]]]:
    """The curves of each of several trainings in one file, and the object that holds them, by their names.

    It is empty where the file holds one training, or something else.

    `{"fold_0": {"loss": […]}, …}` holds several, as does a list of such objects. `{"seg": {"loss": […]}, …}` has the
    same form and holds the tasks of one: trainings are known by their names (a word and a number), by what stands
    beside their curves, or since they took different times.
    """
    if isinstance(found, dict):
        inner = [value for value in found.values() if isinstance(value, list) and value]
        if len(inner) == 1 and all(isinstance(one, dict) and _of_training(one) for one in inner[0]):
            found = inner[0]  # beside what they came to on the whole
    if isinstance(found, list) and _are_rows(found):
        return {}
    if isinstance(found, list):
        named = {_name_of(one, at): one for at, one in enumerate(found) if isinstance(one, dict)}
        whole = len(named) == len(found)
    else:
        inside = found if isinstance(found, dict) else {}
        named = {name: {"history": one} if _is_rows(one) else one for name, one in inside.items()}
        named = {name: one for name, one in named.items() if isinstance(one, dict)}
        whole = len(named) == len(inside)
    lists = {name: _of_training(one) for name, one in named.items()}
    names = {frozenset(curves) for curves in lists.values()}
    if not whole or len(lists) < 2 or len(names) != 1 or not next(iter(names)):
        return {}
    numbers = all(
        isinstance(cell, (int, float)) for curves in lists.values() for cells in curves.values() for cell in cells
    )
    parts = {split_name(name)[0] for name in lists}  # `train_metrics` and `val_metrics`
    if not numbers or not SPLITS.keys().isdisjoint(name.lower() for name in lists) or len(parts - {""}) > 1:
        return {}
    sizes = {tuple(map(len, curves.values())) for curves in lists.values()}
    told = isinstance(found, list) or all(_OF_A_RUN.fullmatch(name) for name in lists)
    # Each counts for itself, or has settings or results beside its curves.
    counted = all(any(is_counter(name.rpartition("/")[2]) for name in curves) for curves in lists.values())
    beside = counted or all(_is_beside(one) for one in named.values())
    return {name: (lists[name], named[name]) for name in lists} if told or beside or len(sizes) > 1 else {}


def _are_rows(found: list[Any]) -> bool:
    """Whether objects say which epoch or round each is of, whatever lists they hold, of clients for one."""
    for name in _ROW_COUNTERS:
        told = [one[name] for one in found if isinstance(one, dict) and type(one.get(name)) is int]
        if len(told) == len(found) > 1 and told == sorted(set(told)):
            return True
    return False


def _is_rows(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and all(isinstance(row, dict) for row in one)


def _name_of(one: dict[str, Any], at: int) -> str:
    """What an object of a list calls itself, else its place."""
    return next((str(one[name]) for name in (*RUN_NAMES, "name", "fold", "seed") if name in one), str(at + 1))


def _of_training(one: dict[str, Any]) -> dict[str, list[Any]]:
    """The curves of a training, without the word for all of them (`history`)."""
    lists = dict(_lists(one, ""))
    first = {name.partition("/")[0] for name in lists if "/" in name}
    if (
        len(first) == 1
        and all("/" in name for name in lists)
        and SPLITS.keys().isdisjoint(word.lower() for word in first)
    ):
        return {name.partition("/")[2]: cells for name, cells in lists.items()}
    return lists


def _is_beside(one: dict[str, Any]) -> bool:
    """Whether settings or results stand beside the curves, or a word for all of them."""
    return any(not isinstance(value, list) for value in one.values())


def _lists(value: dict[str, Any], before: str) -> Iterator[tuple[str, list[Any]]]:
    """The lists in an object and in those within, by the names on the way: `{"val": {"loss": [1]}}` is `val/loss`.

    A list of objects is a list per key, of objects within them too.
    """
    for name, inner in value.items():
        if isinstance(inner, dict):
            if name.lower() in SETTINGS:
                continue
            yield from _lists(inner, f"{before}{name}/")
        elif _is_rows(inner):
            rows = [flat_row(row) for row in inner]
            for key in dict.fromkeys(key for row in rows for key in row):
                cells = [row.get(key) for row in rows]
                if not any(isinstance(cell, (list, dict)) for cell in cells):
                    yield f"{before}{name}/{key}", cells
        elif isinstance(inner, list) and not any(isinstance(cell, (list, dict)) for cell in inner):
            yield before + name, inner


def _of_lists(path: Path, lists: dict[str, list[Any]], one: dict[str, Any]) -> RawTable:
    """A table with a column per list: of those that are as long as most are; and of the settings in their object."""
    sizes = Counter(len(cells) for cells in lists.values() if cells)
    if not sizes:
        raise InputError("holds no list of numbers; write one list per curve, with a value per epoch", path=path)
    rows, uncounted = rows_of_groups(lists)
    if rows:
        told = (f"{path.name}: left out, since nothing counts them: {listed(uncounted)}.",) if uncounted else ()
        return with_settings(rows_to_table(path, rows, list(range(1, len(rows) + 1)), notes=told), one)
    held_out = {len(cells) for name, cells in lists.items() if split_name(name)[0] in ("val", "test")}
    # One value is what a training came to; of the others those count that most have, or that were evaluated.
    size = max(sizes, key=lambda size: (size > 1, sizes[size], size in held_out, size))
    others = len(sizes) > 1
    if others and all(is_counter(name) for name, cells in lists.items() if len(cells) == size):
        raise InputError("has lists of different lengths; write one value per row in each", path=path)
    kept = {name: cells for name, cells in lists.items() if len(cells) == size}
    raw = rows_to_table(
        path, [dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)], list(range(1, size + 1))
    )
    notes = (
        [f"{path.name}: left out, since not of {size} values: {', '.join(lists.keys() - kept.keys())}."]
        if others
        else []
    )
    counted = _counted(replace(raw, notes=(*raw.notes, *notes)), curves=True)
    return with_settings(counted, one)

"""Lists of names with a number each, of one metric: what each attribute or class came to, a line each.

Val:
 0 Bald          65.08%
 1 Smiling       64.35%
Mean accuracy: 64.72%
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from lcode.readers.printed.lines.labels import is_phrase, joined
from lcode.readers.printed.lines.printed_line import FEWEST, Said
from lcode.readers.printed.tables.number_rows import named_by_course
from lcode.readers.printed.tables.printed_tables import without_time
from lcode.readers.understanding.column_words import why_left_out
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_LINE = re.compile(
    r"\s*(?:\d+[.:)]?\s+)?(?P<name>\d{0,3}_?[^\W\d_][\w.+-]*(?: [^\W\d_][\w.+-]*){0,3})(?:\s*[:=|]\s*|\s+)"
    r"(?P<value>\d+(?:\.\d+)?)\s*(?P<percent>%?)\s*"
)
"""A name and its number, an index before them."""

_OF_ALL = re.compile(r"(?i)(?:mean|average|avg\.?|overall|macro|total)(?![a-z])")

_WORD = re.compile(r"[A-Za-z][\w@]*")

_LONGEST = 100
"""Characters of a line of a list, and of those around it that name its metric."""

_MOST = 50
"""Names of a list at most: more are files, or words."""


@dataclass(frozen=True)
class ListedNames:
    """The lines of lists that come again.

    Attributes:
        said: what each of these lines says, by its 1-based number.
        remarks: what to tell the user of how they were understood.
    """

    said: Mapping[int, Said] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _List:
    """A list as it was printed: the place of its first line, its names and numbers, and the metric named around it."""

    start: int
    names: tuple[str, ...]
    values: tuple[float, ...]
    metric: str


def listed_names(lines: Sequence[str]) -> ListedNames:
    """The lists of names in a text, of those that come again and again with the same names.

    Where nothing names their metric they are scores if they are in per cent and rise.
    """
    lists = list(_lists(lines))
    times = Counter(one.names for one in lists)
    said: dict[int, Said] = {}
    unnamed: dict[str, None] = {}
    for names in (names for names, often in times.items() if often >= FEWEST):
        mine = [one for one in lists if one.names == names]
        metric = next((one.metric for one in mine if one.metric), "")
        if not metric:
            rising = [named_by_course(values) == "score" for values in zip(*(one.values for one in mine), strict=True)]
            if len({one.values for one in mine}) == 1 or 2 * sum(rising) <= len(rising):
                continue
            unnamed |= dict.fromkeys(names)
        for one in mine:
            for at, (name, value) in enumerate(zip(names, one.values, strict=True)):
                key = f"{name}{'_' if _OF_ALL.match(name) else '/'}{metric or 'score'}"
                said[one.start + at + 1] = Said({}, {}, {key: value})
    remark = f"of {listed([*unnamed])} nothing says what was measured; read as a score of each, since most rise."
    return ListedNames(said, (remark,) if unnamed else ())


def _lists(lines: Sequence[str]) -> Iterator[_List]:
    found = ((at, _name_and_value(line)) for at, line in enumerate(lines))
    for is_listed, group in groupby(found, key=lambda one: one[1] is not None):
        rows = [(at, match) for at, match in group if match is not None] if is_listed else []
        names = tuple(joined(match["name"]) for _, match in rows)
        single = [name for name in names if not _OF_ALL.match(name)]
        if not 1 < len(single) <= _MOST or len(set(names)) < len(names) or not all(map(_is_listed, single)):
            continue
        metric = _metric_above(lines[: rows[0][0]][-1:])
        if of_all := _share_in(rows[-1][1]["name"]) if _OF_ALL.match(names[-1]) else "":  # a line as any other
            rows, names, metric = rows[:-1], names[:-1], metric or of_all
        if metric or all(match["percent"] for _, match in rows):
            yield _List(rows[0][0], names, tuple(float(match["value"]) for _, match in rows), metric)


def _name_and_value(line: str) -> re.Match[str] | None:
    if len(line) > 2 * _LONGEST or (not line.rstrip()[-1:].isdigit() and line.rstrip()[-1:] != "%"):
        return None
    line = without_time(line)
    return _LINE.fullmatch(line) if len(line) <= _LONGEST else None


def _is_listed(name: str) -> bool:
    """Whether a name may be one of several of which the same is measured: it is no metric, no time, no data."""
    words = name.replace("_", " ") if name[:1].isalpha() else name
    return is_phrase(name) and known_metric(words) is None and why_left_out(name) is None


def _metric_above(line: Sequence[str]) -> str:
    """The share that the line above a list names, if it ends there: `Epoch 3 accuracy per attribute:`."""
    if not line or len(line[0]) > _LONGEST or not line[0].rstrip().endswith(":"):
        return ""
    return _share_in(without_time(line[0]))


def _share_in(text: str) -> str:
    shares = [word for word in _WORD.findall(text) if (facts := known_metric(word)) is not None and facts.share]
    return shares[-1].lower() if shares else ""

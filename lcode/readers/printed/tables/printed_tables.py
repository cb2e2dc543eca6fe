"""Small tables among printed lines, such as those of an evaluation, told as other lines are: name by name.

|   AP   |  AP50  |            | Class  | IoU  |  Acc |
|:------:|:------:|            |--------|------|------|
| 30.112 | 50.321 |            | all    | 0.61 | 0.85 |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_COUNTED = frozenset((*EPOCHS, *STEPS))

_CROSSES = "┼┿╋┬┳┴┻├┣┡┤┫┩┌┏└┗┐┓┘┛╇╈"
_DRAWN = str.maketrans(dict.fromkeys("│┃║", "|") | dict.fromkeys("─━═", "-") | dict.fromkeys(_CROSSES, "+"))
"""Lines of boxes as they are drawn with the signs of every keyboard."""

_RULE = re.compile(r"[|+]?[-=:+| ]*[-=]{2,}[-=:+| ]*$")

_BEFORE = re.compile(
    r"^(?:.{0,200}?\b(?:INFO|DEBUG|WARNING)\b[^|]{0,120}?(?: - |[\]:]\s)(?!.{0,80} - )"
    r"|\W{0,2}\d{4}[-/]\d\d[-/]\d\d[ T][\d:.,]+\]?(?: -)? ?)"
)
"""Time, place and level before a line."""

_LEVELS = ("INFO", "DEBUG", "WARNING")

_BY_SPLIT = re.compile(
    r"(train(?:ing)?) *\| *(val(?:id(?:ation)?)?|dev|test(?:ing)?)(?: *\| *(test(?:ing)?))? *\|?$", re.IGNORECASE
)
"""A header of nothing but parts of the data, as AllenNLP prints it: `Training |  Validation`."""

_LAST = frozenset("|gndvt")
"""With what such a header ends: most lines do not."""

_ALL = frozenset(("all", "total", "overall", "mean", "average", "avg", "global", "macro avg", "macro", "summary"))
"""How the row of a table by class is called that tells of all of them."""

_MOST_LINES = 3
"""Lines of a header at most, above the last one."""

_VALUE_OF = frozenset(("value", "values", "score", "result", "results"))
_NAME_OF = frozenset(("metric", "metrics", "name", "measure", ""))

_TASKS = frozenset(("task", "tasks", "task name", "head", "target", "objective"))
"""What the first column is called where each row is of a task."""

_ABOUT = re.compile(
    r"\b(?:results?|metrics|evaluation|performance)\s+(?:for|of|on)\s+(?:the\s+)?([A-Za-z][\w-]*)\W*$", re.IGNORECASE
)
"""What stands above a table: `Evaluation results for bbox:`."""

_COCO = "(AP) @[ IoU="
"""In the lines of COCO's summary, in which detectron2 tells first what it then puts into a table."""

_SIGNS = re.compile(r"[:=,;|\[\]]+")
_REMARK = re.compile(r"\s*\([^()\d]*\)$|\s*%$")


def with_told_tables(lines: Sequence[str]) -> list[str]:
    """The lines, as many, with what their tables tell in the place of each row; rows of single classes tell nothing."""
    told = list(lines)
    summed_up = any(_COCO in line for line in lines)
    rules = [at for at, line in enumerate(lines) if _may_be_rule(line) and _RULE.match(_bare(line))]
    end = 0
    for at in rules:
        if at < max(end, 1):
            continue
        found = _table(lines, at)
        if found is not None:
            end, rows = found
            again = summed_up and "AP50" in lines[at - 1]
            told[at - 1] = ""
            for row, text in rows:
                told[row] = "" if again else text
    for at, line in enumerate(lines):
        if "|" in line and line.rstrip()[-1:].lower() in _LAST and _BY_SPLIT.search(line):
            for row, text in _by_split(lines, at):
                told[row] = text
    return told


def may_hold_tables(text: str) -> bool:
    """Whether a text has a rule, or something between bars, as every table has."""
    return _may_be_rule(text) or "|" in text


def _may_be_rule(line: str) -> bool:
    return "--" in line or "──" in line or "━━" in line or "==" in line


def without_time(line: str) -> str:
    """The line without the time, place and level that a logger puts before it."""
    logged = line[:1].isdigit() or line[:1] == "[" or any(level in line for level in _LEVELS)
    return _BEFORE.sub("", line) if logged else line


def _bare(line: str) -> str:
    """The line without time and place, boxes drawn with plain signs."""
    return without_time(line).translate(_DRAWN).strip()


def _cells(line: str, mark: str) -> list[str]:
    line = _bare(line)
    if mark == "|":
        return [cell.strip() for cell in line.strip("|").split("|")] if "|" in line else []
    return re.split(r"\s{2,}", line)


def _table(lines: Sequence[str], rule: int) -> tuple[int, list[tuple[int, str]]] | None:
    """The line behind the table with this rule below its header, and the text for each row; None where it is none."""
    mark = "|" if "|" in _bare(lines[rule - 1]) else " "
    header = _header(lines, rule, mark)
    named = len(header) > 1 and len(set(header)) == len(header) and "" not in header[1:]
    if not named or any(as_number(name) is not None for name in header):
        return None
    rows: list[tuple[int, list[str]]] = []
    end = rule + 1
    while end < len(lines):
        cells = _cells(lines[end], mark)
        if len(cells) == len(header) and any(_number(cell) is not None for cell in cells[1:]):
            rows.append((end, cells))
        elif not _RULE.match(_bare(lines[end])):
            break
        end += 1
    if not rows:
        return None
    return end, list(_texts(header, rows, _about(lines, rule - 1)))


def _header(lines: Sequence[str], rule: int, mark: str) -> list[str]:
    """The names above a rule, of several lines where those have as many cells and no number."""
    header = _cells(lines[rule - 1], mark)
    for at in range(rule - 2, max(rule - 2 - _MOST_LINES, -1), -1):
        above = _cells(lines[at], mark) if mark == "|" else []
        if len(above) != len(header) or _RULE.match(_bare(lines[at])) or any(_number(cell) for cell in above):
            break
        header = [f"{first} {name}".strip() for first, name in zip(above, header, strict=True)]
    return header


def _texts(header: Sequence[str], rows: Sequence[tuple[int, list[str]]], about: str) -> Iterator[tuple[int, str]]:
    """What each row tells: of a count, a part of the data, a metric, a task, of all classes, or nothing."""
    first, others = header[0].lower(), [name.lower() for name in header[1:]]
    counts = first in _COUNTED
    of_parts = all(name in SPLITS for name in others)
    of_names = len(header) == 2 and (others[0] in _VALUE_OF or first in _NAME_OF or first.endswith(" metric"))
    known = any(known_metric(name) is not None for name in header)
    for at, cells in rows:
        name = cells[0]
        if counts:
            text = f"{first} {name}, {_told(header[1:], cells[1:], '')}"
        elif of_parts:
            text = _told([f"{split}/{name}" for split in others], cells[1:], "")
        elif of_names:
            text = _told([name], cells[1:], about)
        elif first in _TASKS and len(header) == 3 and others[0] in _NAME_OF and others[1] in _VALUE_OF:
            text = _told(cells[1:2], cells[2:], f"{name}/")
        elif first in _TASKS and known:
            text = _told(header[1:], cells[1:], f"{name}/")
        elif name.lower() in SPLITS:
            text = _told(header[1:], cells[1:], f"{name.lower()}/")
        elif known and (len(rows) == 1 or name.lower() in _ALL):
            text = _told(header, cells, about)
        else:
            text = ""
        yield at, text


def _told(names: Sequence[str], cells: Sequence[str], prefix: str) -> str:
    """`name: value` for each cell that holds a number."""
    pairs = [(_SIGNS.sub(" ", name).strip(), _number(cell)) for name, cell in zip(names, cells, strict=True)]
    return ", ".join(f"{prefix}{name}: {value}" for name, value in pairs if value is not None)


def _number(cell: str) -> str | None:
    """The number of a cell as it is written, without a remark behind it; None where it holds none."""
    text = _REMARK.sub("", _REMARK.sub("", cell))
    return text if as_number(text) is not None else None


def _about(lines: Sequence[str], header: int) -> str:
    """The task, or part of the data, that a table is of by the line above it, with a slash; empty: nothing is said."""
    for at in range(header - 1, max(header - 4, -1), -1):
        if lines[at].strip() and not _RULE.match(_bare(lines[at])):
            found = _ABOUT.search(lines[at])
            return "" if found is None else f"{found[1]}/"
    return ""


def _by_split(lines: Sequence[str], header: int) -> Iterator[tuple[int, str]]:
    """What the rows tell below a header of nothing but parts of the data."""
    found = _BY_SPLIT.search(lines[header])
    splits = [split.lower() for split in (found.groups() if found is not None else ()) if split]
    yield header, ""
    for at in range(header + 1, len(lines)):
        cells = _cells(lines[at], "|")
        if len(cells) != len(splits) + 1:
            return
        yield at, _told([f"{split}/{cells[0]}" for split in splits], cells[1:], "")

"""Numbers that are printed below a line with their names, as YOLO does it.

Epoch    GPU_mem   box_loss   cls_loss  Instances       Size
  1/5      2.30G      1.271      2.103         12        640: 100%|██████████| 10/10
           Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 1/1
             all        128        929       0.64      0.537      0.605      0.446
"""

from __future__ import annotations

import re

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, STEP, Said
from lcode.readers.printed.tables.printed_tables import without_time
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import why_left_out
from lcode.table.metric_names import known_metric

_COUNTED = frozenset(("epoch", "iter", "iteration", "step"))
_BY_CLASS = "class"
_ALL = "all"
"""In the first column of a table by class, what was measured over all of them."""

_FEWEST = 4
"""Names that make a header: `Epoch 3 done` is none."""

_BAR = re.compile(r":?\s*\d+%.*$")
_GROUP = re.compile(r"(?:(?P<group>\w+)\()?(?P<name>[^\s()]+)(?P<end>\))?")
_AT = re.compile(r"(\d+)(?:/(\d+))?")

_NO_NAME = re.compile(r"^#?\d|[=,:]$|=")
"""What is in no name of a header, but in a line that names its numbers: `Epoch #8: loss=0.3, time: 9s`."""

_SHORT = {"P": "precision", "R": "recall"}


class AlignedRows:
    """Remembers the last header of each kind, by which the lines below it are read.

    Bars that are written to another stream may put the line of an evaluation below the next epoch's header.
    """

    def __init__(self) -> None:
        self._counted: list[str] = []
        self._by_class: list[str] = []

    def said_in(self, line: str) -> Said | None:
        """What the line says by the names above it, a header nothing; None where it is neither."""
        line = without_time(line)
        first, _, rest = line.lstrip().partition(" ")
        if first.lower() in _COUNTED or first.lower() == _BY_CLASS:
            names = _names(line) if rest.lstrip()[:1].isalpha() else []
            if len(names) >= _FEWEST and not any(_NO_NAME.search(name) for name in names):
                if first.lower() == _BY_CLASS:
                    self._by_class = names
                else:
                    self._counted = names
                return Said({}, {}, {})
            return None
        at = _AT.fullmatch(first) if self._counted else None
        names = self._counted if at is not None else self._by_class if first == _ALL else []
        counts = at is not None
        cells = _BAR.sub("", line).split() if names else []
        if not names or not rest or len(cells) < len(names):
            return None
        if any(cell.isalpha() and as_number(cell) is None for cell in cells[1 : len(names)]):
            return None  # `3 epochs completed in 0.005 hours`
        pairs: dict[str, float] = {}
        counters: dict[str, float] = {}
        for name, cell in zip(names[1:], cells[1:], strict=False):
            batch = _AT.fullmatch(cell) if counts and name.lower() == BATCH else None
            number = as_number(cell)
            if batch is not None:
                counters[BATCH] = float(batch[1])
            elif number is None or why_left_out(name) is not None:
                continue
            elif known_metric(name) is not None:
                pairs[f"{'train' if counts else 'val'}/{name}"] = number
            elif counts and "." in cell:
                pairs[f"train/{name}_loss"] = number  # YOLOv5: `box`, `obj`, `cls`
        if at is None:
            return Said({}, {}, pairs)
        counter = EPOCH if names[0].lower() == "epoch" else STEP
        return Said({counter: float(at[1]), **counters}, {counter: float(at[2])} if at[2] else {}, pairs)


def _names(line: str) -> list[str]:
    """The names of a header; where there are several groups, as in `Mask(P R mAP50)`, with the group's before them."""
    found = [*_GROUP.finditer(_BAR.sub("", line))]
    groups = {one["group"] for one in found if one["group"]}
    names, group = [], ""
    for one in found:
        group = one["group"] or group
        name = _SHORT.get(one["name"], one["name"])
        names.append(f"{group}/{name}" if group and len(groups) > 1 else name)
        group = "" if one["end"] else group
    return names

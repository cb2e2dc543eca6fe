"""What ClearML's pages and its API give of scalars: `{"name": "val", "x": [1, 2], "y": [0.9, 0.7]}`, a curve each.

`Task.get_reported_scalars` nests them by title and series; a plot that was downloaded is a list of them, in whose names
the experiment stands behind a dash where several are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import head_of, refused
from lcode.readers.logged.several import sound_runs
from lcode.readers.raw import as_number
from lcode.table.metric_names import known_metric

TOOL = "ClearML"

AXIS = "iteration"

_BEGINNING = re.compile(
    rb'\s*(?:\[|\{\s*"[^"]*"\s*:\s*\{\s*"[^"]*"\s*:)\s*\{\s*"name"\s*:\s*"[^"]*"\s*,\s*"x"\s*:\s*\[\s*-?\d'
)

_BETWEEN = " - "
"""What stands between the name of a curve and that of its experiment."""

_MACHINE = ":monitor:"
"""What the titles begin with of what the machine was doing."""


class ClearMLReader:
    """Reads scalars that were saved as JSON: nested ones are a run, a plot may be of several."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds curves over iterations, one of them of a metric: others draw as well."""
        if path.suffix.lower() != ".json" or _BEGINNING.match(head_of(path)) is None:
            return False
        try:
            curves = [(name, curve) for _, name, curve in _curves(parse_json(path.read_bytes()))]
        except (ValueError, OSError):
            return False
        counted = all(_counts(curve["x"]) for _, curve in curves)
        return counted and any(known_metric(name) is not None for name, _ in curves)

    def owns(self, path: Path) -> Path:
        """The file alone: downloads lie anywhere."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        return sound_runs(paths, _runs)


def _runs(path: Path) -> list[Logged]:
    try:
        found = parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"is not JSON ({error}); is it still being written?", path=path) from error
    runs: dict[str, dict[float, dict[str, Any]]] = {}
    for run, name, curve in _curves(found):
        rows = runs.setdefault(run, {})
        for x, y in zip(curve["x"], curve["y"], strict=False):
            at, value = as_number(x), as_number(y)
            if at is not None and value is not None:
                rows.setdefault(at, {AXIS: at})[name] = value
    if not any(runs.values()):
        raise refused(path, TOOL, "it holds no curve of numbers")
    return [
        Logged(path, columns_of([rows[at] for at in sorted(rows)], path, TOOL), run=run, axis=AXIS)
        for run, rows in runs.items()
        if rows
    ]


def _curves(found: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The curves of a file: the experiment where the curve says it, else empty, the name, and the curve."""
    if isinstance(found, list):
        curves = [curve for curve in found if _is_curve(curve)]
        several = all(_BETWEEN in str(curve.get("name", "")) for curve in curves)
        for curve in curves:
            name, _, run = (
                str(curve.get("name", "")).partition(_BETWEEN) if several else (curve.get("name", ""), "", "")
            )
            yield run, str(name), curve
        return
    for title, series in found.items() if isinstance(found, dict) else ():
        if isinstance(series, dict) and not title.startswith(_MACHINE):
            yield from (("", f"{title}/{name}", curve) for name, curve in series.items() if _is_curve(curve))


def _counts(x: Sequence[Any]) -> bool:
    """Whether these are whole numbers from 0 on that rise."""
    at = [as_number(one) for one in x]
    whole = [one for one in at if one is not None and one >= 0 and one % 1 == 0]
    return len(whole) == len(at) and all(before < now for before, now in pairwise(whole))


def _is_curve(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("x"), list) and isinstance(found.get("y"), list)

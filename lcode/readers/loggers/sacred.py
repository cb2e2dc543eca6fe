"""Sacred's `metrics.json`: steps and values per curve, with `config.json` and `run.json` beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lcode.json_text import parse_json
from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.cells import columns_of, flat
from lcode.readers.loggers.lines import head_of, refused
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.table.table import RunStatus

TOOL = "Sacred"

AXIS = "step"

_FILE = "metrics.json"

_BEGINNING = re.compile(rb'\s*\{\s*"[^"]+"\s*:\s*\{\s*"(steps|values|timestamps)"\s*:\s*\[')

_STATUS: dict[str, RunStatus] = {
    "COMPLETED": "finished",
    "FAILED": "failed",
    "INTERRUPTED": "stopped",
    "TIMEOUT": "stopped",
}


class SacredReader(RunPerFolder):
    """Reads the folders of the file observer."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds the curves of a run."""
        head = head_of(path, 4096) if path.suffix == ".json" else b""
        return _BEGINNING.match(head) is not None and (path.name == _FILE or b'"timestamps"' in head)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        rows: dict[float, dict[str, Any]] = {}
        curves = _object(path)
        if not curves:
            raise refused(path, TOOL, "it is no whole JSON object")
        for name, curve in curves.items():
            steps, values = (curve.get(key) if isinstance(curve, dict) else None for key in ("steps", "values"))
            if not isinstance(steps, list) or not isinstance(values, list):
                raise refused(path, TOOL, f"'{name}' has no steps and values")
            for step, value in zip(steps, values, strict=False):
                if isinstance(value, dict):  # how a NumPy number is written
                    value = value.get("value")
                if isinstance(step, (int, float)) and isinstance(value, (int, float)):
                    rows.setdefault(step, {AXIS: step})[name] = value
        config = flat(_object(path.with_name("config.json")), ".")
        return Logged(
            path,
            columns_of([rows[step] for step in sorted(rows)], path, TOOL),
            axis=AXIS,
            config={name: value for name, value in config.items() if isinstance(value, (int, float, str, bool))},
            status=_STATUS.get(str(_object(path.with_name("run.json")).get("status"))),
        )


def _object(path: Path) -> Mapping[str, Any]:
    """The object in a file; an empty one where it is missing or damaged."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

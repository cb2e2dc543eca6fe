"""The end of a run log, read without parsing all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lcode.table import RunStatus


def log_status(folder: Path, run: str) -> RunStatus | None:
    """Status of a run by its log: that of the end line if no epoch follows it; None if there is no log."""
    entries = _entries(folder / f"{run}.jsonl")
    if not entries:
        return None
    return entries[-1]["status"] if entries[-1]["type"] == "end" else "running"


def last_values(folder: Path, run: str) -> dict[str, float]:
    """Values of the last epoch in a run's log, by metric key; empty if there is none."""
    epochs = [entry for entry in _entries(folder / f"{run}.jsonl") if entry["type"] == "epoch"]
    return dict(epochs[-1]["values"]) if epochs else {}


def _entries(path: Path) -> list[dict[str, Any]]:
    """The lines of a log that are complete, of its last ones only; the trainer mends what is torn."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_bytes().splitlines()[-3:]:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries

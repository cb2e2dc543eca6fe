"""What a sweep reads in its own run logs: mostly their ends, without parsing all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lcode.errors import UsageError
from lcode.table import RunStatus
from lcode.table.log_lines import complete_lines, parsed_line
from lcode.table.runlog import RunHeader


def log_status(folder: Path, header: RunHeader) -> RunStatus | None:
    """Status of a run by its log: that of the end line if no epoch follows it.

    Returns:
        None if there is no log of this run; one with another header does not count (opening it says what differs).
    """
    path = folder / f"{header.run}.jsonl"
    entries = _entries(path)
    if not entries:
        return None
    with path.open() as file:
        # As text: what was written from an equal header is equal.
        if file.readline().rstrip("\n") != json.dumps(header.to_json(), separators=(",", ":")):
            return None
    return _status(entries)


def last_status(folder: Path, run: str) -> RunStatus | None:
    """Status of a run by its log, whatever its header; None if there is no log."""
    entries = _entries(folder / f"{run}.jsonl")
    return _status(entries) if entries else None


def check_problem(folder: Path, problem: str) -> None:
    """Refuse a folder with runs of another problem, which would be ranked among those of this one.

    Raises:
        UsageError: the text names one of them.
    """
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as file:
            try:
                header = json.loads(file.readline())
            except ValueError:
                continue  # it was begun, and is no run yet
        other = header.get("problem") if isinstance(header, dict) else None
        if other not in (None, problem):
            raise UsageError(
                f"{folder} holds runs of '{other}', such as {path.name}; choose another --out for '{problem}'"
            )


def failure(folder: Path, run: str) -> str:
    """Why a run failed, by the last line of its log; empty if it does not say."""
    entries = _entries(folder / f"{run}.jsonl")
    return str(entries[-1].get("reason") or "") if entries else ""


def _status(entries: list[dict[str, Any]]) -> RunStatus:
    status: RunStatus = entries[-1]["status"] if entries[-1]["type"] == "end" else "running"
    return status


def last_values(folder: Path, run: str) -> dict[str, float]:
    """Values of the last epoch in a run's log, by metric key; empty if there is none."""
    epochs = [entry for entry in _entries(folder / f"{run}.jsonl") if entry["type"] == "epoch"]
    return dict(epochs[-1]["values"]) if epochs else {}


def epoch_lines(folder: Path, run: str) -> dict[int, dict[str, Any]]:
    """All complete epochs in a run's log, by their number; empty if there is no log.

    Raises:
        InputError: a line that is none of a run log.
    """
    path = Path(folder) / f"{run}.jsonl"
    lines = [parsed_line(path, line, number) for number, line in enumerate(complete_lines(path), start=1)]
    return {entry["epoch"]: entry for entry in lines if entry["type"] == "epoch"}


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

"""What lies beside run logs: reports, references, and logs that were just begun. It is left out, and said to be."""

from __future__ import annotations

from pathlib import Path

from lcode.errors import InputError
from lcode.readers.run_logs.log import begins_with_object
from lcode.table.reading import with_purpose

SINGLE_TASK = "single-task"
"""The folder in which it leaves the logs of the runs behind them, one task each."""


def beside_run_logs(folder: Path, formats: dict[str, list[Path]]) -> list[str]:
    """Take the files that lie beside run logs out of what is read, and say so.

    Reports may lie beside the logs of a sweep, and the header of a log that was just created may be half written. Runs
    of a single task each are what the others are measured against, and no candidates: they are read where their folder
    itself is named.

    Raises:
        InputError: a table of JSON lines, which may be a log without its header.
    """
    beside = [path for name in ("csv", "parquet", "json", "yaml", "excel") for path in formats.pop(name, [])]
    others = formats.pop("jsonl", [])
    torn = [path for path in others if not begins_with_object(path)]
    tables = sorted(set(others) - set(torn))
    if tables:
        raise InputError(
            f"lies in one folder with run logs such as {formats['run-log'][0].name}, but does not begin with a "
            "header; move it elsewhere, or restore its first line",
            path=tables[0],
            line=1,
        )
    names = [with_purpose(path.name) for path in beside]
    names += [f"{path.name} (its first line is no whole header)" for path in torn]
    notes = [f"{folder}: no run logs, so not read: {', '.join(names)}."] if names else []
    alone = [path for path in formats["run-log"] if SINGLE_TASK in path.relative_to(folder).parts[:-1]]
    if alone and len(alone) < len(formats["run-log"]):
        formats["run-log"] = [path for path in formats["run-log"] if path not in set(alone)]
        notes.append(
            f"{folder}: {len(alone)} runs of a single task each, in {SINGLE_TASK}, are references and no candidates, "
            "so not read; name that folder to see them."
        )
    return notes

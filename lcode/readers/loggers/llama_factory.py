"""`trainer_log.jsonl`, in which LLaMA-Factory tells its board how the training goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import first_object, json_objects
from lcode.readers.loggers.per_file import RunPerFolder

TOOL = "LLaMA-Factory"

AXIS, PLANNED = "current_steps", "total_steps"

_PROGRESS = frozenset((AXIS, PLANNED, "epoch", "percentage", "elapsed_time", "remaining_time", "throughput"))
"""What every row says; the last one, of the end, says nothing else."""


class LlamaFactoryReader(RunPerFolder):
    """Reads the log, which lies in the output folder; the Trainer's own state beside it says more and comes first."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether its first line counts as LLaMA-Factory does."""
        return path.suffix == ".jsonl" and {AXIS, PLANNED} <= first_object(path).keys()

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        objects = json_objects(path, TOOL)
        rows: list[dict[str, Any]] = objects.rows
        planned = [row[PLANNED] for row in rows if isinstance(row.get(PLANNED), int)]
        told = [at for at, row in enumerate(rows) if not row.keys() <= _PROGRESS]
        kept = [{name: value for name, value in rows[at].items() if name not in (PLANNED, "percentage")} for at in told]
        return Logged(
            path,
            columns_of(kept, path, TOOL),
            axis=AXIS,
            horizon=float(planned[-1]) if planned and planned[-1] > 0 else None,
            lines=[objects.lines[at] for at in told],
            notes=objects.notes,
        )

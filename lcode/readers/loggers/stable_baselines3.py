"""The `progress.csv` of stable-baselines3, and of what took its logger over from OpenAI's baselines."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import csv_cells, first_header
from lcode.readers.loggers.per_file import RunPerFolder

TOOL = "stable-baselines3"

AXES = ("time/total_timesteps", "total_timesteps", "misc/total_timesteps", "total/steps", "TimestepsSoFar")
"""Steps of the environment: of stable-baselines3 the only counter that stands in the rows of evaluations as well; then
those of stable-baselines and of OpenAI's baselines."""

OF_DQN, STEPS_OF_DQN = "mean 100 episode reward", ("steps", "num episodes", "episodes")
"""What deep Q-learning and others of OpenAI's baselines write, and what counts there, the best one first."""


class StableBaselines3Reader(RunPerFolder):
    """Reads what `configure(folder, ["csv"])` makes a training write."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is one of its tables."""
        return path.name == "progress.csv" and not {*first_header(path)}.isdisjoint((*AXES, OF_DQN))

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        table = csv_cells(path, TOOL)
        columns = spelled_columns(table.header, table.rows)
        return Logged(
            file=path,
            columns=columns,
            axis=next((name for name in (*AXES, *STEPS_OF_DQN) if name in columns), None),
            lines=table.lines,
            notes=table.notes,
        )

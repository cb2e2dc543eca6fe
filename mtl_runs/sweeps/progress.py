"""The progress bar of a sweep."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from lcode.table import RunStatus


class ProgressBar:
    """Share of the epochs done and time left, and how many runs have ended how; on stderr. Use it as a context manager.

    Args:
        title: what is being trained.
    """

    def __init__(self, title: str) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            # Eighty columns: the bar gives way, then the count of runs takes a second line; no number is cut.
            TaskProgressColumn("{task.percentage:.0f} %", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("left {task.fields[runs]}", table_column=Column()),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(title, total=None, runs="")
        self._ends: Counter[str] = Counter()
        self._epochs: dict[str, int] = {}
        self._horizon = 0.0
        self._runs = 0

    def begin(self, epochs: int, runs: int) -> None:
        """So many epochs and runs are ahead, at most."""
        self._runs = runs
        self._horizon = epochs / runs if runs else 0.0
        self._bar.update(self._task, total=epochs, visible=runs > 0)

    def epoch(self, run: str, epoch: int) -> None:
        """Count the epochs since the run was last heard of, those of an earlier call included."""
        self._bar.advance(self._task, max(epoch - self._epochs.get(run, 0), 0))
        self._epochs[run] = max(epoch, self._epochs.get(run, 0))

    def end(self, run: str, status: RunStatus) -> None:
        """Count the run, and the epochs that it will not need any more."""
        self._ends["given up" if status == "running" else status] += 1
        self._bar.advance(self._task, max(self._horizon - self._epochs.get(run, 0), 0))
        ended = ", ".join(f"{count} {status}" for status, count in sorted(self._ends.items()))
        self._bar.update(self._task, runs=f"| {self._ends.total()}/{self._runs} runs: {ended}")

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

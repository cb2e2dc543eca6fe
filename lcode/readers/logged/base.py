"""What a reader of another tool's files hands over: each run's rows as they were logged, understood by nobody yet.

Which column counts the epochs, which are scored and which only tell of the training is settled later, for all runs and
tools alike (`lcode.readers.understanding.columns`). So a reader of a format translates; it does not interpret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pyarrow as pa

from lcode.readers.understanding.column_words import EPOCHS
from lcode.table.metric import Direction
from lcode.table.table import RunStatus


@dataclass(frozen=True, eq=False)
class Logged:
    """One run as a tool left it.

    Attributes:
        file: the file that says most of it; messages name it, and where the tool has no name for the run, it is named
            by this file's folder (or by the file itself where several runs lie in one folder).
        columns: what was logged, name -> cells of equal length, one per row in the order of logging: numbers as
            float64 or int64, text as string. Null: nothing was logged in that row; NaN and infinite: that was logged.
        run: the tool's own name for the run; empty: there is none worth showing.
        axis: column that counts what the tool itself counts by (`epoch`, `step` …); None: chosen from the columns.
        config: hyper-parameters, flat, nested ones joined by dots: `optimizer.lr`.
        horizon: planned last value of the axis; None: the tool does not say.
        total: the number that stands behind the axis, as in `Epoch 3/50`, where the tool says that instead: whether it
            is the last value depends on where the axis begins.
        status: `finished`, `failed` or `stopped` where the tool says so of a run that has ended, else None.
        directions: which way is better, by column, where the tool says it (an Optuna study, Ray's `mode`).
        lines: line in `file` of each row, for messages; None: the file has no lines.
        nameless: columns that name no metric and were read as one by the way that they went, and what they were called
            in the order in which that was told, for all runs to be read alike (`by_course`).
        once: names that were told once so far and left out, as what a training came to is: curves where other runs
            tell them as such.
        notes: remarks for the user, such as of a torn last record.
        measures_last: whether the program is known to measure after the last of the planned steps as well.
    """

    file: Path
    columns: Mapping[str, pa.Array]
    run: str = ""
    axis: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    horizon: float | None = None
    total: float | None = None
    status: RunStatus | None = None
    directions: Mapping[str, Direction] = field(default_factory=dict)
    lines: Sequence[int] | None = None
    nameless: Mapping[str, str] = field(default_factory=dict)
    once: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    measures_last: bool = False


def says_epochs(columns: Iterable[str]) -> bool:
    """Whether an epoch was logged beside the curves, as Lightning and Transformers do: it says more than a step."""
    return any(name.strip().lower() in EPOCHS for name in columns)


class Logger(Protocol):
    """Reads what one tool writes."""

    tool: ClassVar[str]
    """The tool's name as people know it: `TensorBoard`."""

    def sniff(self, path: Path) -> bool:
        """Whether this file is one of the tool's from which its runs are read; by its name, then by its first bytes.

        It is asked of every file of a folder, so it must be quick, and it must not raise for a file that is damaged,
        empty or unreadable.
        """

    def owns(self, path: Path) -> Path:
        """The folder that belongs to the run or runs of a file that `sniff` claimed: other readers leave it alone."""

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs of these files, all of which `sniff` claimed; a growing file's torn end is left out with a remark.

        Raises:
            InputError: a file that cannot be read; the message names file, line where there are lines, the tool, and
                the remedy.
            MissingExtraError: a package is missing that reading takes; the message names the extra.
        """

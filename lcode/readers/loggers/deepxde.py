"""DeepXDE's `loss.dat`: steps, then the weighted losses of all terms in training, those in testing, and the metrics.

The header names the three groups once, however many terms there are: the equation, each boundary, each set of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import head_of, refused, text_of, torn_notes
from lcode.readers.loggers.per_file import RunPerFile

TOOL = "DeepXDE"

HEADER = b"# step, loss_train, loss_test, metrics_test"

AXIS = "step"


class DeepXDEReader(RunPerFile):
    """Reads the histories that `dde.saveplot` saves, a run per file."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file begins with DeepXDE's header."""
        return path.suffix == ".dat" and head_of(path, len(HEADER)) == HEADER

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        text, notes = text_of(path, TOOL)
        lines = [(number, line.split()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()][1:]
        if not lines or len(lines[0][1]) < 3:
            raise refused(path, TOOL, "no step has been logged yet", 1)
        width = len(lines[0][1])
        kept = [(number, cells) for number, cells in lines if len(cells) == width]
        torn = [number for number, cells in lines if len(cells) != width]
        columns = spelled_columns(_names([cells for _, cells in kept]), [cells for _, cells in kept])
        return Logged(
            path,
            columns,
            axis=AXIS,
            lines=[number for number, _ in kept],
            notes=(*notes, *torn_notes(path, torn, text.count("\n") + 1)),
        )


def _names(rows: Sequence[Sequence[str]]) -> list[str]:
    """A name per column: `train/term_1/loss` …, `test/term_1/loss` …, `test/metric_1` ….

    As many terms as go twice into the columns; metrics are fewer, and on the whole differ from what stands in training.
    """
    values = len(rows[0]) - 1
    terms = max(
        range(1, values // 2 + 1),
        key=lambda k: (sum(row[1 : 1 + k] == row[1 + k : 1 + 2 * k] for row in rows), k),
    )
    names = [f"{split}/term_{k + 1}/loss" for split in ("train", "test") for k in range(terms)]
    return [AXIS, *names, *(f"test/metric_{k + 1}" for k in range(values - 2 * terms))]

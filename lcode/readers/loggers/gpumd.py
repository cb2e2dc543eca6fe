"""The `loss.out` of NEP, GPUMD's potential: numbers without names, a row per hundred generations."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import head_of, refused, text_of, torn_notes
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.readers.raw import as_number

AXIS = "generation"

_FILE = "loss.out"

_FIRST = (AXIS, "train/total_loss", "train/l1_loss", "train/l2_loss")
_PARTS = {3: ("energy", "force", "virial"), 2: ("force", "virial"), 1: ("dipole",)}
"""Of what the errors are, by their number: of a potential, of a polarizability or of a dipole in later versions."""


class NEPReader(RunPerFolder):
    """Reads trainings of NEP: root mean square errors of the training and the test set."""

    tool: ClassVar[str] = "NEP"

    def sniff(self, path: Path) -> bool:
        """Whether it has the name and the columns of such a file."""
        if path.name != _FILE:
            return False
        first = head_of(path, 4096).decode("utf-8", "replace").split("\n", 1)[0].split()
        return _names(len(first)) is not None and all(as_number(cell) is not None for cell in first)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        text, notes = text_of(path, self.tool)
        rows = [(number, line.split()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        size = len(rows[0][1])
        names = _names(size)
        if names is None:
            raise refused(path, self.tool, f"a row of {size} numbers is none of a training", rows[0][0])
        kept = [(number, cells) for number, cells in rows if len(cells) == size]
        torn = [number for number, cells in rows if len(cells) != size]
        return Logged(
            file=path,
            columns=spelled_columns(names, [cells for _, cells in kept]),
            axis=AXIS,
            lines=[number for number, _ in kept],
            notes=(*notes, *torn_notes(path, torn, text.count("\n") + 1)),
        )


def _names(size: int) -> list[str] | None:
    """The names of so many columns; None where no version writes so many."""
    parts = _PARTS.get((size - len(_FIRST)) // 2)
    if parts is None or size != len(_FIRST) + 2 * len(parts):
        return None
    return [*_FIRST, *(f"{split}/{part}/rmse" for split in ("train", "val") for part in parts)]

"""What readers of tools share that leave a run per file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from lcode.readers.logged.base import Logged
from lcode.readers.logged.several import sound_runs
from lcode.readers.printed.runs.text_runs import trainings_in


class RunPerFile(ABC):
    """A reader of files each of which is a run by itself."""

    @abstractmethod
    def logged(self, path: Path) -> Logged:
        """The run of a file.

        Raises:
            InputError: it cannot be read.
        """

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs of the files: several of a file to which a later training was appended.

        Raises:
            InputError: none can be read.
        """
        return sound_runs(paths, lambda path: trainings_in(self.logged(path)))


class RunPerFolder(RunPerFile):
    """A reader of files each of which lies in the folder of its run."""

    def owns(self, path: Path) -> Path:
        """The run's folder."""
        return path.parent

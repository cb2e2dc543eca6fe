"""What a long call has written so far, beside its output, so that the same call goes on after it was killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lcode.cli.console import write_frames
from lcode.files import alone_in, refusals, replacing

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class PartsBeside:
    """A hidden folder beside an output: a Parquet file for each part of it, and what call they are of.

    A part is there whole or not at all. The output is written from the parts when all are there, and they are removed.
    As a context it keeps other calls away, whose parts would get among ours.

    Attributes:
        output: the file that is to be written.
        count: how many parts there are.
    """

    output: Path
    count: int = 0
    _alone: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self.output.with_name(f".{self.output.name[-50:]}.parts")

    @property
    def scratch(self) -> Path:
        """A folder for what is of no use to another call; the first use makes it."""
        return self.folder / "scratch"

    def begin(self, call: Iterable[object]) -> None:
        """Keep the parts that are of this call; others are removed.

        Args:
            call: all on which the parts depend; what its files hold is told by their sizes and times.

        Raises:
            StorageError: the operating system refuses.
        """
        stamp = json.dumps([metadata.version("lcode"), *map(_stamped, call)], indent=0).encode()
        with refusals(self.folder):
            known = self.folder / "call.json"
            if not known.is_file() or known.read_bytes() != stamp:
                self._clear()
                with replacing(known) as stream:
                    stream.write(stamp)
            while self._part(self.count).is_file():
                self.count += 1

    def add(self, frames: Iterator[pd.DataFrame]) -> None:
        """Write the next part."""
        write_frames(frames, self._part(self.count))
        self.count += 1

    def finish(self) -> None:
        """Write the output from the parts, and remove these."""
        import pandas as pd

        write_frames((pd.read_parquet(self._part(number)) for number in range(self.count)), self.output)
        self._clear()

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            UsageError: another call is writing this output.
            StorageError: the operating system refuses.
        """
        busy = f"another call is writing {self.output}; wait for it, or give another --out"
        with refusals(self.folder):
            self.folder.mkdir(exist_ok=True)
            self._alone.enter_context(alone_in(self.folder, busy=busy))
        shutil.rmtree(self.scratch, ignore_errors=True)  # of a call that was killed
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave nothing but parts that another call can go on from."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not self._part(0).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
        self._alone.close()

    def _clear(self) -> None:
        """Remove all parts, and before them what says of which call they are."""
        self.count = 0
        for file in sorted(self.folder.glob("*"), reverse=True):
            if file.is_file():
                file.unlink()

    def _part(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"


def _stamped(value: object) -> str | list[str]:
    """A value as text; of files and folders also what tells their content from another."""
    if not isinstance(value, Path):
        return repr(value)
    files = [value] if value.is_file() else sorted(file for file in value.rglob("*") if file.is_file())
    # The output may lie in a folder of logs, and then its parts do.
    files = [file for file in files if not any(part.startswith(".") for part in file.relative_to(value).parts)]
    stats = [(file, file.stat()) for file in files]
    return [str(value.resolve()), *(f"{file.name} {about.st_size} {about.st_mtime_ns}" for file, about in stats)]

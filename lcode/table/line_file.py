"""The end of a log: a line is appended as a whole, or the log stays as it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lcode.errors import UsageError
from lcode.files import refusals

OF_RANKS = "; where several processes train one run (DDP), let rank 0 alone report, and broadcast the verdict"
"""What the other writer of a log is most often."""


class LineFile:
    """A file to which whole lines are appended by one writer.

    There is no buffer: a line that failed is not written behind the caller's back later on. A line that was written
    in part (a full disk) is cut off at once, or, where that fails too, before anything else is appended; a process
    that is killed leaves at most one torn line, at the end.

    Args:
        path: the file, which exists.
        size: how many of its bytes are whole lines; the rest is cut off.

    Raises:
        StorageError: the operating system refuses.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size
        self._line = b""
        with refusals(path):
            self._file = path.open("a+b", buffering=0)
            try:
                if os.fstat(self._file.fileno()).st_size > size:
                    os.ftruncate(self._file.fileno(), size)
            except BaseException:
                self._file.close()
                raise

    def append(self, line: bytes) -> None:
        """Append one line.

        Raises:
            StorageError: the operating system refuses; nothing of the line stays, and it may be tried again.
            UsageError: the file was closed or deleted, or somebody else has written to it.
        """
        if self._file.closed:
            raise UsageError(f"{self.path} was closed; open it with another writer")
        handle = self._file.fileno()
        with refusals(self.path, state="no part of this line stays in the log; "):
            self._cut_torn_line(handle)
            self._line = line
            try:
                written = 0
                while written < len(line):
                    count = os.write(handle, line[written:])
                    if not count:
                        raise OSError(errno.EIO, "nothing could be written")
                    written += count
                self._size += len(line)
            finally:
                self._cut_torn_line(handle)

    def close(self) -> None:
        """Sync to the disk and close; a second call does nothing.

        Raises:
            StorageError: the operating system refuses; the file is closed in any case.
        """
        if self._file.closed:
            return
        try:
            with refusals(self.path, state="the last lines may be lost; "):
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def _cut_torn_line(self, handle: int) -> None:
        """Cut off what a failed write has left.

        Raises:
            UsageError: the file ends with something else: it has another writer; or it was replaced or deleted,
                so that what is written is lost.
        """
        found = os.fstat(handle)
        if not found.st_nlink and self.path.exists():
            raise UsageError(
                f"{self.path} was replaced since it was opened; a run has one writer, so end the other one, or "
                f"give this run another name{OF_RANKS}"
            )
        if not found.st_nlink:
            raise UsageError(
                f"{self.path} was deleted since it was opened, or its folder was; what is written now would be lost, "
                "so start again with a folder that stays"
            )
        if found.st_size == self._size:
            return
        os.lseek(handle, self._size, os.SEEK_SET)
        rest = os.read(handle, len(self._line) + 1)
        if not rest or not self._line.startswith(rest):
            raise UsageError(
                f"{self.path} was changed by somebody else since it was opened; a run has one writer at a time, so end "
                f"the other one, or give this run another name{OF_RANKS}"
            )
        os.ftruncate(handle, self._size)

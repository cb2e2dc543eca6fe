"""What was appended to a log since it was looked at last: a log that others write is read once, as it grows."""

from __future__ import annotations

import os
from pathlib import Path

from lcode.files import refusals

Lines = list[tuple[int, bytes]]
"""Numbers of lines in their file, from 1, and the lines without their ends."""


class LogTail:
    """Reads the whole lines that were appended to a file, and notices when the file was written anew.

    A line without an end is not there yet: its writer is at it, or was killed, and will cut it off. Where the file is
    another one than before (a log that was rewound is replaced as a whole), everything in it is news.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._size, self._count = 0, 0
        self._last = b""

    def news(self, stat: os.stat_result | None = None) -> tuple[bool, Lines]:
        """Whether the file was written anew, and the lines to be read: the new ones, or then all.

        Args:
            stat: the file's, if it is at hand.

        Raises:
            StorageError: the operating system refuses; a file that is gone has no news.
        """
        with refusals(self.path):
            try:
                stat = os.stat(self.path) if stat is None else stat
                seen = stat.st_ino, stat.st_size, stat.st_mtime_ns
                if seen == self._seen:
                    return False, []
                begin = self._size - len(self._last)
                with self.path.open("rb") as file:
                    file.seek(begin)
                    text = file.read()
                    known = text.startswith(self._last) and (self._seen is None or self._seen[0] == stat.st_ino)
                    if not known:
                        file.seek(0)
                        text, begin = file.read(), 0
            except FileNotFoundError:
                return False, []
        again = not known
        if again:
            self._last, self._count = b"", 0
        whole = text[: text.rfind(b"\n") + 1]
        lines = whole[len(self._last) :].split(b"\n")[:-1]
        first = self._count + 1
        self._seen, self._size, self._count = seen, begin + len(whole), self._count + len(lines)
        if lines:
            self._last = lines[-1] + b"\n"
        elif again:
            self._last = b""
        return again, list(enumerate(lines, start=first))

    def skip(self) -> None:
        """What is in the file by now is known."""
        self.news()

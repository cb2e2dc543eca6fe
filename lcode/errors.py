"""What can go wrong, as types: a caller may catch `LcodeError`, the command line prints it without a traceback."""

from __future__ import annotations

import errno
from typing import Self

_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free some space, or choose another place"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "choose another place, or mend its rights"),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR), "give another path"),
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "allow more open files (`ulimit -n`)",
}
"""What a user can do about what the operating system refused."""


class LcodeError(Exception):
    """Base of every error that `lcode` raises on purpose. Its text says what was found and how to mend it.

    Examples:
        >>> import lcode
        >>> try:
        ...     lcode.read_logs("nowhere.csv")
        ... except lcode.LcodeError as error:
        ...     print(error)
        nowhere.csv: there is no such file or folder; check the path
    """


class InputError(LcodeError):
    """A log, a table or a file that cannot be read as it stands.

    Args:
        message: what was found and what to do about it.
        path: the file in which it was found, if there is one.
        line: 1-based line in that file (the header of a CSV is line 1).
        column: name of the offending column.
    """

    def __init__(
        self, message: str, *, path: object = None, line: int | None = None, column: str | None = None
    ) -> None:
        self.message, self.path, self.line, self.column = message, path, line, column
        place = "" if path is None else str(path)
        if line is not None:
            place += f", line {line}" if place else f"line {line}"
        if column is not None:
            place += f", column '{column}'" if place else f"column '{column}'"
        super().__init__(f"{place}: {message}" if place else message)


class UsageError(LcodeError):
    """An argument or option that makes no sense here; the text lists what would."""


class DataNotFoundError(LcodeError):
    """A benchmark's files are neither in `LCODE_DATA`, nor cached, nor downloadable."""


class CheckpointError(LcodeError):
    """A model folder that is damaged, incomplete, or written by a newer version."""


class NotEnoughDataError(LcodeError):
    """Too few finished runs or epochs to learn from; the text says how many there are and how many are needed."""


class MissingExtraError(LcodeError):
    """An optional package is not installed; the text names the extra that brings it."""


class StorageError(UsageError):
    """What the operating system refuses at a place that the user chose: the disk is full, the folder is read-only."""

    @classmethod
    def of(cls, error: OSError, path: object = None, *, state: str = "") -> Self:
        """The error to raise for one of the operating system.

        Args:
            error: what it said.
            path: the file or folder, if the error itself does not name it.
            state: what is true now, such as that the old file is still there.
        """
        place = path if path is not None else error.filename
        return cls(("" if place is None else f"{place}: ") + explained(error, state=state))


def explained(error: OSError, *, state: str = "") -> str:
    """What the operating system said, and what the user can do about it."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{reason}; {state}{_REMEDIES.get(error.errno or 0, 'check the disk and the path')}"


def refusal(error: BaseException) -> LcodeError | None:
    """The error to show to the user without a traceback; None if it is a bug of ours.

    What the operating system refuses (files, memory) is the user's to mend, wherever it was asked.
    """
    if isinstance(error, LcodeError):
        return error
    if isinstance(error, OSError):
        return StorageError.of(error)
    if isinstance(error, MemoryError):
        return LcodeError(f"not enough memory ({error}); read fewer runs or curves at a time, or free some")
    return None

"""Files that appear whole or not at all; what the operating system refuses is a `StorageError`."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lcode.errors import InputError, StorageError, UsageError

try:
    import fcntl
except ImportError:  # not on Windows; there nothing but the user's care keeps two writers of one folder apart
    fcntl = None  # type: ignore[assignment]

ROOM = 1 << 20
"""Bytes that must fit beside what there is before work is begun whose result is to be written; the weights
of the shipped model take 610 kB."""


def check_path(path: Path) -> None:
    """Refuse what is neither a file nor a folder.

    Raises:
        InputError: nothing is there, or something that may never end.
    """
    if not path.exists():
        raise InputError("there is no such file or folder; check the path", path=path)
    if not path.is_dir() and not path.is_file():
        raise InputError(
            "is a pipe or a device, which may never end; write the logs to a file and name that", path=path
        )


@contextmanager
def refusals(path: object = None, *, state: str = "") -> Iterator[None]:
    """Turn what the operating system refuses in this block into a `StorageError`.

    Args:
        path: the file or folder, for the message; default: the one that the operating system names.
        state: what is true then, such as that the old file is still there; for the message.
    """
    try:
        yield
    except OSError as error:
        raise StorageError.of(error, path, state=state) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream; what is written to it becomes the file's content, synced to the disk, when the block ends.

    Whoever reads meanwhile, or after a crash, finds the old file or the new one. If the block fails the old one stays.
    A link stays one: what it points to is replaced.

    Raises:
        StorageError: the operating system refuses.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    # The end of a long name: a file's name may have 255 bytes, and runs differ at their ends.
    temporary = path.with_name(f".{path.name[-50:]}.{os.getpid()}.tmp")
    with refusals(path, state="nothing was written; "):
        try:
            with temporary.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Whether a file has the name of one that `replacing` was writing when its process was killed."""
    return re.fullmatch(r"\..+\.\d+\.tmp", name) is not None


@contextmanager
def alone_in(folder: Path, *, busy: str = "") -> Iterator[None]:
    """Keep other processes out of this block, for the same folder, where its file system knows locks.

    The lock dies with its holder, so whatever an earlier one left half done may be cleared away.

    Args:
        folder: the folder.
        busy: what the user is told where another process is in such a block; default: wait for it.

    Raises:
        UsageError: another process is in such a block, and `busy` is given.
    """
    handle = os.open(folder, os.O_RDONLY) if fcntl is not None else None
    try:
        if handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
            except BlockingIOError:
                raise UsageError(busy) from None
            except OSError:
                pass  # its file system knows no locks
        yield
    finally:
        if handle is not None:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where its file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_room(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, before the work whose result it is to hold.

    It is tried, since rights alone do not tell of a full disk or a read-only one; nothing is left behind.

    Args:
        folder: the folder; if it is missing, the nearest above it that exists is tried.

    Raises:
        StorageError: the operating system refuses.
    """
    with refusals(folder, state="nothing was done; "):
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            left = ROOM
            while left:
                left -= file.write(bytes(left))

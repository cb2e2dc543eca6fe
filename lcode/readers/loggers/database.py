"""SQLite databases in which tools keep runs, read while others write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lcode.errors import InputError
from lcode.readers.logged.lines import head_of, refused

if TYPE_CHECKING:
    import sqlite3

SQLITE_MAGIC = b"SQLite format 3\0"


@contextmanager
def database(path: Path, tool: str) -> Iterator[sqlite3.Connection]:
    """A connection that waits for a writer and leaves the file as it is.

    Args:
        path: the file.
        tool: who wrote it, for messages.

    Raises:
        InputError: it is no database, is damaged or locked, or what is read within cannot be understood.
    """
    import sqlite3

    address = path.absolute().as_uri()
    try:
        base = sqlite3.connect(f"{address}?mode=ro", uri=True)
        try:
            base.execute("PRAGMA schema_version")
        except sqlite3.OperationalError:
            base.close()
            log = path.with_name(path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise
            # With write-ahead logging even a reader makes a file beside the database, which a read-only folder refuses.
            base = sqlite3.connect(f"{address}?immutable=1", uri=True)
        try:
            yield base
        finally:
            base.close()
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise refused(path, tool, f"the database cannot be read ({error})") from error


def tables_of(path: Path) -> set[str]:
    """The names of a file's tables; empty where it is no database or cannot be read."""
    if head_of(path, len(SQLITE_MAGIC)) != SQLITE_MAGIC:
        return set()
    try:
        with database(path, "SQLite") as base:
            return {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except (InputError, OSError):
        return set()

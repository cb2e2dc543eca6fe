"""SQLite databases in which tools keep runs, read while others write them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lcode.readers.loggers.lines import head_of

SQLITE_MAGIC = b"SQLite format 3\0"


def connected(path: Path) -> sqlite3.Connection:
    """A connection that waits for a writer and leaves the file as it is.

    Raises:
        sqlite3.Error: it is no database.
    """
    address = path.absolute().as_uri()
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
    return base


def tables_of(path: Path) -> set[str]:
    """The names of a file's tables; empty where it is no database or cannot be read."""
    if not head_of(path, len(SQLITE_MAGIC)).startswith(SQLITE_MAGIC):
        return set()
    try:
        base = connected(path)
        try:
            return {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            base.close()
    except (sqlite3.Error, OSError, ValueError):  # a damaged name is no text
        return set()

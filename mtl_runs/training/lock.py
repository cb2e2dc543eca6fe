"""One process per run: an advisory lock that dies with its holder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lcode.errors import UsageError
from lcode.files import refusals

try:
    import fcntl
except ImportError:  # not on Windows; there nothing but the user's care keeps two trainings of one run apart
    fcntl = None  # type: ignore[assignment]


@contextmanager
def exclusive(path: Path, *, patience: float = 30.0) -> Iterator[None]:
    """Hold the lock file while the block runs.

    A worker whose parent was killed notices at its next epoch, so a sweep that is resumed at once waits for it.

    Args:
        path: the lock file; made if missing, and left behind.
        patience: seconds to wait for another holder.

    Raises:
        UsageError: another process still holds it.
        StorageError: the file cannot be made.
    """
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        deadline = time.monotonic() + patience
        while fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise UsageError(
                        f"another process is training run '{path.parent.name}' in the same folder; wait for it to end"
                    ) from None
                time.sleep(0.05)
        yield

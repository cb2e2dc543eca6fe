"""Kills the process that trains a run, whichever engine has started it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from lcode.errors import UsageError
from lcode.table.runlog import RunHeader
from mtl_runs.sweeps.conductor import Silent
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.training.checkpoint import load_checkpoint
from mtl_runs.training.header import header_digest
from mtl_runs.training.loop import checkpoint_path

LOCKS = Path("/proc/locks")


class Killer(Silent):
    """A listener that kills the process that trains a run, once, when it has reported an epoch.

    Args:
        folder: of the logs.
        header: of the run.
        at: the epoch.

    Attributes:
        logged: last epoch in the run's log when its process was dead; 0 = nothing was killed.
        kept: epoch of its checkpoint then.
        memory: the most that the process had of it, bytes.

    Raises:
        UsageError: the system does not tell which process holds a lock.
    """

    def __init__(self, folder: Path, header: RunHeader, at: int) -> None:
        if not LOCKS.exists():
            raise UsageError(f"which process trains a run is read in {LOCKS}, which this system has not; use Linux")
        self.folder, self.header, self.at = folder, header, at
        self.logged = self.kept = self.memory = 0

    def epoch(self, run: str, epoch: int) -> None:
        """See `Listener`."""
        if run != self.header.run or epoch < self.at or self.logged:
            return
        checkpoint = checkpoint_path(self.folder, run)
        pid = holder(checkpoint.with_name("lock"))
        self.memory = peak_memory(pid)
        os.kill(pid, signal.SIGKILL)
        self.logged = max(epoch_lines(self.folder, run))
        self.kept, _ = load_checkpoint(checkpoint, digest=header_digest(self.header))


def holder(lock: Path) -> int:
    """The process that holds a lock."""
    inode = lock.stat().st_ino
    locks = [line.split() for line in LOCKS.read_text().splitlines()]
    return next(int(parts[4]) for parts in locks if parts[5].endswith(f":{inode}"))


def peak_memory(pid: int) -> int:
    """The most memory that a process has had at once, bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

"""A log on a disk that is full, or fails in the middle of a line."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.errors import StorageError, UsageError
from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter

HEADER = RunHeader("a", 10**6, (Metric("seg", "miou", "max"),))


class Disk:
    """`os.write` and `os.ftruncate` on a disk that takes so many more bytes, and may refuse to cut files."""

    def __init__(self, room: int, *, piece: int = 10**9, cuts: bool = True) -> None:
        self.room, self.piece, self.cuts = room, piece, cuts
        self.os_write, self.os_ftruncate = os.write, os.ftruncate

    def write(self, handle: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self.os_write(handle, data[: min(self.room, self.piece)])
        self.room -= count
        return count

    def ftruncate(self, handle: int, size: int) -> None:
        if not self.cuts:
            raise OSError(errno.EIO, "Input/output error")
        self.os_ftruncate(handle, size)

    @contextmanager
    def installed(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, "write", self.write)
            patched.setattr(os, "ftruncate", self.ftruncate)
            yield


def epochs(path: Path) -> list[int]:
    """The epochs of a log of which every line is whole."""
    return [json.loads(line)["epoch"] for line in path.read_bytes().splitlines()[1:]]


@pytest.mark.parametrize("room", [0, 1, 20])
def test_an_epoch_that_does_not_fit_leaves_the_log_as_it_was_and_may_be_tried_again(room: int, tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, HEADER) as log:
        log.epoch(1, {"seg/miou": 0.5})
        before = log.path.read_bytes()
        with Disk(room).installed(), pytest.raises(StorageError, match=r"a\.jsonl: No space left.*free some space"):
            log.epoch(2, {"seg/miou": 0.6})
        assert log.path.read_bytes() == before and log.last_epoch == 1
        log.epoch(2, {"seg/miou": 0.6})
    assert epochs(log.path) == [1, 2]


def test_writes_in_small_pieces_add_up_to_lines(tmp_path: Path) -> None:
    with Disk(10**6, piece=3).installed(), RunLogWriter(tmp_path, HEADER) as log:
        for epoch in (1, 2, 3):
            log.epoch(epoch, {"seg/miou": 0.5})
    assert epochs(log.path) == [1, 2, 3]


def test_a_torn_line_that_cannot_be_cut_at_once_is_cut_before_the_next(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, HEADER) as log:
        with Disk(20, cuts=False).installed(), pytest.raises(StorageError):
            log.epoch(1, {"seg/miou": 0.5})
        assert b'{"type":"epoch"' in log.path.read_bytes()
        log.epoch(1, {"seg/miou": 0.25})
    assert epochs(log.path) == [1]


@pytest.mark.parametrize("cuts", [True, False])
def test_a_second_writer_after_a_failed_line_finds_no_torn_one(cuts: bool, tmp_path: Path) -> None:
    first = RunLogWriter(tmp_path, HEADER)
    with Disk(20, cuts=cuts).installed(), pytest.raises(StorageError):
        first.epoch(1, {"seg/miou": 0.5})
    with RunLogWriter(tmp_path, HEADER) as second:
        second.epoch(1, {"seg/miou": 0.75})
    # The first one is told instead of writing an epoch twice.
    with pytest.raises(UsageError, match=r"changed by somebody else.*let rank 0 alone report"):
        first.epoch(1, {"seg/miou": 0.5})
    first.close()
    assert epochs(second.path) == [1]


def test_an_interrupt_between_two_pieces_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def interrupted(handle: int, data: bytes) -> int:
        write(handle, data[:5])
        raise KeyboardInterrupt

    with RunLogWriter(tmp_path, HEADER) as log:
        before = log.path.read_bytes()
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(os, "write", interrupted)
            log.epoch(1, {"seg/miou": 0.5})
        assert log.path.read_bytes() == before


def test_a_disk_that_takes_nothing_is_no_endless_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunLogWriter(tmp_path, HEADER) as log, monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda *_: 0)
        with pytest.raises(StorageError, match="nothing could be written"):
            log.epoch(1, {})


def test_a_rewind_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with RunLogWriter(tmp_path, HEADER) as log:
        for epoch in (1, 2, 3):
            log.epoch(epoch, {"seg/miou": 0.5})
        with monkeypatch.context() as patched, pytest.raises(StorageError, match="quota exceeded; nothing was written"):
            patched.setattr(os, "fsync", refused)
            log.rewind(1)
        assert log.last_epoch == 3
        log.epoch(4, {"seg/miou": 0.5})
    assert epochs(log.path) == [1, 2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_log_that_was_closed_takes_no_epoch(tmp_path: Path) -> None:
    log = RunLogWriter(tmp_path, HEADER)
    log.close()
    log.close()
    with pytest.raises(UsageError, match="was closed"):
        log.epoch(1, {})


@settings(max_examples=60, deadline=None)
@given(
    rooms=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40), st.booleans(), st.booleans()), max_size=8),
)
def test_whatever_fails_the_log_holds_every_epoch_once(
    rooms: list[tuple[int, int, bool, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    log = RunLogWriter(folder, HEADER)
    for room, piece, cuts, dies in rooms:
        with Disk(room, piece=piece, cuts=cuts).installed(), suppress(StorageError):
            log.epoch(log.last_epoch + 1, {"seg/miou": 0.5})
        reached = log.last_epoch
        if dies:  # another process goes on
            log.close()
            log = RunLogWriter(folder, HEADER)
            # Of a line that could be neither ended nor cut off only the newline may have been missing.
            assert log.last_epoch == reached or (log.last_epoch == reached + 1 and not cuts)
    log.epoch(log.last_epoch + 1, {"seg/miou": 0.5})
    log.close()
    assert epochs(log.path) == list(range(1, log.last_epoch + 1))


FULL = """
import resource, sys
from pathlib import Path
from lcode.errors import StorageError
from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter

header = RunHeader("a", 10**6, (Metric("seg", "miou", "max"),))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
with RunLogWriter(Path(sys.argv[1]), header) as log:
    try:
        while True:
            log.epoch(log.last_epoch + 1, {"seg/miou": 0.5})
    except StorageError as error:
        print(error)
    reached = log.last_epoch
    assert log.path.read_bytes().endswith(b"}\\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.epoch(reached + 1, {"seg/miou": 0.5})
print(reached)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_a_real_limit_of_the_operating_system(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    message, reached = done.stdout.splitlines()
    assert "File too large" in message and "free some space" in message
    assert epochs(tmp_path / "a.jsonl") == list(range(1, int(reached) + 2)) and int(reached) > 5


def test_a_log_whose_folder_has_vanished_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    with RunLogWriter(folder, HEADER) as log:
        log.epoch(1, {"seg/miou": 0.5})
        log.path.unlink()
        folder.rmdir()
        with pytest.raises(UsageError, match="was deleted since it was opened, or its folder was"):
            log.epoch(2, {"seg/miou": 0.6})


def test_a_log_that_another_process_put_in_its_place_is_told_apart(tmp_path: Path) -> None:
    with RunLogWriter(tmp_path, HEADER) as log:
        log.epoch(1, {"seg/miou": 0.5})
        log.path.unlink()
        log.path.write_text("another one\n")
        with pytest.raises(UsageError, match="was replaced since it was opened; a run has one writer"):
            log.epoch(2, {"seg/miou": 0.6})
        assert log.path.read_text() == "another one\n"

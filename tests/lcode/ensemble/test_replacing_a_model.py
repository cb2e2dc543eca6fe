"""Replacing a model while others load it, and being killed at any moment of it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lcode.ensemble.checkpoint import META, TENSORS, Checkpoint, check_writable, read_checkpoint, write_checkpoint
from lcode.errors import CheckpointError, StorageError


def model(number: int) -> Checkpoint:
    """A model whose description and weights both say which one it is."""
    return Checkpoint({"number": number}, {"weight": torch.full((4,), float(number))})


def number_of(folder: Path) -> int:
    """Which model a loader gets; never the description of one with the weights of another."""
    found = read_checkpoint(folder)
    assert found.tensors["weight"].tolist() == [found.meta["number"]] * 4
    return int(found.meta["number"])


KILLED = """
import json, os, signal, sys
from pathlib import Path
import torch
from lcode.ensemble import checkpoint as module

folder = Path(sys.argv[1])


def model(number):
    return module.Checkpoint({"number": number}, {"weight": torch.full((4,), float(number))})


def die_at(point):
    # Before each call of the operating system, from whichever module, and after it, the process may end.
    seen = 0

    def count(frame, event, function):
        nonlocal seen
        if event in ("c_call", "c_return"):
            owner = getattr(function, "__self__", None)
            if getattr(owner, "__name__", None) in ("posix", "fcntl") or type(owner).__module__ == "_io":
                seen += 1
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def killed(number, point):
    child = os.fork()
    if child == 0:
        die_at(point)
        module.write_checkpoint(folder, model(number))
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


module.write_checkpoint(folder, model(0))
whole, point, found = 0, 0, []
while True:
    point += 1
    died = killed(whole + 1, point)
    read = module.read_checkpoint(folder)
    number = read.meta["number"]
    assert read.tensors["weight"].tolist() == [number] * 4, (point, number)
    assert number in (whole, whole + 1), (point, number, whole)
    found.append(number > whole)
    whole = number
    if not died:
        break
print(json.dumps({"points": point, "found": found, "files": sorted(p.name for p in folder.iterdir()),
                  "beside": sorted(p.name for p in folder.parent.iterdir())}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_a_loader_gets_the_old_model_or_the_new_one(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "model")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["points"] >= 50
    assert not result["found"][0] and result["found"][-1]
    # The last save was whole, and has cleared away what all the others had left.
    assert result["files"] == [META, TENSORS] and result["beside"] == ["model"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_first_save_that_was_killed_does_not_block_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / f".{'0' * 64}.safetensors").write_bytes(b"half")
    (folder / ".model.json.17.tmp").write_bytes(b"{")
    with pytest.raises(CheckpointError, match=r"has no model\.json"):
        read_checkpoint(folder)
    write_checkpoint(folder, model(3))
    assert number_of(folder) == 3
    assert sorted(path.name for path in folder.iterdir()) == [META, TENSORS]


LOADING = """
import sys
from pathlib import Path
from lcode.ensemble.checkpoint import read_checkpoint

for _ in range(100):
    found = read_checkpoint(Path(sys.argv[1]))
    assert found.tensors["weight"].tolist() == [found.meta["number"]] * 4
"""


def test_whoever_loads_while_a_model_is_replaced_gets_a_whole_one(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_checkpoint(folder, model(0))
    with subprocess.Popen([sys.executable, "-c", LOADING, str(folder)], stderr=subprocess.PIPE, text=True) as loader:
        number = 0
        while loader.poll() is None:
            number += 1
            write_checkpoint(folder, model(number))
        assert loader.stderr is not None
        assert loader.returncode == 0, loader.stderr.read()
    assert number > 1 and number_of(folder) == number


def failing(monkeypatch: pytest.MonkeyPatch, at: int) -> Callable[[], None]:
    """The operating system refuses the given call of those that bring a file to the disk."""
    calls = 0
    fsync = os.fsync

    def refused(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refused)
    return monkeypatch.undo


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_what_was_there(
    at: int, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    if there:
        write_checkpoint(folder, model(1))
    mend = failing(monkeypatch, at)
    with pytest.raises(StorageError, match=r"No space left on device.*free some space"):
        write_checkpoint(folder, model(2))
    mend()
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if there else [])
    if there:
        assert number_of(folder) == 1
        assert sorted(path.name for path in folder.iterdir()) == [META, TENSORS]
    write_checkpoint(folder, model(2))
    assert number_of(folder) == 2


def test_a_description_that_was_edited_is_refused_however_it_is_laid_out(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, model(5))
    meta = json.loads((tmp_path / META).read_text())
    (tmp_path / META).write_text(json.dumps(dict(reversed(meta.items()))))
    assert number_of(tmp_path) == 5
    (tmp_path / META).write_text(json.dumps(meta | {"number": [5]}))
    with pytest.raises(CheckpointError, match=r"model\.json was changed after the fit; fit the model again"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("digest", [None, 7, "", "../../etc/passwd", ["a"]])
def test_a_description_that_names_no_weights_is_refused(digest: object, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, model(5))
    meta = json.loads((tmp_path / META).read_text())
    (tmp_path / META).write_text(json.dumps(meta | {"weights_sha256": digest}))
    with pytest.raises(CheckpointError, match=r"model\.json is damaged.*fit the model again"):
        read_checkpoint(tmp_path)


def test_a_place_where_nothing_can_be_written_is_refused_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    with pytest.raises(StorageError, match=r"Read-only file system; nothing was done; choose another"):
        check_writable(tmp_path / "deep" / "model")
    with pytest.raises(StorageError, match=r"File name too long.*choose a shorter name"):
        check_writable(tmp_path / ("x" * 300))
    assert not any(tmp_path.iterdir())

"""Files and folders that the operating system does not let be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.errors import InputError
from lcode.readers import read_logs

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[list[Path]]:
    """What is put in here is made readable again in the end, so that it can be removed."""
    paths: list[Path] = []
    yield paths
    for path in paths:
        path.chmod(0o700)


def lock(path: Path, locked: list[Path]) -> Path:
    locked.append(path)
    path.chmod(0)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.parquet", "a.tsv", "a.csv.gz", "a.xlsx"])
def test_a_file_that_may_not_be_read_is_named_with_the_remedy(tmp_path: Path, locked: list[Path], name: str) -> None:
    path = tmp_path / name
    path.write_text("epoch,acc\n1,0.5\n")
    lock(path, locked)
    for where in (path, tmp_path):
        with pytest.raises(InputError, match=r"a\..*: cannot be read: Permission denied; .+"):
            read_logs(where)


def test_a_folder_that_may_not_be_read(tmp_path: Path, locked: list[Path]) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    lock(folder, locked)
    for where in (folder, tmp_path):
        with pytest.raises(InputError, match=r"mine: cannot be read: Permission denied; .+"):
            read_logs(where)


def test_beside_others_it_is_named_in_a_remark(tmp_path: Path, locked: list[Path]) -> None:
    (tmp_path / "a.csv").write_text("epoch,acc\n1,0.5\n2,0.6\n")
    (tmp_path / "theirs").mkdir()
    lock(tmp_path / "theirs", locked)
    table = read_logs(tmp_path)
    assert len(table) == 1 and any("runs may be missing" in note and "theirs" in note for note in table.notes)


def test_a_tools_file_is_left_out_beside_others_and_refused_alone(tmp_path: Path, locked: list[Path]) -> None:
    for run in ("a", "b"):
        with SummaryWriter(str(tmp_path / run)) as writer:
            writer.add_scalar("val/acc", 0.5, 1)
    (file,) = (tmp_path / "b").iterdir()
    lock(file, locked)
    table = read_logs(tmp_path)
    assert len(table) == 1 and any(file.name in note and "Permission denied" in note for note in table.notes)
    with pytest.raises(InputError, match="Permission denied"):
        read_logs(tmp_path / "b")

"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.files import replacing


def test_a_link_stays_one_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("old.csv", "new.csv"):
        link, target = tmp_path / name, tmp_path / "real" / name
        link.symlink_to(target)
        if name == "old.csv":
            target.write_text("before")
        with replacing(link) as file:
            file.write(b"after")
        assert link.is_symlink() and target.read_text() == "after"
    assert {path.name for path in tmp_path.rglob("*")} == {"real", "old.csv", "new.csv"}


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]

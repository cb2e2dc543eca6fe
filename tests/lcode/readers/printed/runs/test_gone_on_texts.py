"""Texts of one training in several files: the one goes on where the other ends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


def _lines(epochs: Iterable[int], add: float = 0.0) -> str:
    return "".join(f"epoch {epoch}/9 val_loss={1 / epoch + add:.4f}\n" for epoch in epochs)


@pytest.mark.parametrize(
    ("first", "second", "starts"),
    [
        ("train.log", "train_resumed.log", 5),
        ("train.log", "train_continued.log", 3),  # its name says that it goes on
        ("job-77.out", "job-78.out", 6),
        ("job-9.out", "job-10.out", 5),
        ("slurm-101.out", "slurm-102.out", 6),
        ("101.out", "102.out", 6),
    ],
)
def test_one_run_where_the_next_file_goes_on(tmp_path: Path, first: str, second: str, starts: int) -> None:
    for folder, add in (("a", 0.0), ("b", 1.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / first).write_text(f"{_lines(range(1, 6), add)}RuntimeError: CUDA out of memory\n")
        (tmp_path / folder / second).write_text(f"Resuming\n{_lines(range(starts, 10), add + 0.5)}")
    table = read_logs(tmp_path)
    assert list(table.run_ids) == ["a", "b"]
    assert table.runs["status"].tolist() == ["finished", "finished"]
    values = table.points[table.points["run"] == "a"]["value"].tolist()
    assert values == [float(f"{1 / at + (0.5 if at >= starts else 0):.4f}") for at in range(1, 10)]
    assert not any("CUDA" in note for note in table.notes)


@pytest.mark.parametrize(
    ("first", "second", "one", "other"),
    [
        ("fold_1.log", "fold_2.log", range(1, 6), range(1, 9)),  # all begin alike
        ("job-1.log", "job-2.log", range(1, 7), range(3, 9)),  # nearly all again, and no name says why
        ("job-1.log", "job-2.log", range(1, 4), range(6, 9)),  # a gap
        ("job-1.log", "job-2.log", range(1, 3), range(3, 9)),  # too few to tell
        ("small.log", "wide.log", range(1, 5), range(5, 9)),
        ("lr0.1.log", "lr0.01.log", range(1, 6), range(4, 9)),
        ("lr0.1.log", "lr0.01_resume.log", range(1, 6), range(4, 9)),
        ("run0.1.log", "run0.2.log", range(1, 6), range(6, 9)),
        ("bs16.log", "bs32.log", range(1, 31), range(25, 55)),
        ("resnet18.log", "resnet50.log", range(1, 31), range(20, 60)),
        ("fold1.log", "fold2.log", range(1, 11), range(11, 21)),
        ("seed_1.log", "seed_2.log", (200, 405), (310, 620)),
    ],
)
def test_others_are_two_runs(tmp_path: Path, first: str, second: str, one: Iterable[int], other: Iterable[int]) -> None:
    (tmp_path / first).write_text(_lines(one))
    (tmp_path / second).write_text(_lines(other, 0.25))
    assert len(read_logs(tmp_path).runs) == 2


def test_other_settings_are_another_run(tmp_path: Path) -> None:
    (tmp_path / "job-1.log").write_text(f"args: {{'lr': 0.1, 'width': 8}}\n{_lines(range(1, 6))}")
    (tmp_path / "job-2.log").write_text(f"args: {{'lr': 0.2, 'width': 8}}\n{_lines(range(6, 10), 0.25)}")
    assert len(read_logs(tmp_path).runs) == 2

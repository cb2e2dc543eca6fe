"""Texts that tell an epoch and a step in each line are read by the one by which they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


def _rows(epochs: int, planned: str, *, evaluated: int = 100) -> str:
    text = ""
    for step in range(25, 200 * epochs + 1, 25):
        at = f"Epoch {(step - 1) // 200 + 1}{planned} | Step {step} |"
        text += f"{at} train loss {9 + 1 / step:.5f}\n"
        text += f"{at} val acc {1 - 1 / step:.5f}\n" if step % evaluated == 0 else ""
    return text


@pytest.mark.parametrize(("epochs", "planned", "horizon"), [(5, "", 1000), (5, "/5", 1000), (3, "/10", 2000)])
def test_steps_count_where_nothing_is_told_once_per_epoch(
    tmp_path: Path, epochs: int, planned: str, horizon: int
) -> None:
    (tmp_path / "run.log").write_text(_rows(epochs, planned))
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [*range(100, 200 * epochs + 1, 100)]
    assert table.runs["horizon"].tolist() == [horizon]
    assert table.runs["status"].tolist() == ["running" if horizon > 200 * epochs else "finished"]


def test_a_first_epoch_is_counted_as_those_that_follow(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(1, "/10", evaluated=50))
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [50, 100, 150, 200]
    assert table.runs["horizon"].tolist() == [2000] and table.runs["status"].tolist() == ["running"]


def test_epochs_count_where_held_out_data_are_measured_once_in_each(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(5, "", evaluated=200))
    assert list(read_logs(tmp_path / "run.log").points["epoch"]) == [1, 2, 3, 4, 5]


def test_steps_of_each_of_several_trainings_count(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(4, "") + _rows(5, ""))
    table = read_logs(tmp_path / "run.log")
    assert len(table.runs) == 2 and table.points["epoch"].max() == 1000

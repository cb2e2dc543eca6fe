"""ALIGNN's histories, as lists of lists or as an object of lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs


def _write(folder: Path, epochs: int) -> None:
    folder.mkdir()
    for split, shift in (("train", 0.0), ("val", 0.5)):
        lists = [[3 / e + shift, 2 / e + shift, 0.0, 1 / e + shift, 0.0, 0.0] for e in range(1, epochs + 1)]
        (folder / f"history_{split}.json").write_text(json.dumps(lists))
    (folder / "config.json").write_text(
        json.dumps({"epochs": 7, "atom_features": "cgcnn", "learning_rate": 0.01 * epochs})
    )


def test_the_lists_are_the_loss_and_its_parts(tmp_path: Path) -> None:
    _write(tmp_path / "a", 7)
    _write(tmp_path / "b", 4)
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["loss", "graph/loss", "gradient/loss"]
    assert table.runs["status"].tolist() == ["finished", "running"] and table.runs["horizon"].tolist() == [7, 7]
    assert table.points[table.points["metric"] == "loss"]["value"].tolist()[:2] == [3.5, 2.0]
    assert table.configs["learning_rate"].tolist() == [0.07, 0.04]


def test_a_history_that_is_cut_is_told_of(tmp_path: Path) -> None:
    _write(tmp_path / "a", 4)
    for split in ("train", "val"):
        (tmp_path / "a" / f"history_{split}.json").write_text("[[3.0, 2.0], [1.")
    with pytest.raises(InputError, match="still being written"):
        read_logs(tmp_path / "a")


def test_an_object_of_lists_is_a_table(tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / f"history_{split}.json").write_text(json.dumps({"loss": [3.0, 2.0, 1.5], "mae": [2.0, 1.0, 0.5]}))
    assert {metric.key for metric in read_logs(tmp_path).metrics} >= {"loss", "mae"}


def test_lists_of_another_program_are_not_read(tmp_path: Path) -> None:
    _write(tmp_path / "a", 4)
    (tmp_path / "a" / "config.json").write_text('{"epochs": 7}')
    (tmp_path / "a" / "log.csv").write_text("epoch,val_acc\n1,0.4\n2,0.5\n3,0.6\n")
    assert {metric.key for metric in read_logs(tmp_path / "a").metrics} == {"val_acc"}

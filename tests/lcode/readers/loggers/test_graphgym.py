"""What GraphGym and GraphGPS leave: a file per part of the data in the folder of a seed, or a printed log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lcode.readers.read import read_logs


def _write(folder: Path, epochs: int, *, every: int = 1) -> None:
    for shift, split in enumerate(("train", "val", "test")):
        (folder / split).mkdir(parents=True)
        rows: list[dict[str, Any]] = [
            {
                "epoch": e,
                "loss": 3 / (e + 2) + shift,
                "lr": 0 if shift else 0.01,
                "params": 77,
                "time_iter": 0.1,
                "accuracy": 0.01 * e + 0.001 * epochs,
            }
            for e in range(0, epochs, 1 if split == "train" else every)
        ]
        (folder / split / "stats.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_files_of_a_seed_are_one_run(tmp_path: Path) -> None:
    for seed, epochs in ((0, 8), (1, 5)):
        _write(tmp_path / "cfg" / str(seed), epochs, every=2)
    _write(tmp_path / "cfg" / "agg", 8, every=2)
    (tmp_path / "cfg" / "config.yaml").write_text("optim:\n  base_lr: 0.01\n  max_epoch: 8\nout_dir: results\n")
    (tmp_path / "cfg" / "0" / "logging.log").write_text("val: {'epoch': 0, 'loss': 9.0}\n")
    table = read_logs(tmp_path)
    assert table.runs["status"].tolist() == ["finished", "running"] and table.runs["horizon"].tolist() == [6, 6]
    assert [metric.key for metric in table.metrics] == ["loss", "accuracy"]
    first = table.points[table.points["metric"] == "loss"].iloc[:4]
    assert first["epoch"].tolist() == [0, 2, 4, 6] and first["value"].iloc[0] == 2.5
    assert table.configs["lr"].tolist() == [0.01, 0.01] and "optim.base_lr" in table.configs
    assert not table.schedules or all(set(plan.rates) == {0.01} for plan in table.schedules.values())
    assert any("means of the seeds" in note for note in table.notes)


def test_a_folder_of_means_alone_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "cfg" / "agg", 4)
    assert len(read_logs(tmp_path).runs) == 1


def test_the_word_before_a_printed_object_says_of_which_data_it_is(tmp_path: Path) -> None:
    lines = [
        f"{split}: {{'epoch': {e}, 'loss': {4 / (e + 1) + shift:.4f}, 'lr': {rate}, 'accuracy': 0.{e}{shift}}}\n"
        for e in range(5)
        for shift, (split, rate) in enumerate((("train", 0.01), ("val", 0.0), ("test", 0.0)))
    ]
    (tmp_path / "logging.log").write_text("".join(lines))
    table = read_logs(tmp_path / "logging.log")
    assert [metric.key for metric in table.metrics] == ["loss", "accuracy"]
    assert table.points[table.points["metric"] == "loss"]["value"].tolist() == [5.0, 3.0, 2.3333, 2.0, 1.8]
    assert table.configs["lr"].tolist() == [0.01]


def test_other_words_before_an_object_say_nothing(tmp_path: Path) -> None:
    lines = [f"stats: {{'epoch': {e}, 'val_loss': {4 / (e + 1):.4f}}}\n" for e in range(5)]
    (tmp_path / "a.log").write_text("".join(lines))
    assert [metric.key for metric in read_logs(tmp_path / "a.log").metrics] == ["val_loss"]


@pytest.mark.parametrize("head", ["[train] ", "INFO:train:", "INFO train - ", "train: "])
def test_one_word_before_all_objects_is_that_of_a_logger(tmp_path: Path, head: str) -> None:
    lines = [f"{head}{{'epoch': {e}, 'accuracy': 0.{e}}}\n" for e in range(5)]
    (tmp_path / "a.log").write_text("".join(lines))
    assert [metric.key for metric in read_logs(tmp_path / "a.log").metrics] == ["accuracy"]

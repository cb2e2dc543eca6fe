"""The runs that text files hold: one after another in a file, or one in several files, and where they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs
from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]
Directions = Callable[[RunTable], dict[str, str]]

SPRINGS = (0.9, 0.7, 0.55, 0.5)
"""A loss that falls."""


@pytest.mark.parametrize(
    ("first", "total", "horizon"), [(0, 300, 299), (0, 8, 7), (0, 299, 299), (0, 24, 24), (1, 299, 299), (1, 300, 300)]
)
def test_a_counter_that_starts_at_0_ends_one_before_its_total_unless_one_more_makes_a_round_number(
    tmp_path: Path, read: Read, first: int, total: int, horizon: int
) -> None:
    table = read(tmp_path, "run.log", "".join(f"[Epoch {e}/{total}] val_acc: 0.{e + 1}\n" for e in range(first, 4)))
    assert table.runs["horizon"].tolist() == [horizon]
    assert table.runs["status"].tolist() == ["running"]


def test_a_training_that_goes_back_to_its_second_count_begins_anew(tmp_path: Path, read: Read) -> None:
    text = "".join(f"Epoch {e}: val_acc 0.{e + 1}\n" for e in (*range(9), *range(1, 5)))
    assert len(read(tmp_path, "run.log", text).runs) == 2


def test_files_that_count_otherwise_than_most_are_left_out_by_name(tmp_path: Path) -> None:
    for name, counter in (("a", "epoch"), ("b", "epoch"), ("c", "step")):
        (tmp_path / f"{name}.log").write_text("".join(f"{counter} {n} val_loss {4 - n}.5\n" for n in range(3)))
    table = read_logs(tmp_path)
    assert sorted(table.runs.index) == ["a", "b"] and any("c.log" in note for note in table.notes)


def test_batches_alone_are_counted_by_passes(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"  Batch {at}/3 | Loss: {v + at}\n" for v in SPRINGS for at in (1, 2, 3))
    assert curve(read(tmp_path, "run.log", text), "Loss") == [(e, v + 3) for e, v in enumerate(SPRINGS, start=1)]


def test_trainings_printed_one_after_another_are_runs(
    tmp_path: Path, read: Read, curve: Curve, directions: Directions
) -> None:
    text = "".join(
        f"Fold {fold}\n" + "".join(f"epoch {e}/4 val loss {v + fold}\n" for e, v in enumerate(SPRINGS, start=1))
        for fold in (1, 2)
    )
    table = read(tmp_path, "folds.log", text.replace("Fold 2", "Final score: 0.5\nFold 2") + "epoch 4/4 val loss 0.1\n")
    assert directions(table) == {"val_loss": "min"}
    assert list(table.runs.index) == ["folds", "folds#2"] and table.runs["horizon"].tolist() == [4, 4]
    assert table.points["value"].tolist()[:4] == [v + 1 for v in SPRINGS]
    assert any("epochs begin anew 1 times, so it holds 2 runs" in note for note in table.notes)
    resumed = "".join(f"epoch {e} val loss {v}\n" for e, v in ((1, 0.9), (2, 0.8), (3, 0.7), (2, 0.75), (3, 0.6)))
    assert curve(read(tmp_path, "resumed.log", resumed), "val_loss") == [(1, 0.9), (2, 0.75), (3, 0.6)]


def test_each_training_in_a_file_has_the_total_that_was_said_of_it(tmp_path: Path, read: Read) -> None:
    text = "".join(
        f"epoch {e}/{total}:\n  val loss {v}\n" for total in (40, 60, 50) for e, v in enumerate(SPRINGS, start=1)
    )
    assert read(tmp_path, "folds.log", text).runs["horizon"].tolist() == [40, 60, 50]
    prolonged = "".join(f"epoch {e}/{3 if e < 3 else 5} val loss {v}\n" for e, v in enumerate(SPRINGS, start=1))
    assert read(tmp_path, "prolonged.log", prolonged).runs["horizon"].tolist() == [5]


def test_rows_before_the_first_epoch_begin_no_run(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "step 5 loss 3.0\n" + "".join(f"epoch {e} loss {v}\n" for e, v in enumerate(SPRINGS)) + "epoch 0 loss 2.0\n"
    table = read(tmp_path, "run.log", text)
    assert list(table.runs.index) == ["run", "run#2"] and curve(table, "loss")[-1] == (0, 2.0)


def test_train_and_test_logs_of_torch_are_one_run(tmp_path: Path, curve: Curve, directions: Directions) -> None:
    for split in ("train", "test"):
        column = "".join(f" {v:.4e}\n" for v in SPRINGS)
        (tmp_path / f"{split}.log").write_text(f"% mean class accuracy ({split} set)\t\n{column}")
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and [value for _, value in curve(table, "mean class accuracy")] == list(SPRINGS)
    assert directions(table) == {"mean class accuracy": "max"}


def test_of_several_files_on_one_run_the_evaluation_counts(tmp_path: Path, directions: Directions) -> None:
    for name, line in (
        ("metrics", '{{"epoch": {e}, "val_loss": {v}, "val_acc": 0.{e}}}'),
        ("timing", "epoch={e} loss=0.001"),
    ):
        text = "".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(SPRINGS, start=1))
        (tmp_path / f"{name}_20310203.log").write_text(text)
    table = read_logs(tmp_path)
    assert len(table.runs) == 1 and set(directions(table)) == {"val_loss", "val_acc"}
    assert any("so not read: timing_20310203.log" in note for note in table.notes)


def test_batches_of_one_epoch_are_steps(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"(epoch: 1, iters: {n}00, time: 0.1, data: 0.2) G_L1: {v}\n" for n, v in enumerate(SPRINGS, 1))
    table = read(tmp_path, "loss_log.txt", text)
    assert curve(table, table.metrics[0].key) == [(100 * n, v) for n, v in enumerate(SPRINGS, 1)]

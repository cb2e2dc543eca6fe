"""The remark on values of the training at epochs without an evaluation."""

from __future__ import annotations

from pathlib import Path

from lcode.readers.read import read_logs


def remarks(folder: Path, rows: str) -> list[str]:
    (folder / "a.csv").write_text("epoch,train_loss,train_acc,val_acc\n" + rows)
    return [note for note in read_logs(folder / "a.csv").notes if "signals" in note]


def test_values_of_the_training_between_evaluations_are_counted(tmp_path: Path) -> None:
    rows = "1,4,0.1,\n2,3,,0.25\n3,2,0.3,\n4,1,0.4,0.5\n5,0.5,0.5,\n"
    (note,) = remarks(tmp_path, rows)  # losses at 1, 3 and 5, accuracies at 3 and 5: that of 1 counts at 2
    assert note.startswith("left out: 5 values of signals (train_loss, train_acc) at epochs at which nothing is")


def test_nothing_is_said_where_each_epoch_is_evaluated(tmp_path: Path) -> None:
    assert remarks(tmp_path, "1,4,0.1,0.25\n2,3,0.2,0.5\n") == []

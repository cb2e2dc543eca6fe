"""A run that a program says it has stopped early has finished; how long it has waited so far ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("2031-02-03 04:05:06 - INFO - Early stopping after 4 epochs", "finished"),
        ("Epoch 00004: early stopping", "finished"),
        ("EarlyStopping counter: 3 out of 3", "finished"),
        ("Ran out of patience.  Stopping training.", "finished"),
        ("Restoring model weights from the end of the best epoch: 2.", "finished"),
        ("No improvement for 5 epochs, stopping.", "finished"),
        ("Stopping training early", "finished"),
        ("Stopping: no improvement since epoch 1", "finished"),
        ("Patience reached, exit", "finished"),
        ("Training complete in 3m 12s\nBest val Acc: 0.91", "finished"),
        ("Finished Training", "finished"),
        ("Sat 01 Jan 2022 10:10:12 INFO  Finished training, best eval result in epoch 2", "finished"),
        ("INFO Early stopping at epoch=4", "finished"),
        ("EarlyStopping counter: 2 out of 10", "running"),
        ("EarlyStopping counter: 1 out of 13", "running"),
        ("No improvement for 5 epochs, will stop after 10", "running"),
        ("Training complete: 8%", "running"),
        ("Models are uploaded when training is finished", "running"),
        ("early stopping patience=3", "running"),
        ("Early stopping will trigger in 4 epochs", "running"),
    ],
)
def test_the_end_of_a_run(tmp_path: Path, said: str, status: str) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(f"Epoch {e}/50 val_acc: 0.{e}\n" for e in range(1, 5)) + said + "\n")
    assert list(read_logs(log).runs["status"]) == [status]


def test_of_two_runs_the_one_that_was_stopped(tmp_path: Path) -> None:
    run = "".join(f"Epoch {e}/50 val_acc: 0.{e}\n" for e in range(1, 5))
    (tmp_path / "run.log").write_text(f"{run}Early stopping triggered\n{run}")
    assert list(read_logs(tmp_path / "run.log").runs["status"]) == ["finished", "running"]


@pytest.mark.parametrize(
    "said",
    [
        "Early stopping: no improvement for {e} epochs",
        "EarlyStopping: val_acc did not improve",
        "Training finished.",
    ],
)
def test_what_is_said_of_each_epoch_ends_no_run(said: str, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(f"Epoch {e}/50 val_acc: 0.{e}\n{said.format(e=e)}\n" for e in range(1, 5)))
    assert list(read_logs(log).runs["status"]) == ["running"]

"""Lines that say how many epochs are planned, in logs that print no other settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs

LOG = "".join(f"Epoch {epoch}: val_loss={1 / epoch:.4f}\n" for epoch in (1, 2, 3, 4))


def _horizon(path: Path, text: str) -> float:
    path.write_text(text)
    return float(read_logs(path).runs["horizon"].item())


@pytest.mark.parametrize(
    "line",
    [
        "Scheduled epochs: 40. LR stepped per epoch.",
        "2024-02-01 10:00:00 - INFO - Starting training for 40 epochs...",
        "Training the model for 40 epochs",
        "warmup:\n  lr: 0.1\ntrain:\n  epochs: 40",
        "TRAIN:\n  END_EPOCH: 40\n  LR0: 0.1",
        "2024-02-01 10:00:00.210 INFO: max_num_epochs: 40",
        "Total epochs = 40",
        "train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_interval=1)",
        "runner = dict(type='EpochBasedRunner', max_epochs=40)",
        "Namespace(seed=1, max_num_epochs=40, lr=0.1)",
    ],
)
def test_a_line_says_what_is_planned(tmp_path: Path, line: str) -> None:
    assert _horizon(tmp_path / "train.log", f"{line}\n{LOG}") == 40


@pytest.mark.parametrize(
    "line",
    [
        "Warming up for 40 epochs",
        "Pretrained for 40 epochs",
        "warmup_epochs: 40",
        "patience: no improvement in 40 epochs",
        "Training took 3.5 hours for 40 epochs: done",
        "Training with warmup for 40 epochs",
        "Training head (backbone frozen) for 40 epochs",
        "Train with linear warm-up for 40 epochs",
        "Training for 40 epochs with a frozen backbone",
        "Training will stop if val loss has not improved for 40 epochs",
        "Training was resumed after it had run for 40 epochs",
        "warmup:\n  epochs: 40",
        "swa:\n  lr: 0.1\n  epochs: 40",
        "optim:\n  pretrain:\n    schedule:\n      epochs: 40\n  lr: 0.1",
        '"warmup": {\n  "epochs": 40\n}',
        "epochs: 2",  # it has gone beyond
    ],
)
def test_other_numbers_of_epochs_are_none(tmp_path: Path, line: str) -> None:
    assert _horizon(tmp_path / "train.log", f"{line}\n{LOG}") == 4


def test_other_settings_come_first(tmp_path: Path) -> None:
    settings = "Namespace(epochs=30, lr=0.1)\nStarting training for 40 epochs\n"
    assert _horizon(tmp_path / "train.log", settings + LOG) == 30


def test_what_goes_on_counts(tmp_path: Path) -> None:
    text = "".join(f"total epochs: {at}\nEpoch {at}: val_loss={1 / at:.3f}\n" for at in (1, 2, 3, 4))
    assert _horizon(tmp_path / "train.log", text) == 4


def test_the_settings_of_the_first_run_are_kept(tmp_path: Path) -> None:
    again = f"Starting training for 9 epochs\n{LOG}"
    (tmp_path / "train.log").write_text(f"args: {{'lr': 0.25, 'width': 8}}\n{again}{again}")
    table = read_logs(tmp_path / "train.log")
    assert table.configs["lr"].tolist() == [0.25, 0.25]
    assert table.runs["horizon"].tolist() == [9, 9]

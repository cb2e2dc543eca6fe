"""Bars that are called after an epoch and count the batches of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

LOSSES = [0.9, 0.7, 0.5, 0.4]


def _bar(name: str, at: int, of: int, behind: str = "") -> str:
    return f"{name}: {100 * at // of:3}%|{'█' * (10 * at // of)}| {at}/{of} [00:10<00:00, 9.90it/s{behind}]"


@pytest.mark.parametrize("name", ["Training Epoch", "Train epoch", "Epoch", "validating Epoch", "Eval_Epoch"])
@pytest.mark.parametrize("redrawn", [False, True])
def test_other_lines_count_the_epochs(tmp_path: Path, name: str, redrawn: bool) -> None:
    log = tmp_path / "train.log"
    text = ""
    for epoch, loss in enumerate(LOSSES, start=1):
        states = [_bar(name, at, 80, f", loss={loss + 0.1:.3f}") for at in ((20, 60, 80) if redrawn else (80,))]
        text += "\r".join(states) + f"\n[{epoch}] epoch {epoch}: val_loss={loss}\n"
    log.write_text(text, newline="")
    table = read_logs(log)
    points = table.points[table.points["metric"] == "val_loss"]
    assert points["epoch"].tolist() == [1, 2, 3, 4]
    assert points["value"].tolist() == LOSSES
    assert table.runs["horizon"].tolist() == [4]


def test_evaluations_below_such_a_bar_are_kept(tmp_path: Path) -> None:
    """As in llama-recipes: the bar of the evaluation and what it came to stand above the line of the epoch."""
    log = tmp_path / "finetune.out"
    text = ""
    for epoch, loss in enumerate(LOSSES, start=1):
        text += _bar(f"Training Epoch: {epoch}/9, step 49/50 completed (loss: {loss + 0.2:.4f})", 50, 50) + "\n"
        text += _bar("evaluating Epoch", 30, 30) + "\n"
        text += f" eval_ppl=tensor({loss + 2:.4f}, device='cuda:1') eval_epoch_loss=tensor({loss:.4f})\n"
        text += f"Epoch {epoch}: train_perplexity=3.0{epoch}, train_epoch_loss={loss + 0.1:.4f}, epoch time 9.5s\n"
    log.write_text(text)
    table = read_logs(log)
    assert {metric.name for metric in table.metrics} == {"eval_ppl", "eval_epoch_loss"}
    assert table.points[table.points["metric"] == "eval_epoch_loss"]["value"].tolist() == LOSSES
    assert table.runs["horizon"].tolist() == [9]


def test_where_nothing_else_counts_bars_that_begin_anew_are_passes(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "nohup.out"
    log.write_text(
        "".join(
            _bar("Train Epoch", 40, 40, f", loss={loss + 0.1:.2f}")
            + "\n"
            + _bar("Val Epoch", 9, 9, f", loss={loss}")
            + "\n"
            for loss in LOSSES
        )
    )
    assert scored(log) == {"nohup loss min": LOSSES}


def test_a_bar_over_the_epochs_counts_them(tmp_path: Path) -> None:
    lines = [_bar("Epoch", at, 8, f", val_loss={loss}") for at, loss in enumerate(LOSSES, start=1)]
    (tmp_path / "a.log").write_text("\n".join(lines) + "\n")
    told = [f"{line}\nepoch {at} done, lr: 0.1\n" for at, line in enumerate(lines, start=1)]
    (tmp_path / "b.log").write_text("".join(told))
    assert read_logs(tmp_path / "a.log").runs["horizon"].tolist() == [8]
    assert read_logs(tmp_path / "b.log").runs["horizon"].tolist() == [8]


@pytest.mark.parametrize("name", ["Epoch", "Training Epochs"])
@pytest.mark.parametrize(
    ("each", "told", "runs"),
    [
        (20, "Epoch {e}: test acc 0.7", 1),  # once, at the end
        (20, "Epoch 3 was the best, test acc 0.7", 1),
        (10, "Epoch {e} | test acc 6{e}", 1),
        (20, "Epoch {e}: test acc 0.7", 4),  # a run begins behind the end of the one before
    ],
)
def test_a_bar_over_the_epochs_counts_them_beside_a_few_lines_that_do(
    tmp_path: Path, name: str, each: int, told: str, runs: int
) -> None:
    text = ""
    for _ in range(runs):
        for at in range(1, 21):
            text += _bar(name, at, 20, f", train_loss=1.{at:02}, val_loss=2.{at:02}") + "\n"
            text += told.format(e=at) + "\n" if at % each == 0 else ""
    (tmp_path / "a.log").write_text(text)
    table = read_logs(tmp_path / "a.log")
    points = table.points[table.points["metric"] == "val_loss"]
    assert points["epoch"].tolist() == [*range(1, 21)] * runs
    assert set(table.runs["horizon"]) == {20}


def test_a_bar_over_the_epochs_that_is_not_at_its_end_says_how_many_there_will_be(tmp_path: Path) -> None:
    bars = (_bar("Epoch", at, 100, f", loss={1 - at / 200:.3f}") + "\n" for at in range(1, 61))
    text = "".join(bar + (f"Epoch {at}: val_loss 0.{at}\n" if at % 10 == 0 else "") for at, bar in enumerate(bars, 1))
    (tmp_path / "a.log").write_text(text)
    table = read_logs(tmp_path / "a.log")
    assert table.runs["horizon"].tolist() == [100]
    assert table.runs["status"].tolist() == ["running"]

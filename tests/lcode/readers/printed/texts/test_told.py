"""What a text tells once: what its training came to, or the first of what texts beside it have told several times."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lcode.readers.read import read_logs

EPOCHS = 8


def _epochs(line: str, number: int) -> str:
    return "".join(line.format(e=e, loss=round(2.1 / e, 4), score=round(1 - 0.7 / e, 4)) for e in range(1, number + 1))


def _told(folder: Path) -> pd.Series:
    """How many values each run has of each metric."""
    return read_logs(folder).points.groupby(["run", "metric"], observed=True)["value"].count()


@pytest.mark.parametrize("line", ["[{e}/8] loss={loss} acc={score}\n", "Epoch {e} | loss {loss} | acc {score}\n"])
@pytest.mark.parametrize(
    "closing",
    [
        "Test acc: 0.71\n",
        "Test | loss 0.41 | acc 71.2%\n",
        "Final test loss: 0.41\nFinal test acc: 0.71\n",
        "[TEST] loss=0.41 acc=0.71\n",
        "Test set results: loss= 0.4100 accuracy= 0.7100\n",
        "Accuracy of the network on the 5000 test images: 71 %\n",
        "Evaluation on test set: acc=0.71\n",
        "Macro F1: 0.71\n",
    ],
)
def test_a_test_at_the_end_changes_no_name(tmp_path: Path, line: str, closing: str) -> None:
    (tmp_path / "a.log").write_text(_epochs(line, EPOCHS) + closing)
    (tmp_path / "b.log").write_text(_epochs(line, 3))
    told = _told(tmp_path)
    assert told.to_dict() == {("a", "acc"): 8, ("a", "loss"): 8, ("b", "acc"): 3, ("b", "loss"): 3}


@pytest.mark.parametrize("line", ["[{e}/8] loss={loss} acc={score}\n", "Epoch {e} | loss {loss} | acc {score}\n"])
@pytest.mark.parametrize(
    ("at", "name", "looks"),
    [(4, "Validation: val_acc", (4, 5, 6)), (4, "Test acc", (5, 6)), (1, "Validation: val_acc", (3, 6))],
)
def test_what_is_told_in_the_middle_closes_nothing(
    tmp_path: Path, line: str, at: int, name: str, looks: tuple[int, ...]
) -> None:
    epochs = _epochs(line, 6).splitlines(keepends=True)
    for looked in looks:
        (tmp_path / "a.log").write_text("".join([*epochs[:at], f"{name}: 0.61\n", *epochs[at:looked]]))
        told = _told(tmp_path).droplevel("run").to_dict()
        assert told == {"train/acc": looked, "train/loss": looked}


def test_tests_of_several_epochs_are_curves(tmp_path: Path) -> None:
    text = _epochs("epoch {e}: loss {loss} acc {score}\n", 4) + "Test acc: 0.61\n"
    (tmp_path / "a.log").write_text(text + "epoch 5: loss 0.4 acc 0.8\nTest acc: 0.62\n")
    assert [*_told(tmp_path)] == [2]


@pytest.mark.parametrize(
    ("line", "validation", "key"),
    [
        ("Epoch {e}/9 train_loss: {loss}\n", "Epoch {e}/9 val_iou: {score}\n", "val_iou"),
        ("epoch {e} average loss: {loss}\n", "present epoch: {e} mean dice: {score}\n", "mean_dice"),
        ("epoch {e}: loss {loss} acc {score}\n", "  eval acc {score}\n", "eval_acc"),
    ],
)
@pytest.mark.parametrize("after", [0, 1])
def test_one_validation_is_read_beside_runs_of_several(
    tmp_path: Path, line: str, validation: str, key: str, after: int
) -> None:
    def text(number: int) -> str:
        return "".join(
            told.format(e=e, loss=round(2.1 / e, 4), score=round(1 - 0.7 / e, 4))
            for e in range(1, number + 1)
            for told in (line, *([validation] if e % 3 == 0 else []))
        )

    for name, number in {"old": 9, "young": 3 + after}.items():
        (tmp_path / f"{name}.log").write_text(text(number))
    assert _told(tmp_path).to_dict() == {("old", key): 3, ("young", key): 1}

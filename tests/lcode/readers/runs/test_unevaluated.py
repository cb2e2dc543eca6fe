"""Zeros that stand where nothing was evaluated, and those that were measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

EPOCHS = range(1, 13)


def table(header: str, row: Callable[[int], str]) -> str:
    return "\n".join([header, *(f"{epoch},{1 / epoch},{row(epoch)}" for epoch in EPOCHS)]) + "\n"


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "epoch,train_loss,val_loss,val_acc,miou",
            lambda epoch: "0.75,0.5,0.25" if epoch % 4 == 0 else "0,0,0.0",
            {"main val_loss min": [0.75] * 3, "main val_acc max": [0.5] * 3, "main miou max": [0.25] * 3},
        ),
        (
            "epoch,train_loss,val_loss,val_f1",  # nothing may be found at first
            lambda epoch: f"0.75,{epoch - 4}" if epoch % 4 == 0 else "0,0",
            {"main val_loss min": [0.75] * 3, "main val_f1 max": [0, 4, 8]},
        ),
        ("epoch,loss,val_acc", lambda epoch: "0.5" if epoch % 4 == 0 else "0", {"main val_acc max": [0.5] * 3}),
    ],
    ids=["loss", "a score that is 0", "scores alone"],
)
def test_zeros_between_evaluations_are_no_values(
    tmp_path: Path,
    header: str,
    row: Callable[[int], str],
    expected: dict[str, list[float]],
    scored: Callable[[Path], dict[str, list[float]]],
) -> None:
    (tmp_path / "main.csv").write_text(table(header, row))
    assert scored(tmp_path / "main.csv") == expected
    told = "main.csv: zeros for all of the validation, so read as not evaluated: 9 rows."
    assert told in read_logs(tmp_path / "main.csv").notes


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("epoch,train_loss,val_loss", lambda epoch: f"{max(0.0, 1 - 0.125 * epoch)}"),  # converged
        ("epoch,train_loss,val_loss", lambda epoch: f"{0.001 * (epoch % 4) if epoch > 2 else 1}"),  # rounded
        ("epoch,train_loss,val_miou", lambda epoch: f"{0.5 if epoch in (3, 7, 8, 12) else 0}"),  # nothing was found
        ("epoch,loss,val_acc", lambda epoch: f"{(epoch - 1) / 12}"),  # began with it
        ("epoch,loss,eval_reward", lambda epoch: "1" if epoch % 4 == 0 else "0"),  # nothing was earned
    ],
    ids=["converged", "rounded", "found", "began", "earned"],
)
def test_zeros_that_were_measured_stay(tmp_path: Path, header: str, row: Callable[[int], str]) -> None:
    (tmp_path / "main.csv").write_text(table(header, row))
    assert len(read_logs(tmp_path / "main.csv").points) == len(EPOCHS)


def test_each_run_of_a_table_says_itself_whether_its_zeros_are_values(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "a.csv").write_text("run,epoch,val_loss\na,1,0.5\na,2,0\nb,1,0\nb,2,0.5\nc,1,0.5\nc,2,0.25\n")
    assert scored(tmp_path) == {"a val_loss min": [0.5, 0], "b val_loss min": [0.5], "c val_loss min": [0.5, 0.25]}

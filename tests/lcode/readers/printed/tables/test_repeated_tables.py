"""Tables that are printed again in each epoch, those of batches and of epochs by turns, are of one training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lcode.readers.read import read_logs

BATCHES = "# Epoch batch         loss        f_mae\n"
EPOCHS = "    #    Epoch      wal       LR         loss        f_mae\n"


def block(epoch: int, loss: float) -> str:
    return (
        f"\ntraining\n{BATCHES}      {epoch}    10        9.{epoch}        0.9\n"
        f"      {epoch}    20        9.0        0.9\n"
        f"\nvalidation\n{BATCHES}      {epoch}    10        8.{epoch}        0.8\n\n\n"
        f"  Train  {EPOCHS}! Train               {epoch}   28.100    0.005         9.{epoch}        0.9\n"
        f"! Validation          {epoch}   28.100    0.005         {loss}        {loss}\nWall time: 28.1\n"
        f"! Best model        {epoch}    0.899\n"
    )


HEAD = (
    f"device: cuda\n! Starting training ...\n\nvalidation\n{BATCHES}      0    10         1.01      0.796\n\n\n"
    f"  Initialization {EPOCHS}! Initial Validation        0    0.000    0.005        1.5       1.5\nWall time: 0.0\n"
)


def test_they_are_one_run(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "log"
    log.write_text(HEAD + "".join(block(e, 1 / e) for e in range(1, 7)))
    assert list(scored(log).values()) == [[1.5, *(1 / e for e in range(1, 7))]] * 2
    table = read_logs(log)
    assert len(table.run_ids) == 1
    assert {"train/loss", "train/f_mae"} <= {*table.signals["metric"]}


def test_a_resumed_one_is_one_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(HEAD + "".join(block(e, 1 / e) for e in (1, 2, 3, 4, 5, 4, 5, 6)))
    assert len(read_logs(log).run_ids) == 1


def test_tables_of_other_headers_that_begin_anew_are_runs(tmp_path: Path) -> None:
    one = "epoch loss acc\n" + "".join(f"{e} 0.{9 - e} 0.{e}\n" for e in range(1, 5))
    other = "epoch loss f1\n" + "".join(f"{e} 0.{9 - e} 0.{e}\n" for e in range(1, 5))
    log = tmp_path / "run.log"
    log.write_text((one + other) * 3)
    assert len(read_logs(log).run_ids) == 6

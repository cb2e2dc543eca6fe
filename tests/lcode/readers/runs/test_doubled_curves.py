"""A curve that a log tells twice, once in fewer digits or without its task, is scored once."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

RUNS, EPOCHS = range(30), range(1, 6)


def value(run: int, epoch: int) -> float:
    return math.exp(-0.1 * epoch) / (1 + 0.013 * run)


@pytest.mark.parametrize(
    ("other", "shown", "scored"),
    [
        ("val_rmse", lambda run, at: f"{value(run, at):.4f}", {"depth/rmse"}),  # rounded
        ("val_rmse", lambda run, at: f"{value(run, at):.9f}", {"depth/rmse"}),  # the same, without its task
        ("val_normals/rmse", lambda run, at: f"{value(run, at):.9f}", {"depth/rmse", "normals/rmse"}),  # another task
        ("val_rmse", lambda run, at: f"{value(run, at) + 1e-3:.4f}", {"depth/rmse", "rmse"}),
        ("val_rmse", lambda run, at: "" if run == 29 else f"{value(run, at):.4f}", {"depth/rmse", "rmse"}),
    ],
)
def test_what_is_told_again_is_left_out(
    tmp_path: Path, other: str, shown: Callable[[int, int], str], scored: set[str]
) -> None:
    rows = "".join(f"r{run},{at},{value(run, at):.9f},{shown(run, at)}\n" for run in RUNS for at in EPOCHS)
    log = tmp_path / "a.csv"
    log.write_text(f"run,epoch,val_depth/rmse,{other}\n{rows}")
    table = read_logs(log)
    assert {metric.key.removeprefix("val/").removeprefix("val_") for metric in table.metrics} == scored
    told = table.reading is not None and table.reading.left_out
    assert told == ({other: "told again as val_depth/rmse"} if len(scored) == 1 else {})


def test_one_that_the_user_names_is_kept(tmp_path: Path) -> None:
    rows = "".join(f"r{run},{at},{value(run, at):.9f},{value(run, at):.3f}\n" for run in RUNS for at in EPOCHS)
    log = tmp_path / "a.csv"
    log.write_text(f"run,epoch,depth/rmse,rmse\n{rows}")
    assert [metric.key for metric in read_logs(log, targets=["rmse"]).metrics] == ["depth/rmse", "rmse"]

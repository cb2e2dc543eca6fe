"""Folders of TensorBoard that hold a task each of the run above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs


def write(folder: Path, curves: Mapping[str, Sequence[float]]) -> None:
    with SummaryWriter(str(folder)) as writer:
        for name, values in curves.items():
            for step, value in enumerate(values):
                writer.add_scalar(name, value, step)


@pytest.mark.parametrize("data", ["", "val"])
def test_a_writer_per_task(tmp_path: Path, data: str) -> None:
    for run, value in (("a", 0.5), ("b", 0.6), ("c", 0.7)):
        write(tmp_path / run / "seg" / data, {"loss": [1, 1 - value], "mIoU": [0.1, value]})
        if run != "c":  # which has just begun
            write(tmp_path / run / "depth" / data, {"loss": [2, value], "rmse": [1, value]})
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b", "c")
    assert {metric.key for metric in table.metrics} == {"seg/loss", "seg/mIoU", "depth/loss", "depth/rmse"}


@pytest.mark.parametrize(("first", "second"), [("adam", "sgd"), ("lr_1", "lr_2")])
def test_folders_that_measure_the_same_or_are_numbered_are_runs(tmp_path: Path, first: str, second: str) -> None:
    for seed in ("seed_1", "seed_2"):
        write(tmp_path / seed / first, {"acc": [0.1, 0.5], **({"f1": [0, 1]} if first == "lr_1" else {})})
        write(tmp_path / seed / second, {"acc": [0.1, 0.4], **({"auc": [0, 1]} if first == "lr_1" else {})})
    assert len(read_logs(tmp_path)) == 4

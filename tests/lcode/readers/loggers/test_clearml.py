"""Scalars of ClearML that were saved as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs


def _curve(name: str, values: list[float]) -> dict[str, Any]:
    return {"name": name, "x": [*range(10, 10 * len(values) + 1, 10)], "y": values}


def test_nested_scalars_are_a_run(tmp_path: Path) -> None:
    told = {
        "val": {"seg_miou": _curve("seg_miou", [0.4, 0.5, 0.6]), "depth_rmse": _curve("depth_rmse", [1.5, 1.25])},
        "loss": {"train": _curve("train", [2.0, 1.5, 1.25])},
        ":monitor:gpu": {"gpu_0_utilization": _curve("gpu_0_utilization", [9.0, 8.0, 7.0])},
    }
    (tmp_path / "scalars.json").write_text(json.dumps(told))
    table = read_logs(tmp_path)
    assert {metric.key: metric.direction for metric in table.metrics} == {"seg/miou": "max", "depth/rmse": "min"}
    assert table.points["epoch"].unique().tolist() == [10, 20, 30]
    assert table.signals["metric"].unique().tolist() == ["loss/train"]


def test_a_plot_may_compare_runs(tmp_path: Path) -> None:
    curves = [_curve("val acc - wide net", [0.4, 0.5, 0.6]), _curve("val acc - base", [0.3, 0.4])]
    (tmp_path / "plot.json").write_text(json.dumps(curves))
    table = read_logs(tmp_path / "plot.json")
    assert list(table.runs.index) == ["wide net", "base"] and table.points["value"].tolist() == [
        0.4,
        0.5,
        0.6,
        0.3,
        0.4,
    ]


def test_curves_over_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plot.json").write_text('[{"name": "val acc", "x": [1, 2], "y": ["a", "b"]}]')
    with pytest.raises(InputError, match="no curve of numbers"):
        read_logs(tmp_path / "plot.json")


def test_columns_x_and_y_beside_others_stay_a_table(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"epoch": [1, 2, 3], "val_acc": [0.4, 0.5, 0.6], "x": [7, 7, 9]}))
    assert "val_acc" in {metric.key for metric in read_logs(tmp_path / "log.json").metrics}


def test_other_logs_of_the_folder_are_read_alone(tmp_path: Path) -> None:
    (tmp_path / "fig.json").write_text(json.dumps([_curve("roc auc", [0.4, 0.5, 0.6])]))
    (tmp_path / "log.csv").write_text("epoch,val_acc\n1,0.4\n2,0.5\n3,0.6\n")
    table = read_logs(tmp_path)
    assert {metric.key for metric in table.metrics} == {"val_acc"} and len(table.runs) == 1
    assert any("not read: fig.json" in note for note in table.notes)

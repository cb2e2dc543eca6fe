"""Tables that are named after the curves that they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (",0\n0,0.9\n1,0.7\n", {"loss loss min": [0.9, 0.7]}),
        ("loss\n0.9\n0.7\n", {"loss loss min": [0.9, 0.7]}),
        (",0,1\n0,0.9,3\n1,0.7,2\n", {"loss loss_0 min": [0.9, 0.7], "loss loss_1 min": [3, 2]}),
        ("#Model,Step,Value\na,0,0.9\na,1,0.7\nb,0,3\n", {"a loss min": [0.9, 0.7], "b loss min": [3]}),
        ("step,Validation,Train\n1,0.9,3\n2,0.7,2\n", {"loss loss min": [0.9, 0.7]}),
        ("epoch,val_box,train_box\n1,3,4\n2,2,3\n", {"loss box/loss min": [3, 2]}),
        ("epoch,all data,half\n1,0.9,3\n2,0.7,2\n", {"all data loss min": [0.9, 0.7], "half loss min": [3, 2]}),
    ],
)
def test_columns_that_do_not_say_what_they_are(
    tmp_path: Path, text: str, expected: dict[str, list[float]], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "loss.csv").write_text(text)
    assert scored(tmp_path / "loss.csv") == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "epoch,train,val\n1,3,4\n2,2,3\n", {"a loss min": [4, 3]}),
        ("a.csv", "Iterations,Validation,Train\n400,0.5,0.25\n800,0.75,0.5\n", {"a score max": [0.5, 0.75]}),
        ("a.json", '{"train": [3, 2], "test": [4, 3]}', {"a loss min": [4, 3]}),
        ("a.csv", "loss\n3\n2\n", {"a loss min": [3, 2]}),
        ("a.json", '{"gamma": 0.9, "rewards": [2, 3]}', {"a rewards max": [2, 3]}),
    ],
)
def test_curves_of_which_the_file_says_little(
    tmp_path: Path,
    name: str,
    text: str,
    expected: dict[str, list[float]],
    scored: Callable[[Path], dict[str, list[float]]],
) -> None:
    (tmp_path / name).write_text(text)
    assert scored(tmp_path / name) == expected


def test_many_rows_of_metrics_alone_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("acc,f1\n" + "0.5,0.25\n" * 20)
    assert len(read_logs(tmp_path / "a.csv").points) == 40
    (tmp_path / "a.csv").write_text("acc,f1\n" + "0.5,0.25\n" * 10)  # may be of ten folds
    with pytest.raises(InputError, match="no column counts"):
        read_logs(tmp_path / "a.csv")


def test_files_of_one_curve_each_are_one_run(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    for run, best in (("1_iter", 0.5), ("3_iter", 0.6)):
        (tmp_path / f"{run}_loss.csv").write_text("step,loss\n0,4\n100,3\n200,2\n")
        (tmp_path / f"{run}_val_acc.csv").write_text(f"step,val_acc\n0,0.1\n200,{best}\n")
    assert scored(tmp_path) == {"1_iter val_acc max": [0.1, 0.5], "3_iter val_acc max": [0.1, 0.6]}


def test_references_beside_a_table_are_told_for_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("run,epoch,seg/miou\na,1,0.2\na,2,0.3\n")
    (tmp_path / "baseline.csv").write_text("task,metric,value\nseg,miou,0.3\n")
    assert any("baseline.csv (the references, which lcode rank" in note for note in read_logs(tmp_path).notes)


def test_files_of_single_classes(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    (tmp_path / "per_class_iou.csv").write_text("epoch,road,car\n1,0.5,0.2\n2,0.7,0.4\n")
    alone = scored(tmp_path / "per_class_iou.csv")
    assert list(alone) == ["per_class_iou road/iou max", "per_class_iou car/iou max"]
    (tmp_path / "metrics.csv").write_text("epoch,val_miou\n1,0.4\n2,0.6\n")
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["val_miou"] and len(table.runs) == 1
    assert any("of single classes" in note and "per_class_iou.csv" in note for note in table.notes)


def test_a_run_that_trains_by_class_is_a_run(tmp_path: Path) -> None:
    for name in ("plain", "focal_per_class"):
        (tmp_path / f"{name}.csv").write_text(f"epoch,loss,acc\n1,0.5,0.2\n2,0.4,0.{len(name)}\n")
    assert read_logs(tmp_path).run_ids == ("focal_per_class", "plain")


def test_one_run_may_be_called_after_its_data(tmp_path: Path) -> None:
    for name, columns in {"loss": "train,a", "acc": "test,ours"}.items():
        rows = "".join(f"{epoch},{1 / epoch:.3f},{2 / epoch:.3f}\n" for epoch in (1, 2, 3))
        (tmp_path / f"{name}.csv").write_text(f"epoch,{columns}\n{rows}")
    assert sorted(read_logs(tmp_path).run_ids) == ["a", "ours", "test", "train"]

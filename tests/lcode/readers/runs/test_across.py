"""Tables whose runs or epochs lie across the columns, or whose runs' curves and settings lie in several files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]


@pytest.mark.parametrize("runs", [["base", "wide", "deep"], ["r0", "r1", "r2"], [f"lr=0.{i},bs=2" for i in (1, 2, 3)]])
def test_a_file_per_metric_with_a_column_per_run(tmp_path: Path, scored: Scored, runs: list[str]) -> None:
    header = "epoch," + ",".join(f'"{run}"' for run in runs)
    (tmp_path / "seg_miou.csv").write_text(f"{header}\n1,0.1,0.2,0.5\n2,0.3,,0.5\n3,0.5,,0.6\n")
    (tmp_path / "depth_rmse.csv").write_text(f"{header}\n1,3,4,5\n2,2,,5\n3,1,,4\n")  # the second is in progress
    found = scored(tmp_path)
    assert found[f"{runs[0]} seg/miou max"] == [0.1, 0.3, 0.5] and found[f"{runs[1]} depth/rmse min"] == [4]
    assert len(found) == 6
    table = read_logs(tmp_path)
    assert table.runs["status"].tolist() == ["finished", "running", "finished"]
    if "=" in runs[0]:
        assert table.configs["lr"].tolist() == [0.1, 0.2, 0.3]


def test_recalls_are_no_runs(tmp_path: Path, scored: Scored) -> None:
    (tmp_path / "recall.csv").write_text("epoch,r1,r5,r10\n1,0.1,0.2,0.3\n2,0.2,0.3,0.4\n")
    assert all(key.startswith("recall ") for key in scored(tmp_path / "recall.csv"))


def test_columns_that_begin_with_numbered_runs(tmp_path: Path, scored: Scored) -> None:
    (tmp_path / "all.csv").write_text(
        "epoch,r1_val_miou,r1_val_rmse,r2_val_miou,r2_val_rmse\n1,0.1,3,0.2,4\n2,0.3,2,,\n"
    )
    assert scored(tmp_path) == {
        "r1 val_miou max": [0.1, 0.3],
        "r1 val_rmse min": [3, 2],
        "r2 val_miou max": [0.2],
        "r2 val_rmse min": [4],
    }


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "t.csv",
            "run,lr,metric,1,2,3\na,0.1,seg_miou,0.1,0.2,0.3\na,0.1,depth_rmse,3,2,1\nb,0.2,seg_miou,0.4,,\n",
            {"a seg/miou max": [0.1, 0.2, 0.3], "a depth/rmse min": [3, 2, 1], "b seg/miou max": [0.4]},
        ),
        (
            "val_miou.csv",
            "who,epoch_5,epoch_10,epoch_15\na,0.1,0.2,0.3\nb,0.4,0.5,0.6\n",
            {"a val_miou max": [0.1, 0.2, 0.3], "b val_miou max": [0.4, 0.5, 0.6]},
        ),
        (
            "a.csv",
            "metric,1,2,3\nacc,0.1,0.2,0.3\nloss,3,2,1\n",
            {"a acc max": [0.1, 0.2, 0.3], "a loss min": [3, 2, 1]},
        ),
    ],
)
def test_a_column_per_epoch(
    tmp_path: Path, scored: Scored, name: str, text: str, expected: dict[str, list[float]]
) -> None:
    (tmp_path / name).write_text(text)
    assert scored(tmp_path / name) == expected
    assert any("are read as the epochs of a curve per row" in note for note in read_logs(tmp_path / name).notes)


@pytest.mark.parametrize("form", ["{key}_epoch_{at}", "ep{at}_{key}", "{key}@step{at}", "{key}_{at}"])
def test_a_column_per_curve_and_epoch(tmp_path: Path, scored: Scored, form: str) -> None:
    numbers = range(1, 25 if form == "{key}_{at}" else 4)
    header = ",".join(form.format(key=key, at=at) for at in numbers for key in ("seg_miou", "depth_rmse"))
    rows = [",".join(f"0.{at + run:02d},{30 - at}" for at in numbers) for run in (0, 1, 2)]
    names = ("nash,0,0.1", "nash,1,0.1", "mgda,0,0.2")
    text = "".join(f"{name},{row}\n" for name, row in zip(names, rows, strict=True))
    (tmp_path / "t.csv").write_text(f"method,seed,lr,{header}\n{text}")
    found = scored(tmp_path / "t.csv")
    runs, keys = {key.split()[0] for key in found}, {key.split()[1].replace("/", "_") for key in found}
    assert runs == {"nash/0", "nash/1", "mgda/0"} and keys == {"seg_miou", "depth_rmse"}
    assert [(at + 1) / 100 for at in numbers] in found.values() and [30 - at for at in numbers] in found.values()
    table = read_logs(tmp_path / "t.csv")
    assert table.points["epoch"].max() == numbers[-1] and sorted(table.configs["lr"]) == [0.1, 0.1, 0.2]
    assert any("of a run per row" in note for note in table.notes)


def test_what_came_of_a_run_is_no_curve_of_it(tmp_path: Path, scored: Scored) -> None:
    (tmp_path / "t.csv").write_text("run,final_acc,acc_epoch_1,acc_epoch_2,acc_epoch_3\na,0.4,0.1,0.2,0.3\n")
    assert scored(tmp_path / "t.csv") == {"a acc max": [0.1, 0.2, 0.3]}
    assert any("but not final_acc" in note for note in read_logs(tmp_path / "t.csv").notes)


@pytest.mark.parametrize("key", ["val_acc", "recall"])
def test_numbers_that_may_be_of_classes_or_ranks_are_no_epochs(tmp_path: Path, key: str) -> None:
    header = ",".join(f"{key}_{at}" for at in range(1, 21))
    cells = [(at if key == "recall" else 7 * at % 20) / 20 for at in range(20)]
    row = ",".join(map(str, cells))
    (tmp_path / "t.csv").write_text(f"method,{header}\na,{row}\nb,{row}\n")
    with pytest.raises(InputError, match="no column counts"):
        read_logs(tmp_path / "t.csv")


def test_a_row_per_run_epoch_and_task(tmp_path: Path, scored: Scored) -> None:
    rows = "".join(f"{run},{epoch},{task},0.{epoch}\n" for run in "ab" for epoch in (1, 2) for task in ("age", "sex"))
    (tmp_path / "a.csv").write_text(f"run,epoch,task,acc\n{rows}")
    assert scored(tmp_path / "a.csv") == {
        f"{run} {task}/acc max": [0.1, 0.2] for run in "ab" for task in ("age", "sex")
    }


@pytest.mark.parametrize("column", ["run", "file"])
def test_settings_in_a_table_beside_those_of_the_curves(tmp_path: Path, column: str) -> None:
    for run in "ab":
        (tmp_path / f"{run}.csv").write_text("epoch,acc\n1,0.5\n2,0.6\n")
    ending = ".csv" if column == "file" else ""
    (tmp_path / "configs.csv").write_text(
        f"{column},lr,width,epochs,best_acc\nb{ending},0.2,32,9,0.7\na{ending},0.1,16,9,0.8\nc{ending},0.3,8,9,0.9\n"
    )
    table = read_logs(tmp_path)
    assert table.configs.to_dict() == {"lr": {"a": 0.1, "b": 0.2}, "width": {"a": 16, "b": 32}}
    assert table.runs["horizon"].tolist() == [9, 9] and set(table.runs["status"]) == {"running"}
    assert [note for note in table.notes if "configs.csv" in note] == [
        "settings of the runs are read from configs.csv."
    ]


def test_settings_in_a_sheet_beside_those_of_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "runs.xlsx") as book:
        pd.DataFrame({"run": ["a", "b"], "lr": [0.1, 0.2], "max_epochs": 9}).to_excel(
            book, sheet_name="configs", index=False
        )
        for run in "ab":
            pd.DataFrame({"epoch": [1, 2], "acc": [0.5, 0.6]}).to_excel(book, sheet_name=run, index=False)
    table = read_logs(tmp_path / "runs.xlsx")
    assert table.configs["lr"].to_dict() == {"a": 0.1, "b": 0.2} and table.runs["horizon"].tolist() == [9, 9]


def test_files_whose_epochs_follow_one_another_must_have_the_same_curves(tmp_path: Path) -> None:
    (tmp_path / "seg_miou.csv").write_text("epoch,base,wide\n1,0.1,0.2\n2,0.3,0.4\n")
    (tmp_path / "depth_rmse.csv").write_text("epoch,base,wide\n3,3,4\n4,2,3\n")
    with pytest.raises(InputError, match="but not the curves"):
        read_logs(tmp_path)


def test_a_row_per_run_with_its_planned_epochs_holds_no_curve(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,lr,epochs,final_miou\na,0.1,30,0.5\nb,0.2,30,0.6\n")
    with pytest.raises(InputError, match="table of results with a row for each 'run'"):
        read_logs(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("run,epoch,miou\na,1,0.5\nb,1,0.6\n")  # both have just begun
    assert len(read_logs(tmp_path / "a.csv")) == 2


@pytest.mark.parametrize(
    "header", ["Lauf,lr,Metrik,Epoche 1,Epoche 2,Epoche 3", "run,lr,métrica,Época 1,Época 2,Época 3"]
)
def test_epochs_across_in_other_languages(tmp_path: Path, scored: Scored, header: str) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\na,0.1,val_miou,0.1,0.2,0.3\nb,0.2,val_miou,0.4,0.5,\n")
    assert scored(tmp_path / "t.csv") == {"a val_miou max": [0.1, 0.2, 0.3], "b val_miou max": [0.4, 0.5]}


@pytest.mark.parametrize(("planned", "horizon"), [(["6", "9"], [6, 9]), (["6", "2"], [6, 3])])
def test_planned_epochs_beside_curves_across(tmp_path: Path, planned: list[str], horizon: list[int]) -> None:
    """Fewer than were told are no plan: it may be where the best epoch was."""
    rows = [f"{run},{epochs},0.1,0.2,0.3" for run, epochs in zip("ab", planned, strict=True)]
    (tmp_path / "t.csv").write_text("name,epochs,val_acc_ep1,val_acc_ep2,val_acc_ep3\n" + "\n".join(rows) + "\n")
    table = read_logs(tmp_path / "t.csv")
    assert table.runs["horizon"].tolist() == horizon
    assert table.points["value"].tolist() == [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]

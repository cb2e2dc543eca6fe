"""CSV files downloaded from W&B: charts with a column per run and metric, and histories of one run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers.loggers import LOGGERS, Logged
from lcode.readers.read import read_logs

LOSS = """"Step","run A - val/loss","run A - val/loss__MIN","run A - val/loss__MAX","b - 2, lr=0.1 - val/loss","b - 2, lr=0.1 - val/loss__MIN","b - 2, lr=0.1 - val/loss__MAX"
"0","1.5","1.5","1.5","","",""
"1","1.25","1.25","1.25","3","3","3"
"""  # noqa: E501
ACC = """"Step","run A - val/acc","run A - val/acc__MIN","run A - val/acc__MAX"
"1","0.5","0.5","0.5"
"2","NaN","NaN","NaN"
"""
HISTORY = """,_step,_runtime,_timestamp,epoch,loss
0,0,1.5,1700000000.5,0,2
1,1,3,1700000002,0,NaN
"""

reader = LOGGERS["wandb-export"]


def read(folder: Path, **files: str) -> list[Logged]:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


def cells(run: Logged, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(run.columns[name].to_pylist() for name in names), strict=True))


def test_charts_of_one_folder_are_joined_by_run(tmp_path: Path) -> None:
    first, second = read(tmp_path, loss=LOSS, acc=ACC)
    assert (first.run, second.run) == ("run A", "b - 2, lr=0.1") and first.axis == "Step"
    assert cells(first, "Step", "val/loss") == [(0, 1.5), (1, 1.25), (2, None)]
    assert first.columns["val/acc"].to_pylist()[:2] == [None, 0.5]
    assert math.isnan(first.columns["val/acc"][2].as_py())
    assert cells(second, "Step", "val/loss") == [(1, 3)] and {*second.columns} == {"Step", "val/loss"}


def test_charts_of_different_folders_are_different_runs(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "acc.csv").write_text(ACC)
    assert [run.file.parent.name for run in read(tmp_path)] == ["one", "two"]


def test_a_chart_against_another_axis_has_rows_of_its_own(tmp_path: Path) -> None:
    (run,) = read(tmp_path, acc=ACC, time='"Relative Time (Process)","run A - f1","run A - f1__MIN"\n0.5,1,1\n')
    assert cells(run, "Step", "Relative Time (Process)", "f1")[-1] == (None, 0.5, 1) and run.axis is None


def test_a_history_is_a_run_named_by_its_file(tmp_path: Path) -> None:
    (run,) = read(tmp_path, history=HISTORY)
    assert run.run == "" and run.axis is None and run.lines == [2, 3]  # the epoch says more than the step
    assert list(run.columns) == ["_step", "_runtime", "_timestamp", "epoch", "loss"]
    assert cells(run, "_step", "epoch") == [(0, 0), (1, 0)] and math.isnan(run.columns["loss"][1].as_py())


@pytest.mark.parametrize(
    "text",
    [
        "_step,_runtime,epoch,val/acc,lcode/val/acc\n0,1,0,0.5,0.7\n1,2,1,0.6,0.7\n",
        '"Step","a - val/acc","a - lcode/val/acc"\n"0","0.5","0.7"\n"1","0.6","0.7"\n',
    ],
)
def test_forecasts_of_our_own_hook_are_no_metrics(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["val/acc"]
    assert table.points["value"].tolist() == [0.5, 0.6]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "epoch,a - b\n1,2\n"),
        ("a.csv", "Step,loss\n1,2\n"),
        ("a.csv", "run_name,_step,_runtime,loss\nx,0,1,2\n"),
        ("a.csv", "Name,_step,_runtime,_timestamp,epoch,loss\nx,0,1,2,0,2\n"),
        ("a.csv", "Run Name,_step,_runtime,loss\nx,0,1,2\n"),
        ("a.csv", "Step\n1\n"),
        ("a.csv", ""),
        ("a.csv", "\0" * 100),
        ("a.csv", '"Step,"run - loss\n'),
        ("a.txt", LOSS),
    ],
)
def test_other_tables_are_left_to_others(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert not reader.sniff(tmp_path / name)


def test_a_folder_of_that_name_and_the_place_of_downloads(tmp_path: Path) -> None:
    (tmp_path / "wandb_export.csv").mkdir()
    assert not reader.sniff(tmp_path / "wandb_export.csv")
    assert reader.owns(tmp_path / "acc.csv") == tmp_path / "acc.csv"  # other tables beside it are still read


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    first, _ = read(tmp_path, loss=LOSS + '"2","0.9')
    assert cells(first, "Step", "val/loss") == [(0, 1.5), (1, 1.25)] and "incomplete" in first.notes[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ACC.splitlines()[0] + "\n", "without a value"),
        (ACC.splitlines()[0] + '\n"0","","",""\n', "without a value"),
        (ACC.replace('"2"', '"yesterday"'), "line 3, column 'Step': .*'yesterday' is no number"),
        (ACC.encode().decode() + "\0" + ACC, "zero bytes"),
        ("_step,_runtime,loss\n", "without a row"),
        ("_step,_runtime,loss\n1\n2\n3\n", "does not have the 3 cells"),
        ("_step,_runtime,loss,loss\n1,1,1,1\n", "two columns 'loss'"),
    ],
)
def test_a_damaged_export_is_refused_alone_and_left_out_beside_others(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path, bad=text)
    assert "W&B export" in str(caught.value) and "bad.csv" in str(caught.value)
    *_, last = read(tmp_path, loss=LOSS)
    assert any("left out" in note for note in last.notes)


def test_a_chart_of_counters_alone_says_what_to_export(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text('"evaluations","a - _step","a - _step__MIN","a - generation","a - generation__MIN"\n60,0,0,1,1\n')
    with pytest.raises(InputError, match=r"is a chart of W&B export of what only counts .*run\.history\(\)\.to_csv"):
        read_logs(path)


def test_lightnings_rows_of_training_and_validation_are_those_of_their_epochs(tmp_path: Path) -> None:
    lines = ["epoch,trainer/global_step,_timestamp,train/loss,_step,val/acc"]
    for epoch in range(8):
        lines += [f"{epoch},{150 * epoch + 50 * i},1.7e9,{0.9**epoch - 0.01 * i},{4 * epoch + i}," for i in range(3)]
        lines.append(f"{epoch},{150 * epoch + 149},1.7e9,,{4 * epoch + 3},{1 - 0.8**epoch}")
    (tmp_path / "run.csv").write_text("\n".join(lines) + "\n")
    table = read_logs(tmp_path)
    assert [metric.key for metric in table.metrics] == ["acc"]
    assert table.points["epoch"].tolist() == list(range(8)) == table.signals["epoch"].tolist()
    assert table.signals["metric"].unique().tolist() == ["train/loss"]
    assert table.signals["value"].iloc[-1] == pytest.approx(0.9**7 - 0.02)

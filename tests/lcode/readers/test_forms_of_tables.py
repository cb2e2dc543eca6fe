"""Forms in which one and the same history is written as a table, each read without being told what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lcode.readers.read import read_logs

EPOCHS = (1, 2, 3)
TRAIN, VAL = {1: 4.0, 2: 3.0, 3: 2.0}, {1: 4.5, 2: 3.5, 3: 2.5}


def rows(row: Callable[[int], str], header: str, footer: str = "") -> str:
    return header + "".join(f"{row(epoch)}\n" for epoch in EPOCHS) + footer


TABLES = {
    "a column more in front": rows(lambda at: f"{at - 1},{at},{TRAIN[at]},{VAL[at]}", "epoch,train_loss,val_loss\n"),
    "a mark behind each row": rows(lambda at: f"{at},{TRAIN[at]},{VAL[at]},", "epoch,train_loss,val_loss\n"),
    "a row below": rows(lambda at: f"{at},{TRAIN[at]},{VAL[at]}", "epoch,train_loss,val_loss\n", "best,2.0,2.5\n"),
    "brackets": rows(lambda at: f"{at},{TRAIN[at]},{VAL[at]}", "Epoch,Loss (train),Loss (val)\n"),
    "phase and metric": rows(
        lambda at: f"{at},train,loss,{TRAIN[at]}\n{at},val,loss,{VAL[at]}", "epoch,phase,metric,value\n"
    ),
    "tags": rows(
        lambda at: f"{at},train/loss,{TRAIN[at]},0.5\n{at},val/loss,{VAL[at]},0.5", "step,tag,value,wall_time\n"
    ),
    "batches": rows(
        lambda at: f"{at},0,{TRAIN[at] + 1},9.5\n{at},1,{TRAIN[at]},{VAL[at]}", "epoch,batch,train_loss,val_loss\n"
    ),
}


@pytest.mark.parametrize("form", TABLES)
def test_forms_of_one_table(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.csv").write_text(TABLES[form])
    table = read_logs(tmp_path / "a.csv")
    assert table.run_ids == ("a",)
    assert dict(zip(table.points["epoch"], table.points["value"], strict=True)) == VAL
    assert dict(zip(table.signals["epoch"], table.signals["value"], strict=True)) == TRAIN


@pytest.mark.parametrize("mark", ["-", "N/A", "None", "null", " -- "])
def test_marks_of_nothing_are_empty_cells(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f"epoch,val_loss\n1,{mark}\n2,3.5\n3,{mark}\n4,2.5\n")
    table = read_logs(tmp_path / "a.csv")
    assert dict(zip(table.points["epoch"], table.points["value"], strict=True)) == {2: 3.5, 4: 2.5}


def history(times: float) -> dict[str, Any]:
    return {"history": [{"epoch": at, "val_loss": VAL[at] * times} for at in EPOCHS]}


def fold(number: int) -> dict[str, Any]:
    return {"fold": number, "val_loss": [VAL[at] * number for at in EPOCHS]}


@pytest.mark.parametrize(
    ("found", "runs"),
    [
        ({"val_loss": [[at, VAL[at]] for at in EPOCHS], "loss": [[1, 4.0], [3, 2.0]]}, ("a",)),
        ({"val_loss": [[0.5, at, VAL[at]] for at in EPOCHS]}, ("a",)),
        ({"val_loss": [4.5, 3.5, 2.5], "checkpoints": {"10": {"acc": 0.5}, "20": {"acc": 0.75}}}, ("a",)),
        ({"b": history(1), "c": history(2)}, ("b", "c")),
        ({"folds": [fold(1), fold(2)], "mean": 0.5}, ("1", "2")),
    ],
    ids=["steps and values", "times, steps and values", "beside checkpoints", "a history each", "folds in a list"],
)
def test_forms_in_json(tmp_path: Path, found: Any, runs: tuple[str, ...]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "a.json")
    assert table.run_ids == runs and len(table.metrics) == 1
    assert table.points["value"].tolist()[:3] == [*VAL.values()] and table.points["epoch"].tolist()[:3] == [*EPOCHS]


def test_events_of_training_and_evaluation_are_parts_of_the_data(tmp_path: Path) -> None:
    parts = (("train", TRAIN), ("eval", VAL))
    lines = [{"event": part, "epoch": at, "loss": told[at]} for at in EPOCHS for part, told in parts]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = read_logs(tmp_path / "a.jsonl")
    assert table.run_ids == ("a",) and table.points["value"].tolist() == [*VAL.values()]


def test_rows_of_tasks_are_curves_and_those_of_clients_runs(tmp_path: Path) -> None:
    text = rows(lambda at: f"{at},seg,{VAL[at]}\n{at},depth,{TRAIN[at]}", "epoch,{who},loss\n")
    (tmp_path / "a.csv").write_text(text.replace("{who}", "task"))
    assert [metric.key for metric in read_logs(tmp_path / "a.csv").metrics] == ["seg/loss", "depth/loss"]
    (tmp_path / "a.csv").write_text(text.replace("{who}", "client"))
    assert read_logs(tmp_path / "a.csv").run_ids == ("seg", "depth")

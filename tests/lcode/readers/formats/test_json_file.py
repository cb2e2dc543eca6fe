"""JSON as people write it: rows, columns, nested objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs


@pytest.mark.parametrize("kind", ["list", "columns"])
def test_json_tables(tmp_path: Path, kind: str) -> None:
    rows = [{"epoch": e, "seg/acc": 0.1 * e, "note": "x"} for e in (1, 2, 3)]
    found = rows if kind == "list" else {name: [row[name] for row in rows] for name in rows[0]}
    (tmp_path / "first.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "first.json")
    assert table.points["epoch"].tolist() == [1, 2, 3] and table.run_ids == ("first",)
    assert table.configs["note"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"epoch": 1, "acc": 0.5}, {"epoch": 2', "is not JSON"),
        ('{"epoch": [1, 2], "acc": [0.5]}', "different lengths"),
        ('[{"epoch": 1, "acc": [1]}]', "holds a list"),
        ('[{"epoch": 1, "acc": 1}, 3]', "no list of objects"),
    ],
)
def test_json_that_is_no_table(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=expected):
        read_logs(tmp_path / "a.json")


def test_nested_json_is_keys_joined_by_slashes(tmp_path: Path) -> None:
    rows = [{"epoch": e, "val": {"seg": {"loss": 1 / e}, "depth": {"loss": 2 / e}}} for e in (1, 2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = read_logs(tmp_path / "a.jsonl")
    assert [metric.key for metric in table.metrics] == ["seg/loss", "depth/loss"]


def test_nested_values_in_the_histories_of_several_runs(tmp_path: Path) -> None:
    history = [{"epoch": e, "val": {"seg": {"miou": 0.1 * e}, "depth": {"rmse": 1 / e}}} for e in (1, 2, 3)]
    runs = {name: {"config": {"lr": lr}, "history": history} for name, lr in (("a", 0.1), ("b", 0.2))}
    (tmp_path / "all.json").write_text(json.dumps(runs))
    table = read_logs(tmp_path / "all.json")
    assert [metric.key for metric in table.metrics] == ["seg/miou", "depth/rmse"]
    assert table.configs["lr"].to_dict() == {"a": 0.1, "b": 0.2} and len(table.points) == 12


def test_settings_may_stand_before_the_curves_of_an_object(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('{"epochs": 2, "model": {"name": "a"}, "train_loss": [3.0, 2.0], "val_loss": [3.5, 2.5]}')
    table = read_logs(path)
    assert table.points["value"].tolist() == [3.5, 2.5]


@pytest.mark.parametrize(
    ("found", "config", "horizon"),
    [
        ({"epochs": 50, "batch_size": 32, "optimizer": "adam"}, {"batch_size": 32, "optimizer": "adam"}, 50),
        ({"config": {"model": {"width": 8}, "layers": [8, 8]}, "note": "x" * 99}, {"model.width": 8}, 2),
        ({"best_val_loss": 2.5, "training_time": 7.5, "test_acc": 0.5, "final_step": 9, "name": "a"}, {}, 2),
    ],
)
def test_settings_beside_the_curves_of_an_object_are_configuration(
    tmp_path: Path, found: dict[str, object], config: dict[str, object], horizon: float
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**found, "history": {"val_loss": [3.5, 2.5]}}))
    table = read_logs(path)
    assert table.configs.to_dict("index") == {"a": config}
    assert table.runs["horizon"].tolist() == [horizon]


def test_a_history_of_any_name_behind_what_came_of_it(tmp_path: Path) -> None:
    rows = [{"step": at, "mean_reward": at / 2} for at in (5, 10)]
    (tmp_path / "a.json").write_text(json.dumps({"mean_profit": 0.5, "width": 8, "training_history": rows}))
    table = read_logs(tmp_path / "a.json")
    assert table.points["value"].tolist() == [2.5, 5.0] and table.configs.to_dict("list") == {"width": [8]}


def test_settings_beside_rows_and_lists_within_rows(tmp_path: Path) -> None:
    rows = [{"epoch": at, "val_acc": at / 8, "weights": [[0.5], [at]]} for at in (2, 4)]
    found = {"config": {"lr": 0.5, "epochs": 9, "ks": [1, 2], "save_dir": "out"}, "history": rows}
    (tmp_path / "a.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "a.json")
    assert table.configs.to_dict("list") == {"lr": [0.5]} and table.runs["horizon"].tolist() == [9]
    assert table.points["value"].tolist() == [0.25, 0.5]
    assert any("left out, since they hold lists: weights" in note for note in table.notes)


def test_a_counter_of_another_name_is_not_counted_anew(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("optim_step,loss\n100,3\n200,2\n")
    assert read_logs(tmp_path / "a.csv").points["epoch"].tolist() == [100, 200]


def test_trainings_of_several_files_may_have_the_same_names(tmp_path: Path) -> None:
    for at, fold in enumerate(("a", "b")):
        curves = {f"phase{phase}": {"val_loss": [3.5, phase + at]} for phase in (1, 2)}
        (tmp_path / f"{fold}.json").write_text(json.dumps(curves))
    table = read_logs(tmp_path)
    assert table.run_ids == ("a/phase1", "a/phase2", "b/phase1", "b/phase2")


CURVES = {"train_loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}


@pytest.mark.parametrize(
    ("found", "runs"),
    [
        ({f"fold_{at}": CURVES for at in (1, 2)}, ["fold_1", "fold_2"]),
        ([CURVES, CURVES], ["1", "2"]),
        ([{"seed": 7, **CURVES}, {"seed": 8, **CURVES}], ["7", "8"]),
        ({name: {"history": CURVES, "params": 5} for name in ("resnet", "vgg")}, ["resnet", "vgg"]),
        (
            {f"fold_{at}": [{"train_loss": 9.0, "val_loss": v} for v in (3.0, 2.0)] for at in (1, 2)},
            ["fold_1", "fold_2"],
        ),
        ([{"fold": 5, "best": 2.0, "results": [{"epoch": 3 - v, "val_loss": v} for v in (3.0, 2.0)]}], ["history"]),
        ({"resnet": CURVES, "vgg": {name: [*cells, 0.5] for name, cells in CURVES.items()}}, ["resnet", "vgg"]),
    ],
)
def test_several_trainings_in_one_file(tmp_path: Path, found: object, runs: list[str]) -> None:
    (tmp_path / "history.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "history.json")
    assert list(table.runs.index) == runs and [metric.key for metric in table.metrics] == ["val_loss"]
    assert table.points["value"].tolist()[0] == 3.0


def test_tasks_of_one_training_are_no_runs(tmp_path: Path) -> None:
    found = dict.fromkeys(("seg", "depth"), CURVES)
    (tmp_path / "history.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "history.json")
    assert list(table.runs.index) == ["history"]
    assert sorted(metric.key for metric in table.metrics) == ["depth/loss", "seg/loss"]


def test_parts_of_the_data_are_no_runs(tmp_path: Path) -> None:
    rows = [{"epoch": e, "loss": 1 / e, "acc": 0.9 - 1 / e} for e in (1, 2, 3)]
    (tmp_path / "log.json").write_text(json.dumps({"train_metrics": rows, "val_metrics": rows}))
    table = read_logs(tmp_path / "log.json")
    assert table.run_ids == ("log",) and [metric.key for metric in table.metrics] == ["loss", "acc"]


def test_rows_with_lists_of_clients_are_no_trainings(tmp_path: Path) -> None:
    rows = [{"round": at, "global": {"loss": 3.0 - at}, "clients": [{"id": 4, "acc": 0.5}, {"id": 7}]} for at in (1, 2)]
    (tmp_path / "history.json").write_text(json.dumps(rows))
    table = read_logs(tmp_path / "history.json")
    assert table.points["epoch"].tolist() == [1, 2] and [metric.key for metric in table.metrics] == ["global/loss"]


ROWS = [{"steps": 400, "train_loss": 2.0 - at, "val_loss": 3.0 - at} for at in (0, 1)]


@pytest.mark.parametrize(
    ("found", "epochs"),
    [
        ({"config": {"epochs": 3, "width": 8}, "epochs": {str(at): row for at, row in enumerate(ROWS)}}, [0, 1]),
        ({"width": 8, "history": {f"epoch_{at}": row for at, row in enumerate(ROWS, start=1)}, "best": {}}, [1, 2]),
        ({"args": {"width": 8}, "log": [{"epoch": at, **row} for at, row in enumerate(ROWS)], "s": "x" * 99}, [0, 1]),
    ],
)
def test_rows_by_number_beside_settings(tmp_path: Path, found: dict[str, object], epochs: list[int]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "a.json")
    assert [metric.key for metric in table.metrics] == ["val_loss"] and table.points["value"].tolist() == [3.0, 2.0]
    assert table.points["epoch"].tolist() == epochs and table.configs.loc["a", "width"] == 8


def test_rows_by_number_of_each_part_of_the_data(tmp_path: Path) -> None:
    found = {part: {str(at): {"loss": at + add} for at in (0, 1)} for part, add in (("train", 1), ("val", 2))}
    (tmp_path / "a.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "a.json")
    assert table.points["value"].tolist() == [2, 3] and table.signals["value"].tolist() == [1, 2]


def test_a_history_within_an_object_is_counted_by_its_own_epochs(tmp_path: Path) -> None:
    history = {"epoch": [0, 1, 2], "train_loss": [3.0, 2.0, 1.5], "val_acc": [0.1, 0.4, 0.3]}
    (tmp_path / "a.json").write_text(json.dumps({"tag": "x", "history": history}))
    table = read_logs(tmp_path / "a.json")
    assert table.curve("a", "acc").epochs.tolist() == [0, 1, 2]
    assert not any("rows were counted" in note for note in table.notes)


@pytest.mark.parametrize("by_column", [False, True])
def test_rows_of_the_validation_stand_at_the_epochs_that_they_say(tmp_path: Path, by_column: bool) -> None:
    train = [{"epoch": at, "loss": 5.0 - at} for at in (1, 2, 3, 4)]
    val = [{"epoch": at, "loss": 6.0 - at} for at in (2, 4)]
    rows = {"train": train, "val": val}
    columns = {part: {name: [row[name] for row in own] for name in own[0]} for part, own in rows.items()}
    (tmp_path / "a.json").write_text(json.dumps({**(columns if by_column else rows), "classes": [3, 5, 7]}))
    table = read_logs(tmp_path / "a.json")
    assert list(zip(table.points["epoch"], table.points["value"], strict=True)) == [(2, 4.0), (4, 2.0)]
    assert list(zip(table.signals["epoch"], table.signals["value"], strict=True)) == [(2, 3.0), (4, 1.0)]
    assert any("nothing counts them: classes" in note for note in table.notes)

"""Tables with a row per part of the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize("column", ["phase", "split", "Set", "mode"])
def test_a_row_is_of_the_part_that_it_says(
    tmp_path: Path, column: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = "".join(f"{e},train,9.5,0.1\n{e},Val,{3 - e}.5,0.{e}\n" for e in range(3))
    (tmp_path / "log.csv").write_text(f"epoch,{column},loss,acc\n{rows}")
    assert scored(tmp_path / "log.csv") == {"log loss min": [3.5, 2.5, 1.5], "log acc max": [0.0, 0.1, 0.2]}


def test_lines_of_json_likewise_and_those_that_count_nothing_are_none(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = "".join(
        f'{{"epoch": {e}, "split": "train", "loss": 9.5}}\n{{"epoch": {e}, "split": "val", "loss": {3 - e}.5}}\n'
        for e in range(3)
    )
    for name in ("log.jsonl", "log.txt"):
        (tmp_path / name).write_text('{"args": {"lr": 0.1}}\n' + rows)
    assert scored(tmp_path / "log.jsonl") == {"log loss min": [3.5, 2.5, 1.5]}


def test_a_row_for_each_class(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    (tmp_path / "log.csv").write_text("epoch,class,iou\n1,road,0.5\n1,car,0.25\n2,road,0.75\n2,car,0.5\n")
    assert scored(tmp_path / "log.csv") == {"log road/iou max": [0.5, 0.75], "log car/iou max": [0.25, 0.5]}


@pytest.mark.parametrize("column", ["task", "class", "phase"])
def test_parts_one_below_another_are_of_one_training(
    tmp_path: Path, column: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    parts = ("train", "val") if column == "phase" else ("seg", "depth")
    for run in ("a", "b"):
        rows = "".join(f"{part},{e},0.{e + at}\n" for at, part in enumerate(parts) for e in (1, 2, 3))
        (tmp_path / f"{run}.csv").write_text(f"{column},epoch,acc\n{rows}")
    keys = {"acc": [0.2, 0.3, 0.4]} if column == "phase" else {"seg/acc": [0.1, 0.2, 0.3], "depth/acc": [0.2, 0.3, 0.4]}
    assert scored(tmp_path) == {f"{run} {key} max": values for run in "ab" for key, values in keys.items()}


def test_two_trainings_told_part_by_part_remain_two(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = "".join(f"val,{e},0.{e + at}\n" for at in (0, 1) for e in (1, 2, 3))
    (tmp_path / "a.csv").write_text(f"phase,epoch,acc\n{rows}")
    assert scored(tmp_path / "a.csv") == {"a val/acc max": [0.1, 0.2, 0.3], "a#2 val/acc max": [0.2, 0.3, 0.4]}


@pytest.mark.parametrize("column", ["event", "kind", "type"])
@pytest.mark.parametrize("words", [("train", "val"), ("train_step", "validation_epoch_end")])
def test_events_say_a_part_and_others_hold_nothing(
    tmp_path: Path, column: str, words: tuple[str, str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    for run in ("a", "b"):
        rows = "".join(
            f'{{"{column}": "{words[0]}", "epoch": {e}, "loss": 9.5}}\n'
            f'{{"{column}": "{words[1]}", "epoch": {e}, "loss": {3 - e}.5, "acc": 0.{e}}}\n'
            for e in range(3)
        )
        ends = f'{{"{column}": "checkpoint", "epoch": 9, "path": "x.pt"}}\n{{"{column}": "end", "best_acc": 0.2}}\n'
        (tmp_path / f"{run}.jsonl").write_text(f'{{"{column}": "start", "lr": 0.1}}\n{rows}{ends}')
    expected = {"loss min": [3.5, 2.5, 1.5], "acc max": [0.0, 0.1, 0.2]}
    assert scored(tmp_path) == {f"{run} {key}": values for run in "ab" for key, values in expected.items()}


def test_what_happened_names_no_run(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    for run in ("a", "b"):
        rows = "".join(
            f'{{"event": "logged", "epoch": {e}, "loss": 0.{e}}}\n{{"event": "scored", "epoch": {e}, "acc": 0.{e}}}\n'
            for e in (1, 2, 3)
        )
        (tmp_path / f"{run}.jsonl").write_text(rows)
    assert scored(tmp_path) == {f"{run} {key}": [0.1, 0.2, 0.3] for run in "ab" for key in ("loss min", "acc max")}


def test_a_row_for_each_part_and_task(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    tasks = ((0, "seg"), (1, "depth"))
    rows = "".join(f"train,{t},{e},9.5\nval,{t},{e},{3 - e + at}.5\n" for e in range(3) for at, t in tasks)
    (tmp_path / "log.csv").write_text(f"type,task,epoch,loss\n{rows}")
    assert scored(tmp_path / "log.csv") == {
        "log seg/loss min": [3.5, 2.5, 1.5],
        "log depth/loss min": [4.5, 3.5, 2.5],
    }


def test_a_column_of_other_words_says_no_part(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    (tmp_path / "log.csv").write_text("epoch,phase,loss\n0,warm-up,3.5\n1,main,2.5\n2,main,1.5\n")
    assert scored(tmp_path / "log.csv") == {"log loss min": [3.5, 2.5, 1.5]}


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("game,score", [f"{10 * n},{n}" for n in range(1, 4)]),
        ("round_num,score", [f"{n},{n}" for n in range(1, 4)]),
        ("idx,agent,train_loss,val_loss", [f"{n},a{n},9.5,{n}" for n in range(1, 4)]),
        ("impression,avg_reward", [f"{200 * n},{n}" for n in range(1, 25)]),
    ],
)
def test_what_counts_has_many_names(
    tmp_path: Path, header: str, rows: list[str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    (tmp_path / "log.csv").write_text("\n".join([header, *rows]) + "\n")
    ((_, values),) = scored(tmp_path / "log.csv").items()
    assert values == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("metric", "value"), [("metricName", "metricValue"), ("metric.name", "value"), ("Key", "VALUE")]
)
def test_a_table_of_one_value_per_row_however_its_columns_are_spelled(
    tmp_path: Path, metric: str, value: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    rows = "".join(
        f"r{run},{key},{at},{run / 2}\n" for run in (1, 2) for key in ("val_acc", "val_loss") for at in (1, 2)
    )
    (tmp_path / "log.csv").write_text(f"experimentName,{metric},step,{value}\n{rows}")
    expected = {f"r{run} {key}": [run / 2] * 2 for run in (1, 2) for key in ("val_acc max", "val_loss min")}
    assert scored(tmp_path / "log.csv") == expected


def test_what_says_nothing_beside_a_value_is_left_out(tmp_path: Path) -> None:
    for run in ("a", "b"):
        rows = "".join(
            f'{{"ts": {1.7e9 + 7 * at * at}, "name": "{key}", "value": 0.{at}, "step": {at}}}\n'
            for at in (1, 2, 4)
            for key in ("seg_loss", "seg_miou")
        )
        (tmp_path / f"{run}.jsonl").write_text(rows)
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and table.reading is not None
    assert set(table.reading.left_out) == {"ts"} and len(table.points) == 12


def test_a_metric_beside_the_value_of_a_row(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    tasks = (("seg", "miou"), ("depth", "abs_err"))
    rows = "".join(f"{at},val,{task},{at}.5,{key},0.{at}\n" for at in (1, 2, 3) for task, key in tasks)
    (tmp_path / "log.csv").write_text(f"epoch,split,task,loss,metric_name,metric_value\n{rows}")
    losses = {f"log {task}/loss min": [1.5, 2.5, 3.5] for task in ("seg", "depth")}
    named = {"log seg/miou max": [0.1, 0.2, 0.3], "log depth/abs_err min": [0.1, 0.2, 0.3]}
    assert scored(tmp_path / "log.csv") == losses | named


def test_the_part_of_the_data_as_aim_calls_it(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    rows = "".join(f"a,loss,{part},{at},{at / 2}\n" for part in ("train", "val") for at in (1, 2))
    (tmp_path / "log.csv").write_text(f"run.hash,metric.name,metric.context.subset,epoch,value\n{rows}")
    assert scored(tmp_path / "log.csv") == {"a loss min": [0.5, 1.0]}

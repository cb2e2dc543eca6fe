"""What rows say about the learning rate, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.curves.collate import Preprocessor
from lcode.curves.features import side_information
from lcode.errors import UsageError
from lcode.readers import read_logs
from lcode.readers.understanding.rates import is_rate
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

DROP = [0.1, 0.1, 0.01, 0.01]
FORMATS = ("csv", "parquet", "jsonl")


def rows(run: str, rates: list[float], measured: int, horizon: int = 4) -> pd.DataFrame:
    """A run with a rate for each of its epochs, of which so many have been trained."""
    err = [1 / epoch if epoch <= measured else None for epoch in range(1, len(rates) + 1)]
    return pd.DataFrame({"run": run, "epoch": range(1, len(rates) + 1), "err": err, "lr": rates, "horizon": horizon})


def written(tmp_path: Path, frame: pd.DataFrame, format_: str) -> Path:
    path = tmp_path / f"runs.{format_}"
    if format_ == "csv":
        frame.to_csv(path, index=False)
    elif format_ == "parquet":
        frame.to_parquet(path, index=False)
    else:
        lines = [
            {name: value for name, value in row.items() if value == value} for row in frame.to_dict(orient="records")
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def plan(table: RunTable, run: str) -> dict[int, float]:
    told = table.schedules[run]
    return dict(zip(told.epochs.tolist(), told.rates.tolist(), strict=True))


def told(table: RunTable, text: str) -> bool:
    return any(text in note for note in table.notes)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_finished_run_has_the_schedule_that_its_rows_say(format_: str, tmp_path: Path) -> None:
    frame = pd.concat([rows("done", DROP, 4), rows("ahead", DROP, 2), rows("now", DROP[:2], 2)])
    table = read_logs(written(tmp_path, frame, format_))
    assert table.runs["status"].tolist() == ["finished", "running", "running"]
    assert plan(table, "done") == plan(table, "ahead") == dict(enumerate(DROP, start=1))
    assert plan(table, "now") == {1: 0.1, 2: 0.1}
    assert table.curve("ahead", "err").diverged_at is None
    trained = table.signals.groupby("run", observed=True)["epoch"].max()
    assert trained.to_dict() == {"done": 4, "ahead": 2, "now": 2}


@pytest.mark.parametrize("format_", FORMATS)
def test_of_a_rate_known_only_up_to_now_no_future_is_made_up(format_: str, tmp_path: Path) -> None:
    frame = pd.concat([rows("done", DROP, 4), rows("ahead", DROP, 2), rows("now", DROP[:2], 2)])
    table = read_logs(written(tmp_path, frame, format_))
    tensors, _ = Preprocessor.fit(table.with_status("finished")).tensors(table)
    assert tensors.plan[:, 0, 2].tolist() == [1, 1, 0] and not tensors.plan[2].any()
    known = side_information(table).filter(like="lr.").notna().all(axis=1)
    assert known.tolist() == [True, True, False]
    assert told(table, "of 1 run is known only up to now (now)")


def test_a_long_table_has_its_rates_in_a_column_or_as_a_metric(tmp_path: Path) -> None:
    column = "run,epoch,metric,value,lr\na,1,acc,0.5,0.4\na,2,acc,0.6,0.3\na,3,,,0.2\na,4,,,0.1\n"
    metric = "run,epoch,task,metric,value\n" + "".join(f"a,{e},train,lr,{(5 - e) / 10}\n" for e in range(1, 5))
    (tmp_path / "column.csv").write_text(column)
    (tmp_path / "metric.csv").write_text(metric + "a,1,val,acc,0.5\na,2,val,acc,0.6\n")
    for name, key in (("column.csv", "acc"), ("metric.csv", "val/acc")):
        table = read_logs(tmp_path / name)
        assert plan(table, "a") == {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1} and [m.key for m in table.metrics] == [key]
        assert table.runs["horizon"].tolist() == [4] and table.last_epochs.tolist() == [2]


@pytest.mark.parametrize("name", ["lr", "LR", "learning_rate", "train/lr", "optim/LearningRate", "lr-AdamW"])
def test_a_rate_goes_by_several_names(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, rows("a", DROP, 4).rename(columns={"lr": name}), "csv")
    table = read_logs(path)
    assert plan(table, "a") == dict(enumerate(DROP, start=1)) and [m.key for m in table.metrics] == ["err"]
    assert told(table, f"'{name}' is read as the learning rate") == (name != "lr")


def test_of_several_rates_one_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    frame = rows("a", DROP, 4).assign(**{"head/lr": 1.0, "trunk/lr": 2.0})
    table = read_logs(written(tmp_path, frame, "csv"))
    assert plan(table, "a") == dict(enumerate(DROP, start=1))
    assert told(table, "a run has one learning rate, 'lr'; left out: head/lr, trunk/lr")


def test_what_only_resembles_a_rate_is_none() -> None:
    assert not any(map(is_rate, ["config.lrx", "lr_decay", "slr", "lr/acc", "flr", "learning_rate_error", "lr-net"]))


def test_a_run_log_without_a_stated_plan_has_the_rates_of_its_epochs(tmp_path: Path) -> None:
    for run, epochs, stated in (("done", 4, None), ("now", 2, None), ("stated", 2, [0.4, 0.3, 0.2, 0.1])):
        header = RunHeader(run, 4, (Metric("main", "err", "min"),), schedule=stated)
        with RunLogWriter(tmp_path, header) as log:
            for epoch in range(1, epochs + 1):
                log.epoch(epoch, {"err": 1 / epoch}, lr=DROP[epoch - 1])
    table = read_logs(tmp_path)
    assert plan(table, "done") == dict(enumerate(DROP, start=1)) and plan(table, "now") == {1: 0.1, 2: 0.1}
    assert table.schedules["stated"].rates.tolist() == [0.4, 0.3, 0.2, 0.1]
    measured = read_logs(tmp_path, rates="measured")
    assert list(measured.schedules) == ["stated"] and len(measured.signals) == 8


def test_rates_that_react_to_the_training_are_signals_if_the_user_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, pd.concat([rows("a", DROP, 4), rows("b", DROP[:2], 2)]), "csv")
    assert told(read_logs(path), "2 runs are taken to be planned before the training; if they react to it")
    table = read_logs(path, rates="measured")
    assert not table.schedules and not told(table, "planned")
    assert table.signals["value"].tolist() == [*DROP, 0.1, 0.1]
    assert len(table.prefix(2).signals) == 4  # as measured then: of what came later nothing is known
    with pytest.raises(UsageError, match="'plan' or 'measured', not 'both'"):
        read_logs(path, rates="both")  # type: ignore[arg-type]


def test_a_plan_that_is_evident_or_constant_needs_no_remark(tmp_path: Path) -> None:
    for frame in (pd.concat([rows("a", DROP, 4), rows("b", DROP, 2)]), rows("a", [0.1, 0.1], 2)):
        table = read_logs(written(tmp_path, frame, "csv"))
        assert table.schedules and not told(table, "planned")


def test_a_run_that_is_cut_keeps_its_whole_plan(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, rows("a", DROP, 4), "csv"))
    assert plan(table.prefix(1), "a") == dict(enumerate(DROP, start=1))


def test_another_horizon_than_the_planned_one(tmp_path: Path) -> None:
    path = written(tmp_path, rows("a", DROP, 2), "csv")
    longer, shorter = read_logs(path, horizon=9), read_logs(path, horizon=3)
    assert plan(longer, "a") == plan(shorter, "a") == dict(enumerate(DROP, start=1))
    assert not Preprocessor.fit(longer).tensors(longer)[0].plan.any()
    assert Preprocessor.fit(shorter).tensors(shorter)[0].plan[0, :, 2].all()


def test_rows_after_the_end_of_a_finished_run_are_no_plan_to_come(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("run,epoch,acc,lr,status\na,1,0.5,0.4,finished\na,2,,0.3,finished\n")
    table = read_logs(tmp_path / "runs.csv")
    assert table.curve("a", "acc").diverged_at == 2 and plan(table, "a") == {1: 0.4, 2: 0.3}


@given(st.dictionaries(st.integers(1, 30), st.floats(1e-6, 1), min_size=1), st.integers(1, 30))
def test_each_rate_that_is_written_is_the_rate_of_its_epoch(rates: dict[int, float], measured: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        frame = pd.DataFrame({"run": "a", "epoch": range(1, 31), "err": [1.0] * measured + [None] * (30 - measured)})
        frame["lr"] = frame["epoch"].map(rates)
        table = read_logs(written(Path(folder), frame, "parquet"))
    np.testing.assert_array_equal(table.schedules["a"].at(sorted(rates)), [rates[epoch] for epoch in sorted(rates)])


def test_an_infinite_rate_is_read_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("run,epoch,lr,acc\na,1,inf,0.1\na,2,inf,0.2\n")
    assert read_logs(path).runs.index.tolist() == ["a"]


def test_a_rate_that_is_constant_in_each_run_is_a_setting(tmp_path: Path) -> None:
    rows_of = [f"{run},{epoch},0.5,{rate}\n" for run, rate in (("a", 0.1), ("b", 0.2)) for epoch in (1, 2, 3)]
    path = tmp_path / "logs.csv"
    path.write_text("run,epoch,acc,lr\n" + "".join(rows_of))
    table = read_logs(path)
    assert table.configs["lr"].tolist() == [0.1, 0.2] and len(table.signals) == 0
    path.write_text("run,epoch,acc,lr\n" + "".join(rows_of) + "b,4,0.6,0.1\n")
    table = read_logs(path)
    assert table.configs.columns.tolist() == [] and set(table.signals["metric"]) == {"main/lr"}


@pytest.mark.parametrize(
    ("first", "second", "settings"),
    [
        ("lr_1", "lr_2", {"lr_1": [0.1, 0.01], "lr_2": [0.01, 0.1]}),
        ("lr", "lr_1", {"lr": [0.1, 0.01], "lr_1": [0.01, 0.1]}),
        ("train_lr", "lr_group_0", {"train_lr": [0.1, 0.01], "lr_group_0": [0.01, 0.1]}),
    ],
)
def test_several_constant_rates_that_differ_are_settings(
    first: str, second: str, settings: dict[str, list[float]], tmp_path: Path
) -> None:
    frame = pd.concat([rows("a", [0.1] * 4, 4), rows("b", [0.01] * 4, 4)]).rename(columns={"lr": first})
    frame[second] = np.repeat([0.01, 0.1], 4)
    table = read_logs(written(tmp_path, frame, "csv"))
    assert {name: table.configs[name].tolist() for name in table.configs} == settings


def test_a_constant_rate_beside_the_schedule_is_a_setting(tmp_path: Path) -> None:
    frame = pd.concat([rows("a", DROP, 4), rows("b", DROP, 4)]).rename(columns={"lr": "cur_lr"})
    frame["lr_group_0"] = np.repeat([0.01, 0.1], 4)
    table = read_logs(written(tmp_path, frame, "csv"))
    assert {name: table.configs[name].tolist() for name in table.configs} == {"lr_group_0": [0.01, 0.1]}
    assert plan(table, "a") == dict(enumerate(DROP, start=1))


def test_equal_rates_of_groups_are_one(tmp_path: Path) -> None:
    frame = pd.concat([rows("a", [0.1] * 4, 4), rows("b", [0.01] * 4, 4)]).rename(columns={"lr": "lr_0"})
    table = read_logs(written(tmp_path, frame.assign(lr_1=frame["lr_0"]), "csv"))
    assert {name: table.configs[name].tolist() for name in table.configs} == {"lr": [0.1, 0.01]}

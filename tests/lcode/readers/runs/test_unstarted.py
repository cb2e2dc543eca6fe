from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

BEGUN = "a,1,0.5,0.01\na,2,0.4,0.01\nb,1,0.6,0.02\nb,2,0.5,0.02\n"


def written(tmp_path: Path, rows: str, header: str = "run,epoch,seg/loss,config.lr", name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(f"{header}\n{rows}")
    return path


@pytest.mark.parametrize("rows", [BEGUN + "new,,,0.05\n", "new,,,0.05\n" + BEGUN])
def test_a_row_without_an_epoch_and_a_value_is_a_candidate(tmp_path: Path, rows: str) -> None:
    table = read_logs(written(tmp_path, rows))
    assert set(table.run_ids) == {"a", "b", "new"}
    assert table.last_epochs["new"] == 0
    assert table.runs[["status", "horizon"]].loc[["new"]].to_numpy().tolist() == [["running", 2]]
    assert table.configs.loc["new", "lr"] == 0.05
    assert len(table.points) == 4


def test_in_a_long_table_and_in_json_lines_too(tmp_path: Path) -> None:
    long = "a,1,seg,loss,0.5,0.01\na,2,seg,loss,0.4,0.01\nnew,,,,,0.05\n"
    assert read_logs(written(tmp_path, long, "run,epoch,task,metric,value,config.lr")).run_ids == ("a", "new")
    path = tmp_path / "t.jsonl"
    path.write_text('{"run": "a", "epoch": 1, "seg/loss": 0.5}\n{"run": "new", "epoch": null, "config.lr": 0.1}\n')
    assert read_logs(path).run_ids == ("a", "new")


def test_its_horizon_architecture_and_rate_are_those_of_its_row(tmp_path: Path) -> None:
    rows = "a,1,0.5,0.1,,8\na,2,0.4,0.1,,8\nnew,,,0.3,mtan,12\n"
    table = read_logs(written(tmp_path, rows, "run,epoch,seg/loss,lr,arch,horizon"))
    assert table.runs[["arch", "horizon"]].loc[["new"]].to_numpy().tolist() == [["mtan", 12]]
    plan = table.schedules["new"]
    assert plan.last == 12 and plan.at([1, 12]).tolist() == [0.3, 0.3]


def test_a_value_without_an_epoch_is_refused_as_before(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 6, column 'epoch': the cell is empty"):
        read_logs(written(tmp_path, BEGUN + "new,,0.3,0.05\n"))


def test_a_run_that_has_begun_has_no_row_without_an_epoch(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 6, column 'epoch': the cell is empty"):
        read_logs(written(tmp_path, BEGUN + "a,,,0.01\n"))


def test_the_torn_line_of_a_growing_file_is_no_candidate(tmp_path: Path) -> None:
    table = read_logs(written(tmp_path, BEGUN + "new"))
    assert table.run_ids == ("a", "b")
    assert any("the last line is incomplete" in note for note in table.notes)


def test_a_table_of_candidates_alone_is_one_of_runs_that_have_not_begun(tmp_path: Path) -> None:
    path = written(tmp_path, "new,,,0.05,20\nother,,,0.1,20\n", "run,epoch,seg/loss,config.lr,horizon")
    table = read_logs(path)
    assert table.last_epochs.tolist() == [0, 0] and table.runs["horizon"].tolist() == [20, 20]
    assert [(metric.key, metric.direction) for metric in table.metrics] == [("seg/loss", "min")]
    assert len(table.points) == 0 and table.configs["lr"].tolist() == [0.05, 0.1]
    without = read_logs(written(tmp_path, "new,,,0.05\n"))
    assert any("no run has begun and no horizon is given" in note for note in without.notes)
    assert read_logs(written(tmp_path, "new,,,0.05\n"), horizon=30).runs["horizon"].tolist() == [30]

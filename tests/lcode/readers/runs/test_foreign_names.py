"""Exports of tracking servers: prefixes of settings, states of runs, planned epochs; and what lcode itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import lcode
from lcode.decisions import rank
from lcode.errors import InputError
from lcode.readers.read import read_logs


def test_settings_with_a_prefix_and_the_states_of_runs(tmp_path: Path) -> None:
    rows = [
        f"{run},{epoch},{lr},8,{state},{'nan' if run == 'b' and epoch > 2 else 0.1 * epoch}"
        for run, lr, state in (("a", 0.1, "finished"), ("b", 0.2, "crashed"), ("c", 0.3, "killed"))
        for epoch in range(1, 5)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["run,epoch,config/lr,params/bs,state,acc", *rows]))
    table = read_logs(tmp_path / "a.csv")
    assert table.configs["lr"].tolist() == [0.1, 0.2, 0.3] and set(table.configs["bs"]) == {8}
    assert table.runs["status"].tolist() == ["finished", "failed", "stopped"]
    assert not table.schedules or all(len(plan.rates) == 1 for plan in table.schedules.values())


def test_what_changes_is_no_setting_and_an_unknown_state_no_status(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,epoch,params/norm,state,loss\na,1,0.5,odd,3\na,2,0.6,odd,2\na,3,0.7,odd,1\n")
    table = read_logs(tmp_path / "a.csv", directions={"params/norm": "min"})
    assert [metric.key for metric in table.metrics] == ["params/norm", "loss"]
    assert "norm" not in table.configs and table.runs["status"].tolist() == ["finished"]


@pytest.mark.parametrize("name", ["config.max_epochs", "config.epochs", "config/num_epochs"])
def test_planned_epochs_among_the_settings_of_a_table(tmp_path: Path, name: str) -> None:
    rows = [f"{run},{epoch},100,0.{epoch}" for run in "ab" for epoch in range(1, 7 if run == "a" else 4)]
    (tmp_path / "a.csv").write_text("\n".join([f"run,epoch,{name},acc", *rows]))
    table = read_logs(tmp_path / "a.csv")
    assert table.runs["horizon"].tolist() == [100, 100] and set(table.runs["status"]) == {"running"}


def test_what_lcode_wrote_is_no_log(tmp_path: Path) -> None:
    rows = [f"{run},{epoch},0.{epoch}" for run in "abcdef" for epoch in range(1, 7 if run < "e" else 4)]
    (tmp_path / "logs.csv").write_text("\n".join(["run,epoch,acc", *rows]))
    before = read_logs(tmp_path)
    forecast = lcode.load().predict(before)
    forecast.to_frame().to_csv(tmp_path / "forecasts.csv", index=False)
    rank(forecast, "mean", table=before).to_frame().to_csv(tmp_path / "ranking.csv", index=False)
    after = read_logs(tmp_path)
    assert after.points.equals(before.points) and after.configs.equals(before.configs)
    assert "written by lcode, so not read beside the logs: forecasts.csv, ranking.csv." in after.notes
    with pytest.raises(InputError, match="was written by lcode"):
        read_logs(tmp_path / "ranking.csv")

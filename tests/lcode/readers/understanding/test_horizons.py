from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import UsageError
from lcode.readers import read_logs
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter


def read(tmp_path: Path, text: str, **options: object) -> RunTable:
    (tmp_path / "runs.csv").write_text(text)
    return read_logs(tmp_path / "runs.csv", **options)  # type: ignore[arg-type]


def rows(epochs: range, run: str = "a", *more: object) -> str:
    return "".join(",".join(map(str, (run, epoch, 1 / (1 + epoch), *more))) + "\n" for epoch in epochs)


def plan_of(table: RunTable) -> tuple[str, int]:
    """Status and horizon of run a."""
    return table.runs["status"]["a"], int(table.runs["horizon"]["a"])


def told(table: RunTable, text: str) -> bool:
    return any(text in note for note in table.notes)


def test_an_assumed_horizon_is_told_with_its_consequence(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,err\n" + rows(range(1, 7)) + rows(range(1, 7), "b") + rows(range(1, 4), "c"))
    assert table.runs["status"].tolist() == ["finished", "finished", "running"]
    assert told(table, "no horizon is given for 3 runs: taken to be epoch 6")
    assert told(table, "2 runs count as finished; state --horizon N")
    stated = read(tmp_path, "run,epoch,err\n" + rows(range(1, 7)), horizon=20)
    assert plan_of(stated) == ("running", 20) and not told(stated, "no horizon")
    known = read(tmp_path, "run,epoch,err,status\n" + rows(range(1, 7), "a", "stopped"))
    assert not told(known, "no horizon")


def test_the_latest_horizon_of_a_run_counts(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon\n" + rows(range(8, 12), "a", 60) + rows(range(1, 8), "a", 20)
    table = read(tmp_path, text + rows(range(1, 3), "b", 9))
    assert table.runs["horizon"].tolist() == [60, 9]
    assert told(table, "the horizon changes within 1 run ('a': from 20 to 60)")


def test_a_run_beyond_its_horizon_raises_it(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,err,horizon\n" + rows(range(1, 10), "a", 5) + rows(range(1, 3), "b", 5))
    assert table.runs["horizon"].tolist() == [9, 5] and table.runs["status"].tolist() == ["finished", "running"]
    assert told(table, "1 run went on beyond the stated horizon") and told(table, "('a': epoch 9 of 5)")


def test_epochs_from_0_to_n_minus_1_are_n_epochs(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon\n" + rows(range(20), "a", 20) + rows(range(6), "b", 20)
    table = read(tmp_path, text)
    assert table.runs["horizon"].tolist() == [19, 19] and table.runs["status"].tolist() == ["finished", "running"]
    assert told(table, "a horizon of 20 ends at epoch 19")
    assert read(tmp_path, text, horizon=30).runs["horizon"].tolist() == [29, 29]
    bare = read(tmp_path, "run,epoch,err\n" + rows(range(20)), horizon=20)
    assert plan_of(bare) == ("finished", 19)


def test_where_epoch_0_is_before_the_training_the_horizon_is_what_it_says(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon\n" + rows(range(21), "a", 20) + rows(range(6), "b", 20)
    table = read(tmp_path, text)
    assert table.runs["horizon"].tolist() == [20, 20] and not told(table, "count from 0")
    assert read(tmp_path, text, horizon=30).runs["horizon"].tolist() == [30, 30]


def test_a_run_log_may_count_from_0_and_its_plan_with_it(tmp_path: Path) -> None:
    plan = [0.4, 0.3, 0.2, 0.1]
    with RunLogWriter(tmp_path, RunHeader("a", 4, (Metric("seg", "err", "min"),), schedule=plan)) as log:
        for epoch in range(4):
            log.epoch(epoch, {"seg/err": 1 / (1 + epoch)})
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [3]
    assert table.schedules["a"].at(range(4)).tolist() == plan


def test_a_stated_horizon_wins_and_takes_up_finished_runs(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon,status\n" + rows(range(1, 6), "a", 5, "finished")
    table = read(tmp_path, text + rows(range(1, 3), "b", 5, "stopped"), horizon=8)
    assert table.runs["horizon"].tolist() == [8, 8] and table.runs["status"].tolist() == ["running", "stopped"]
    with pytest.raises(UsageError, match="above 0 and at most"):
        read(tmp_path, text, horizon=-1)


def test_a_plan_up_to_a_far_horizon_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,err,lr\na,1,0.5,0.2\na,2,0.4,0.2\na,3,,0.2\na,1000000000,,0\n")
    assert plan_of(table) == ("running", 10**9)
    assert table.schedules["a"].at([3, 10**9]).tolist() == [0.2, 0.0]


# Fractions of an epoch.


def test_fractional_epochs_are_kept_in_whole_ticks(tmp_path: Path) -> None:
    table = read(tmp_path, "run,epoch,err,horizon\na,0.5,1,2\na,1.0,0.8,2\na,1.5,0.7,2\n")
    assert table.epoch_unit == 0.5 and table.points["epoch"].tolist() == [1, 2, 3]
    assert plan_of(table) == ("running", 4)
    text = "run,epoch,err\n" + "".join(f"a,{step / 39},{1 / step}\n" for step in range(10, 100, 10))
    table = read(tmp_path, text)
    assert table.points["epoch"].tolist() == list(range(1, 10)) and table.epoch_unit == pytest.approx(10 / 39)
    table = read(tmp_path, text, horizon=3)
    assert table.epoch_unit == pytest.approx(1 / 39) and table.runs["horizon"].tolist() == [117]
    assert table.points["epoch"].tolist() == list(range(10, 100, 10))


def test_files_of_different_steps_are_brought_to_a_common_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,epoch,err,lr,horizon\na,1,1,0.1,4\na,2,0.5,0.1,4\n")
    (tmp_path / "b.csv").write_text("run,epoch,err,lr,horizon\nb,0.5,1,0.1,4\nb,1,0.5,0.1,4\n")
    table = read_logs(tmp_path)
    assert table.epoch_unit == 0.5 and table.runs["horizon"].tolist() == [8, 8]
    assert table.points["epoch"].tolist() == [2, 4, 1, 2] and table.signals["epoch"].tolist() == [2, 4, 1, 2]


# Runs that count from 0 and are evaluated now and then.


@pytest.mark.parametrize("every", [2, 5, 7])
@pytest.mark.parametrize("stated", [True, False])
def test_runs_from_0_finish_at_their_last_evaluation_before_the_horizon(
    every: int, stated: bool, tmp_path: Path
) -> None:
    head, more = ("run,epoch,err\n", ()) if stated else ("run,epoch,err,horizon\n", (23,))
    text = head + rows(range(0, 23, every), "a", *more) + rows(range(0, 23 - every, every), "b", *more)
    table = read(tmp_path, text + rows(range(1), "c", *more), horizon=23 if stated else None)
    last = max(range(0, 23, every))
    assert table.runs["horizon"].tolist() == [last] * 3
    assert table.runs["status"].tolist() == ["finished", "running", "running"]
    assert told(table, f"a horizon of 23 ends at epoch {last}, evaluated every {every} epochs")


def test_each_run_has_an_interval_of_its_own(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon\n" + rows(range(0, 20, 4), "a", 20) + rows(range(0, 20, 6), "b", 20)
    table = read(tmp_path, text + rows(range(0, 8, 6), "c", 20) + rows(range(20), "d", 20))
    assert table.runs["horizon"].tolist() == [16, 18, 19, 19]  # two evaluations tell no interval
    assert table.runs["status"].tolist() == ["finished", "finished", "running", "finished"]


def test_epochs_without_a_value_do_not_hide_the_last_evaluation(tmp_path: Path) -> None:
    lines = [f"a,{epoch},{1 / (1 + epoch) if epoch % 5 == 0 else ''},0.1,20" for epoch in range(20)]
    table = read(tmp_path, "run,epoch,err,lr,horizon\n" + "\n".join(lines) + "\n")
    assert plan_of(table) == ("finished", 15) and table.schedules["a"].last == 19


def test_a_value_at_the_horizon_says_that_epoch_0_is_before_the_training(tmp_path: Path) -> None:
    text = "run,epoch,err,horizon\n" + rows(range(0, 21, 5), "a", 20) + rows(range(0, 16, 5), "b", 20)
    assert read(tmp_path, text).runs["horizon"].tolist() == [20, 20]


def test_the_end_of_runs_that_are_said_to_be_running_is_assumed_too(tmp_path: Path) -> None:
    rows = "".join(f"{run},running,{at},0.{at}\n" for run, last in (("a", 4), ("b", 2)) for at in range(1, last + 1))
    (tmp_path / "log.csv").write_text(f"run,status,epoch,val_acc\n{rows}")
    table = read_logs(tmp_path / "log.csv")
    assert any("no horizon is given for 2 runs: taken to be epoch 4" in note for note in table.notes)
    assert set(table.runs["status"]) == {"running"}


@pytest.mark.parametrize(("last", "horizons"), [(19, [20, 19, 19]), (20, [20, 20, 20]), (15, [20, 20, 20])])
def test_runs_that_count_from_0_beside_others_end_an_epoch_earlier(
    tmp_path: Path, last: int, horizons: list[int]
) -> None:
    def rows_of(run: str, epochs: range) -> str:
        return "".join(f"{run},{at},{1 / (2 + at + len(run)):.5f}\n" for at in epochs)

    text = rows_of("a", range(1, 21)) + rows_of("bb", range(last + 1)) + rows_of("ccc", range(8))
    table = read(tmp_path, f"run,epoch,err\n{text}")
    assert table.runs["horizon"].tolist() == horizons
    assert table.runs["status"].tolist()[1] == ("finished" if last >= 19 else "running")
    assert any("count epochs from 0 and others from 1" in note for note in table.notes) == (last == 19)

"""Tables of one training in several files of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lcode.readers import read_logs
from lcode.table.table import RunTable


def text(first: int, last: int, start: float = 0.9, more: str = "") -> str:
    head = "epoch,seg/miou,depth/rmse" + (",config.lr" if more else "")
    rows = [f"{at},{1 - start / at:.4f},{start / at:.4f}{more}" for at in range(first, last + 1)]
    return "\n".join([head, *rows, ""])


def read(folder: Path, files: dict[str, str]) -> RunTable:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return read_logs(folder)


@pytest.mark.parametrize(
    ("one", "other", "again"),
    [
        ("log.csv", "log_resume.csv", 2),
        ("log.csv", "log_resume.csv", 11),  # the rows before were logged once more
        ("log.csv", "resumed_log.csv", 0),
        ("metrics.csv", "metrics_1.csv", 0),
        ("metrics.csv", "metrics (2).csv", 1),
        ("log.csv", "log_final.csv", 0),
        ("log.csv", "log_latest.csv", 1),
        ("log - Copy.csv", "log.csv", 0),  # kept before it went on
        ("log.csv", "log2.csv", 0),
        ("metrics_part1.csv", "metrics_part2.csv", 0),
        ("metrics_old.csv", "metrics.csv", 0),  # moved away before it went on
        ("log_2024-03-01.csv", "log_2024-03-02.csv", 3),
        ("2024-03-01_10-00.csv", "2024-03-02_11-30.csv", 0),
    ],
)
@pytest.mark.parametrize("runs", [("a", "b"), ("a",)])
def test_a_file_that_goes_on_where_another_of_the_folder_ends_is_of_its_run(
    tmp_path: Path, runs: tuple[str, ...], one: str, other: str, again: int
) -> None:
    files = {f"{run}/{one}": text(1, 12, 0.9 - at / 100) for at, run in enumerate(runs)}
    files |= {f"{run}/{other}": text(13 - again, 20, 0.8 - at / 100) for at, run in enumerate(runs)}
    table = read(tmp_path, files)
    assert table.run_ids == runs and len(table.metrics) == 2
    points = table.points[(table.points["run"] == "a") & (table.points["metric"] == "depth/rmse")]
    assert points["epoch"].tolist() == list(range(1, 21))
    values = [(0.9 if at < 13 - again else 0.8) / at for at in range(1, 21)]
    assert np.allclose(points["value"], values, atol=1e-4)  # of an epoch that comes again the later counts
    assert any("resumed from one file to the next" in note for note in table.notes)


def test_words_and_numbers_that_end_a_name_are_those_of_runs_where_none_goes_on(tmp_path: Path) -> None:
    names = ("seed1.csv", "seed2.csv", "resnet18.csv", "resnet50.csv", "net_final.csv", "net_last.csv")
    table = read(tmp_path, {name: text(1, 9, 0.9 - at / 100) for at, name in enumerate(names)})
    assert len(table) == len(names)


@pytest.mark.parametrize("name", ["log - Copy.csv", "log (1).csv", "log_backup.csv", "log_final.csv"])
def test_of_a_copy_the_plain_name_is_kept(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {"log.csv": text(1, 9), name: text(1, 9)}).run_ids == ("log",)


def test_settings_beside_a_resumed_run_are_its_own(tmp_path: Path) -> None:
    files = {f"{run}/{name}": rows for run in "ab" for name, rows in (("m.csv", text(1, 4)), ("m_1.csv", text(5, 8)))}
    table = read(tmp_path, {**files, "a/config.json": '{"lr": 0.1}', "b/config.json": '{"lr": 0.2}'})
    assert table.configs["lr"].tolist() == [0.1, 0.2]


def test_tasks_of_a_run_may_have_been_resumed(tmp_path: Path) -> None:
    files = {}
    for at, run in enumerate("ab"):
        for task, metric in (("seg", "miou"), ("depth", "rmse")):
            files[f"{run}/{task}.csv"] = f"epoch,{metric},loss\n1,0.5,2.{at}\n2,0.4,1.{at}\n3,0.3,1\n"
            files[f"{run}/{task}_resume.csv"] = f"epoch,{metric},loss\n4,0.2,0.9\n5,0.1,0.8\n"
    table = read(tmp_path, files)
    assert table.run_ids == ("a", "b") and {"seg/miou", "depth/rmse"} < {metric.key for metric in table.metrics}
    assert table.points["epoch"].max() == 5


def test_resumed_runs_in_one_folder_are_told_by_their_names(tmp_path: Path) -> None:
    files = {
        "a.csv": text(1, 12),
        "a_resume.csv": text(11, 20),
        "b.csv": text(1, 12, 0.7),
        "b_resume.csv": text(14, 20),
    }
    assert read(tmp_path, files).run_ids == ("a", "b")


def test_an_old_copy_in_the_folder_of_a_run_is_left_out(tmp_path: Path) -> None:
    files = {f"{run}/metrics.csv": text(1, 20, start) for run, start in (("a", 0.9), ("b", 0.8))}
    table = read(tmp_path, {**files, "a/metrics_old.csv": text(1, 12, 0.7), "b/metrics.bak.csv": text(1, 20, 0.6)})
    assert table.run_ids == ("a", "b") and len(table.metrics) == 2
    assert np.allclose(table.points.loc[table.points["metric"] == "depth/rmse", "value"].max(), 0.9)
    assert any("so not read: a/metrics_old.csv, b/metrics.bak.csv" in note for note in table.notes)


@pytest.mark.parametrize(
    "files",
    [
        {"seed_1.csv": text(1, 20), "seed_2.csv": text(1, 12, 0.8)},
        {"fold_1.csv": text(1, 20), "fold_2.csv": text(2, 21, 0.8)},  # counted otherwise
        {"a_1.csv": text(1, 12), "a_2.csv": text(13, 20), "a_3.csv": text(1, 20, 0.8)},
        {"a_1.csv": text(1, 12, more=",0.1"), "a_2.csv": text(13, 20, more=",0.2")},
        {"a_1.csv": text(1, 12), "a_2.csv": text(15, 20)},  # what is between is nowhere
        {"seg.csv": text(1, 12), "depth.csv": text(13, 20)},
        {"way.csv": text(1, 20), "way_old.csv": text(1, 20, 0.7)},  # which may be two ways to train
        {"old_way.csv": text(1, 20), "new_way.csv": text(1, 20, 0.7)},
    ],
)
def test_files_that_may_be_of_several_trainings_stay_apart(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(read(tmp_path, files).run_ids) == len(files)

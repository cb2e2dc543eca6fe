"""What each file of a folder holds of a run, by the parts of the files' names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lcode.readers import read_logs
from lcode.table.table import RunTable

ROWS = "1,0.9,0.3\n2,0.7,0.4\n3,0.6,0.5\n"
BOTH, SEG, DEPTH = (f"epoch,{names}\n{ROWS}" for names in ("loss,miou", "loss,miou", "loss,abs_err"))


def read(folder: Path, files: dict[str, str]) -> RunTable:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return read_logs(folder)


def signals(table: RunTable) -> set[str]:
    return set(table.signals["metric"].astype(str))


def keys(table: RunTable) -> tuple[str, ...]:
    return tuple(sorted(metric.key for metric in table.metrics))


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        (("a_train", "a_val", "b_train", "b_val"), ("a", "b")),
        (("train_a", "val_a", "train_b", "val_b"), ("a", "b")),
        (("a-train", "a-validation", "a-test", "b-train", "b-validation", "b-test"), ("a", "b")),
        (("a_train_0", "a_val_0", "a_train_1", "a_val_1"), ("a_0", "a_1")),
        (("x/a_train", "x/a_val", "y/b_train", "y/b_val"), ("x", "y")),
        (("a_b_val", "a_b_test", "c_val", "c_test"), ("a_b", "c")),
        (("a_train", "a_val", "b_train", "b_val", "c"), ("a", "b", "c")),  # c has no part
        (("a_train", "a_val", "b_train", "b_val", "c_val"), ("a", "b", "c")),  # c has lost one
    ],
)
def test_names_of_files_that_say_on_which_data_tell_of_one_run(
    tmp_path: Path, names: Sequence[str], runs: tuple[str, ...]
) -> None:
    table = read(tmp_path, {f"{name}.csv": BOTH for name in names})
    assert table.run_ids == runs and keys(table) == ("loss", "miou")
    assert all(name.startswith("train/") for name in signals(table))
    assert bool(signals(table)) == any("train" in name for name in names)


@pytest.mark.parametrize(
    "names",
    [
        ("a_val", "b_val"),
        ("test_a", "test_b", "c"),
        ("a_train", "b_val", "c_val"),  # no run has both
        ("a_train", "a_val", "a"),  # which may be a run of its own
    ],
)
def test_a_word_of_the_data_in_the_names_of_runs_says_nothing_alone(tmp_path: Path, names: Sequence[str]) -> None:
    table = read(tmp_path, {f"{name}.csv": BOTH for name in names})
    assert len(table.run_ids) == len(names) and not signals(table)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        ("{run}_{task}", ("a", "b")),
        ("{task}_{run}", ("a", "b")),
        ("exp-{run}.{task}", ("exp-a", "exp-b")),
        ("{run}_{task}_seed0", ("a_seed0", "b_seed0")),
        ("new_{task}_of_{run}", ("new_of_a", "new_of_b")),
    ],
)
def test_a_part_of_the_names_on_which_it_depends_what_is_measured_is_the_task(
    tmp_path: Path, names: str, runs: tuple[str, ...]
) -> None:
    files = {
        f"{names.format(run=run, task=task)}.csv": text
        for run in "ab"
        for task, text in (("seg", SEG), ("depth", DEPTH))
    }
    table = read(tmp_path, files)
    assert table.run_ids == runs
    assert keys(table) == ("depth/abs_err", "depth/loss", "seg/loss", "seg/miou")
    assert any("read as a task (depth, seg)" in note for note in table.notes)


def test_tasks_with_the_same_metrics_are_told_by_the_runs_of_the_others(tmp_path: Path) -> None:
    tasks = {"part_seg": SEG, "depth": DEPTH, "normals": DEPTH}
    table = read(tmp_path, {f"{run}_{task}.csv": text for run in ("a", "a_b") for task, text in tasks.items()})
    assert sorted(table.run_ids) == ["a", "a_b"]
    assert {key.partition("/")[0] for key in keys(table)} == set(tasks)


def test_tasks_and_parts_of_the_data_in_one_name(tmp_path: Path) -> None:
    files = {
        f"{run}_{task}_{part}.csv": text
        for run in "ab"
        for task, text in (("seg", SEG), ("depth", DEPTH))
        for part in ("train", "val")
    }
    table = read(tmp_path, files)
    assert table.run_ids == ("a", "b")
    assert keys(table) == ("depth/abs_err", "depth/loss", "seg/loss", "seg/miou")
    assert signals(table) == {f"train/{key}" for key in keys(table)}


def test_columns_that_say_their_task_already_are_not_named_twice(tmp_path: Path) -> None:
    seg, depth = "epoch,seg_loss,seg_miou\n" + ROWS, "epoch,depth_loss,depth_abs_err\n" + ROWS
    table = read(
        tmp_path, {f"{run}_{task}.csv": text for run in "ab" for task, text in (("seg", seg), ("depth", depth))}
    )
    assert table.run_ids == ("a", "b")
    assert keys(table) == ("depth/abs_err", "depth/loss", "seg/loss", "seg/miou")


@pytest.mark.parametrize(
    "files",
    [
        {"a_x.csv": SEG, "a_y.csv": SEG, "b_x.csv": SEG, "b_y.csv": SEG},  # nothing tells tasks from methods
        {"a_seg.csv": SEG, "a_depth.csv": DEPTH, "b_seg.csv": SEG},  # b has no depth
        {"a_seg.csv": SEG, "a_depth.csv": DEPTH},  # one run, and names of runs as well
        {f"{way}_{seed}.csv": text for seed in (1, 2) for way, text in (("a", SEG), ("b", SEG.replace("miou", "x")))},
        {f"{way}_seed{seed}.csv": text for seed in (1, 2) for way, text in (("gan", SEG), ("vae", DEPTH))},
        {f"a_{seed}.csv": text for seed, text in ((1, SEG), (2, DEPTH))},
    ],
)
def test_files_are_runs_where_nothing_tells_that_they_are_tasks(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(read(tmp_path, files).run_ids) == len(files)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        ("{run}_{part}_{metric}", ("a", "b")),
        ("{run}/{part}_{metric}", ("a", "b")),
        ("{part}_{run}_{metric}", ("a", "b")),
    ],
)
def test_files_of_one_curve_may_be_of_parts_of_the_data(tmp_path: Path, names: str, runs: tuple[str, ...]) -> None:
    files = {
        f"{names.format(run=run, part=part, metric=metric)}.csv": f"epoch,{metric}\n1,{at}.1\n2,{at}.2\n3,{at}.3\n"
        for run in "ab"
        for at, part in enumerate(("train", "val"))
        for metric in ("loss", "miou")
    }
    table = read(tmp_path, files)
    assert table.run_ids == runs and keys(table) == ("loss", "miou")
    assert signals(table) == {"train/loss", "train/miou"} and table.points["value"].min() > 1

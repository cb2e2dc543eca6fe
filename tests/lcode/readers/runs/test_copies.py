"""Runs that lie in a folder twice: copied, or written by two loggers at once."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs


def curve(seed: int, epochs: int = 6, digits: int = 17) -> list[float]:
    source = random.Random(seed)
    return [round(source.random(), digits) for _ in range(epochs)]


def write(path: Path, acc: Sequence[float], *more: Sequence[float], config: str = "") -> Path:
    """A table with a row per epoch; `config` is a value that all rows repeat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["epoch", "acc", *(f"more{i}_loss" for i in range(len(more))), *(["config.lr"] if config else [])]
    rows = [
        ",".join(map(str, [epoch, *values, *([config] if config else [])]))
        for epoch, values in enumerate(zip(acc, *more, strict=True))
    ]
    path.write_text("\n".join([",".join(names), *rows, ""]))
    return path


def twice(notes: Sequence[str]) -> Iterator[str]:
    return (note for note in notes if note.startswith("logged twice"))


def test_a_copied_folder_is_read_once_with_one_remark(tmp_path: Path) -> None:
    for run in range(3):
        write(tmp_path / "runs" / f"r{run}.csv", curve(run))
    shutil.copytree(tmp_path / "runs", tmp_path / "backup")
    table = read_logs(tmp_path)
    assert len(table) == 3 and len(table.points) == 18
    (note,) = twice(table.notes)
    assert "'runs/r0'" in note and "'backup/r0'" in note and "2 more" in note


def test_of_two_copies_the_longer_counts_and_takes_the_configuration_of_both(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", curve(0, 4), config="0.1")
    write(tmp_path / "b.csv", curve(0, 6))
    write(tmp_path / "c.csv", curve(1, 6))
    table = read_logs(tmp_path)
    assert table.run_ids == ("b", "c") and len(table.points) == 12
    assert table.configs["lr"].tolist()[0] == 0.1
    (note,) = twice(table.notes)
    assert "'a'" in note and "fewer values" in note


def test_a_folder_of_tensorboard_beside_one_of_lightning(tmp_path: Path) -> None:
    for run in range(2):
        folder = tmp_path / "csv" / f"version_{run}"
        folder.mkdir(parents=True)
        rows = [f"{epoch},{10 * epoch + 9},{value}" for epoch, value in enumerate(curve(run))]
        (folder / "metrics.csv").write_text("\n".join(["epoch,step,val_acc", *rows, ""]))
        (folder / "hparams.yaml").write_text(f"lr: 0.{run + 1}\n")
        with SummaryWriter(str(tmp_path / "tb" / f"version_{run}")) as writer:
            for epoch, value in enumerate(curve(run)):
                writer.add_scalar("val_acc", value, 10 * epoch + 9)
                writer.add_scalar("epoch", epoch, 10 * epoch + 9)
    table = read_logs(tmp_path)
    assert table.reading is not None and dict(table.reading.sources) == {"Lightning": 2}
    assert table.configs["lr"].tolist() == [0.1, 0.2] and table.points["epoch"].max() == 5
    (note,) = twice(table.notes)
    assert "of TensorBoard" in note and "of Lightning" in note


def test_another_loggers_files_in_a_runs_folder_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "version_0"
    folder.mkdir()
    (folder / "metrics.csv").write_text("epoch,step,val_acc\n0,1,0.5\n1,3,0.25\n")
    with SummaryWriter(str(folder)) as writer:
        writer.add_scalar("val_acc", 0.5, 1)
    table = read_logs(tmp_path)
    assert any("not read: 1 file(s) of TensorBoard" in note for note in table.notes)


@pytest.mark.parametrize("why", ["another setting", "another curve", "few digits", "constant", "one file"])
def test_runs_that_only_look_alike_are_two(tmp_path: Path, why: str) -> None:
    if why == "one file":
        rows = [f"{run},{epoch},{value}" for run in "ab" for epoch, value in enumerate(curve(0))]
        (tmp_path / "runs.csv").write_text("\n".join(["run,epoch,acc", *rows, ""]))
    else:
        acc = {"few digits": [0.25, 0.5, 0.75, 1.0, 0.5, 0.5], "constant": [1 / 3] * 6}.get(why, curve(0))
        write(tmp_path / "a.csv", acc, curve(1) if why == "another curve" else acc, config="0.1")
        write(
            tmp_path / "b.csv",
            acc,
            curve(2) if why == "another curve" else acc,
            config="0.2" if why == "another setting" else "0.1",
        )
    table = read_logs(tmp_path)
    assert len(table) == 2 and not list(twice(table.notes))


@pytest.mark.parametrize("why", ["another seed", "only the training is alike"])
def test_runs_that_share_a_schedule_or_a_network_are_two(tmp_path: Path, why: str) -> None:
    for run, name in enumerate(("val_acc", "valid_accuracy")):
        values = curve(0) if why == "another seed" else curve(run)
        rows = [
            f"{epoch},{loss},{value},{run}" for epoch, (loss, value) in enumerate(zip(curve(9), values, strict=True))
        ]
        last = "seed" if why == "another seed" else "config.lr"
        (tmp_path / f"{run}.csv").write_text("\n".join([f"epoch,train_loss,{name},{last}", *rows, ""]))
    assert len(read_logs(tmp_path)) == 2


def test_a_mean_of_the_training_in_one_log_and_its_steps_in_another_are_one_run(tmp_path: Path) -> None:
    losses = curve(1, 12)
    write(tmp_path / "a.csv", curve(0))
    text = (tmp_path / "a.csv").read_text().splitlines()
    means = ["train_loss", *(str((losses[2 * at] + losses[2 * at + 1]) / 2) for at in range(6))]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in zip(text, means, strict=True)) + "\n")
    with SummaryWriter(str(tmp_path / "tb" / "a")) as writer:
        for step, loss in enumerate(losses):
            writer.add_scalar("train_loss", loss, step)
            if step % 2:
                writer.add_scalar("val_acc", curve(0)[step // 2], step)
    assert len(read_logs(tmp_path)) == 1


def test_two_tools_may_give_different_runs_one_name(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "tb" / "first")) as writer:
        for epoch, value in enumerate(curve(0)):
            writer.add_scalar("val_acc", value, epoch)
    write(tmp_path / "tables" / "first.csv", curve(1))
    write(tmp_path / "tables" / "second.csv", curve(2))
    table = read_logs(tmp_path)
    assert len(table) == 3 and len(set(table.run_ids)) == 3


def test_a_copy_is_found_among_thousands_of_runs_that_begin_alike(tmp_path: Path) -> None:
    rows = [[0.0, 0.0, *curve(run)] for run in range(2000)]
    lines = [
        json.dumps({"run": f"r{run}", "epoch": epoch, "acc": value})
        for run, values in enumerate(rows)
        for epoch, value in enumerate(values)
    ]
    (tmp_path / "all.jsonl").write_text("\n".join([*lines, ""]))
    (tmp_path / "one.jsonl").write_text(
        "\n".join([*(json.dumps({"epoch": epoch, "acc": value}) for epoch, value in enumerate(rows[7])), ""])
    )
    table = read_logs(tmp_path)
    assert len(table) == 2000 and len(list(twice(table.notes))) == 1


@pytest.mark.parametrize("form", ["{:.4f}", "{:.5g}"])
def test_a_logger_that_rounds_tells_of_the_same_run(tmp_path: Path, form: str) -> None:
    for run in range(2):
        values = curve(run, 8)
        write(tmp_path / f"r{run}" / "metrics.csv", [float(form.format(value)) for value in values])
        with SummaryWriter(str(tmp_path / f"r{run}" / "tb")) as writer:
            for epoch, value in enumerate(values):
                writer.add_scalar("acc", value, epoch)
    table = read_logs(tmp_path)
    assert len(table) == 2
    assert table.points["value"].head(8).tolist() == pytest.approx(curve(0, 8), rel=1e-6)  # in full
    assert "rounded" in next(twice(table.notes))


def test_curves_that_differ_by_more_than_a_rounding_are_two_runs(tmp_path: Path) -> None:
    values = curve(0, 8)
    write(tmp_path / "a" / "metrics.csv", [round(value, 4) for value in values])
    with SummaryWriter(str(tmp_path / "b")) as writer:
        for epoch, value in enumerate(values):
            writer.add_scalar("acc", value + (2e-4 if epoch == 7 else 0), epoch)
    assert len(read_logs(tmp_path)) == 2

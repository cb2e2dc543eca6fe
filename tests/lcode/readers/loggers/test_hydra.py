"""The settings that Hydra leaves beside the logs of a job, whatever has written these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import read_logs

CONFIG = """
model: {{_target_: src.Net, width: {width}, optimizer: {{lr: 0.{run}}}}}
trainer: {{max_epochs: 30}}
paths: {{output_dir: "${{hydra:runtime.output_dir}}", data: /data/x}}
name: "${{now:%Y}}"
tags: [a, b]
"""


def rows(run: int, length: int) -> list[tuple[int, float]]:
    return [(epoch, round(epoch / (epoch + 9 + run), 6)) for epoch in range(length)]


def printed(job: Path, run: int, length: int) -> None:
    lines = [
        f"[2031-01-01 10:00:00,123][__main__][INFO] - Epoch {at}: val acc {value}" for at, value in rows(run, length)
    ]
    (job / "train.log").write_text("\n".join(lines) + "\n")


def lightning(job: Path, run: int, length: int) -> None:
    place = job / "csv" / "version_0"
    place.mkdir(parents=True)
    told = "".join(f"{at},{10 * at + 9},{value}\n" for at, value in rows(run, length))
    (place / "metrics.csv").write_text(f"epoch,step,val/acc\n{told}")
    (place / "hparams.yaml").write_text("lr: 9\n")


def tensorboard(job: Path, run: int, length: int) -> None:
    with SummaryWriter(str(job / "tensorboard" / "version_0")) as writer:
        for at, value in rows(run, length):
            writer.add_scalar("val/acc", value, at)


def table(job: Path, run: int, length: int) -> None:
    (job / "log.csv").write_text("epoch,val_acc\n" + "".join(f"{at},{value}\n" for at, value in rows(run, length)))


def tables(job: Path, run: int, length: int) -> None:
    """A table for each part of the data."""
    for name in ("train", "val"):
        told = "".join(f"{at},{value}\n" for at, value in rows(run, length))
        (job / f"{name}.csv").write_text(f"epoch,acc\n{told}")


@pytest.mark.parametrize("write", [printed, lightning, tensorboard, table, tables])
def test_the_settings_of_a_job_are_those_of_its_run(tmp_path: Path, write: Callable[[Path, int, int], None]) -> None:
    for run, length in ((1, 20), (2, 12)):
        job = tmp_path / "multirun" / "2031-01-01" / str(run)
        (job / ".hydra").mkdir(parents=True)
        (job / ".hydra" / "config.yaml").write_text(CONFIG.format(run=run, width=32 * run))
        (job / ".hydra" / "hydra.yaml").write_text("hydra: {run: {dir: x}}\n")
        write(job, run, length)
    table = read_logs(tmp_path)
    assert table.configs["model.optimizer.lr"].tolist() == [0.1, 0.2]
    assert table.configs["model.width"].tolist() == [32, 64]
    assert not {"paths.data", "paths.output_dir", "name", "tags"} & set(table.configs)
    assert table.runs["horizon"].tolist() == [29, 29] and set(table.runs["status"]) == {"running"}
    assert "the settings of a run are those that Hydra left in .hydra/config.yaml." in table.notes


def test_what_was_given_on_the_command_line_is_read_where_the_rest_is_missing(tmp_path: Path) -> None:
    for run in (1, 2):
        job = tmp_path / str(run)
        (job / ".hydra").mkdir(parents=True)
        (job / ".hydra" / "overrides.yaml").write_text(f"- optimizer.lr=0.{run}\n- +max_epochs=40\n- ~callbacks\n")
        printed(job, run, 12)
    found = read_logs(tmp_path)
    assert found.configs["optimizer.lr"].tolist() == [0.1, 0.2] and found.runs["horizon"].tolist() == [39, 39]


@pytest.mark.parametrize("config", ["a: [1\n", "- 1\n", ""])
def test_settings_that_cannot_be_read_cost_no_run(tmp_path: Path, config: str) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text(config)
    printed(tmp_path, 1, 12)
    found = read_logs(tmp_path)
    assert len(found) == 1 and any("cannot be read" in note for note in found.notes) == config.startswith("a")


def test_what_a_logger_says_itself_counts_more(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("lr: 1\nwidth: 2\n")
    lightning(tmp_path, 1, 12)
    assert read_logs(tmp_path).configs.iloc[0].to_dict() == {"lr": 9, "width": 2}

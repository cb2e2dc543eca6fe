"""Planned epochs among the settings are the horizon, whichever tool has logged the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch.utils.tensorboard import SummaryWriter

from lcode.readers import Choices, read_logs
from lcode.table import RunTable

Settings = dict[str, Any]


def score(folder: Path, at: int) -> float:
    """A curve of its own for each run: those of a copy would be read once."""
    return round(at / (at + 9 + ord(folder.name) % 7), 6)


def tensorboard(folder: Path, settings: Settings, steps: Sequence[int], epochs: bool = False) -> None:
    """A run of `SummaryWriter`, with its hyper-parameters as `add_hparams` leaves them and an `epoch` if wanted."""
    with SummaryWriter(str(folder)) as writer:
        writer.add_hparams(settings, {"hp_metric": -1.0}, run_name=".")
        for at, step in enumerate(steps):
            writer.add_scalar("val/miou", score(folder, at), step)
            if epochs:
                writer.add_scalar("epoch", at, step)


def lightning(folder: Path, settings: Settings, steps: Sequence[int]) -> None:
    place = folder / "version_0"
    place.mkdir(parents=True)
    rows = "".join(f"{step},{score(folder, at)}\n" for at, step in enumerate(steps))
    (place / "metrics.csv").write_text(f"step,val_acc\n{rows}")
    (place / "hparams.yaml").write_text(yaml.safe_dump(settings))


def ray(folder: Path, settings: Settings, steps: Sequence[int]) -> None:
    folder.mkdir(parents=True)
    rows = [
        {"training_iteration": step, "val_acc": score(folder, at), "trial_id": "x"} for at, step in enumerate(steps)
    ]
    (folder / "result.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "params.json").write_text(json.dumps({"train_loop_config": settings}))


def dvclive(folder: Path, settings: Settings, steps: Sequence[int]) -> None:
    place = folder / "plots" / "metrics"
    place.mkdir(parents=True)
    (place / "val_acc.tsv").write_text(
        "step\tval_acc\n" + "".join(f"{s}\t{score(folder, n)}\n" for n, s in enumerate(steps))
    )
    (folder / "params.yaml").write_text(yaml.safe_dump({"train": settings}))


def sacred(folder: Path, settings: Settings, steps: Sequence[int]) -> None:
    folder.mkdir(parents=True)
    values = [score(folder, at) for at, _ in enumerate(steps)]
    curve = {"steps": list(steps), "values": values, "timestamps": ["2031"] * len(values)}
    (folder / "metrics.json").write_text(json.dumps({"val.acc": curve}))
    (folder / "config.json").write_text(json.dumps(settings))


def plans(tmp_path: Path, **options: Any) -> tuple[list[int], list[str]]:
    table: RunTable = read_logs(tmp_path, **options)
    assert not any("no horizon is given" in note for note in table.notes)
    return table.runs["horizon"].tolist(), table.runs["status"].tolist()


@pytest.mark.parametrize(
    ("write", "settings", "short", "long", "horizon"),
    [
        (tensorboard, {"epochs": 60.0, "lr": 0.1}, range(8), range(60), 59),
        (tensorboard, {"epochs": 60.0, "lr": 0.1}, range(1, 9), range(1, 61), 60),
        (tensorboard, {"epochs": 60.0, "lr": 0.1}, range(5, 40, 5), range(5, 61, 5), 60),
        (tensorboard, {"max_steps": 6000}, range(100, 900, 100), range(100, 6001, 100), 6000),
        (lightning, {"max_steps": 20000}, range(499, 9000, 500), range(499, 20000, 500), 19999),
        (ray, {"num_epochs": 50}, range(1, 9), range(1, 51), 50),
        (dvclive, {"epochs": 40, "warmup": {"epochs": 50}}, range(8), range(40), 39),
        (sacred, {"n_epochs": 40, "pretrain": {"epochs": 50}}, range(1, 8), range(1, 41), 40),
    ],
)
def test_what_the_settings_plan_is_the_horizon_of_any_tool(
    tmp_path: Path, write: Callable[..., None], settings: Settings, short: range, long: range, horizon: int
) -> None:
    write(tmp_path / "a", settings, short)
    write(tmp_path / "b", settings, long)
    assert plans(tmp_path) == ([horizon] * 2, ["running", "finished"])


@pytest.mark.parametrize("name", ["max_epochs", "num_epochs"])
def test_epochs_logged_beside_the_steps_are_what_is_planned(tmp_path: Path, name: str) -> None:
    for run, length in (("a", 20), ("b", 30)):
        tensorboard(tmp_path / run, {name: 60.0}, range(99, 100 * length, 100), epochs=True)
    assert plans(tmp_path) == ([59, 59], ["running", "running"])
    table = read_logs(tmp_path, choices=Choices(epoch="step"))  # of steps nothing is planned
    assert table.runs["horizon"].tolist() == [2999, 2999]


def test_steps_of_batches_are_no_epochs_even_where_a_run_has_but_begun(tmp_path: Path) -> None:
    for run, length in (("a", 9), ("b", 200), ("c", 300)):
        tensorboard(tmp_path / run, {"epochs": 60}, range(length))
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [299] * 3
    assert any("no horizon is given for 3 runs" in note and "1 run counts as" in note for note in table.notes)


def test_a_plan_that_most_runs_keep_holds_beside_one_that_was_prolonged(tmp_path: Path) -> None:
    for run, length in (("a", 9), ("b", 60), ("c", 80)):
        tensorboard(tmp_path / run, {"epochs": 60}, range(1, length + 1))
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist()[:2] == [60, 60]


def test_where_several_finished_runs_have_one_end_it_counts_more_than_the_settings(tmp_path: Path) -> None:
    for run, length, status in (("1", 9, "RUNNING"), ("2", 30, "COMPLETED"), ("3", 30, "COMPLETED")):
        sacred(tmp_path / run, {"n_epochs": 100}, range(1, length + 1))
        (tmp_path / run / "run.json").write_text(json.dumps({"status": status}))
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [30] * 3
    assert table.runs["status"].tolist() == ["running", "finished", "finished"]


def test_the_remark_on_an_assumed_end_says_that_none_counts_as_finished(tmp_path: Path) -> None:
    for run, length, status in (("1", 9, "RUNNING"), ("2", 30, "COMPLETED")):
        sacred(tmp_path / run, {"lr": 0.1}, range(1, length + 1))
        (tmp_path / run / "run.json").write_text(json.dumps({"status": status}))
    (note,) = (note for note in read_logs(tmp_path).notes if "no horizon is given" in note)
    assert "so that none of them counts as finished;" in note


@pytest.mark.parametrize(("other", "end"), [(2700, 2700), (3000, 3000)])
def test_another_run_tells_whether_the_last_step_is_measured_too(tmp_path: Path, other: int, end: int) -> None:
    for name, last in (("a", 2700), ("b", other)):
        text = f"Namespace(max_iters=3000, eval_interval=300, lr=0.{last})\n"
        for s in range(0, last + 1, 300):
            text += f"step {s}: train loss {9 - s / 999:.4f}, val loss {8 + (name == 'b') - s / 999:.4f}\n"
        (tmp_path / f"{name}.log").write_text(text)
    table = read_logs(tmp_path)
    assert table.runs["horizon"].tolist() == [end] * 2
    assert table.runs["status"].tolist() == ["finished" if end == 2700 else "running", "finished"]

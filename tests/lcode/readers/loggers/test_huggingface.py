"""Output folders of the Trainer as the library has written them (`write_huggingface.py`), growing and damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from lcode.errors import InputError
from lcode.readers.loggers import LOGGERS, Logged

DATA = Path(__file__).parent / "data" / "huggingface"

reader = LOGGERS["huggingface"]


def read(folder: Path) -> list[Logged]:
    return list(reader.read([path for path in sorted(folder.rglob("*")) if reader.sniff(path)]))


def save(path: Path, rows: Any, **told: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"global_step": len(rows), "max_steps": 10, "num_train_epochs": 5, "log_history": rows} | told
    path.write_text(json.dumps(state))
    return path


def cells(run: Logged, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(run.columns[name].to_pylist() for name in names), strict=True))


def test_what_the_library_has_written() -> None:
    by_name = {run.file.parent.name: run for run in read(DATA)}
    assert {*by_name} == {"epochs", "steps", "stopped"}  # one run per output folder, however many checkpoints
    run = by_name["epochs"]
    assert (run.axis, run.horizon, run.status, run.notes) == ("epoch", 3, "finished", ())
    scored = [row for row in cells(run, "step", "epoch", "eval_seg_f1") if row[2] is not None]
    assert scored == [(3, 1, 3 / 16), (6, 2, 6 / 16), (9, 3, 9 / 16)]
    assert run.columns["train/loss"].null_count and "train_loss" not in run.columns  # that of the end sums up
    assert run.config == {"train_batch_size": 4}
    run = by_name["steps"]  # the newest checkpoint, since the end was not saved
    assert (run.axis, run.horizon, run.status) == ("step", 9, "finished")
    assert [row for row in cells(run, "step", "eval_depth_loss") if row[1] is not None] == [
        (2, 1 / 2), (4, 1 / 4), (6, 1 / 6), (8, 1 / 8), (9, 1 / 9)
    ]  # fmt: skip
    assert (by_name["stopped"].status, by_name["stopped"].horizon) == ("stopped", 3)


def test_the_folder_of_the_checkpoints_belongs_to_the_run() -> None:
    assert reader.owns(DATA / "a" / "trainer_state.json") == DATA / "a"
    assert reader.owns(DATA / "a" / "checkpoint-12" / "trainer_state.json") == DATA / "a"


def test_the_newest_state_holds_the_history(tmp_path: Path) -> None:
    rows = [{"step": step, "eval_loss": 1 / step, "epoch": step / 2} for step in (2, 4, 9, 10)]
    save(tmp_path / "out" / "checkpoint-9" / "trainer_state.json", rows[:3], global_step=9)
    save(tmp_path / "out" / "checkpoint-10" / "trainer_state.json", rows, global_step=10)
    save(tmp_path / "out" / "checkpoint-2" / "trainer_state.json", rows[:1], global_step=2)
    (run,) = read(tmp_path)
    assert [row[0] for row in cells(run, "step")] == [2, 4, 9, 10] and run.file.parent == tmp_path / "out"


def test_a_damaged_newest_state_leaves_the_one_before(tmp_path: Path) -> None:
    save(tmp_path / "checkpoint-2" / "trainer_state.json", [{"step": 2, "loss": 1.0}])
    path = save(tmp_path / "checkpoint-4" / "trainer_state.json", [{"step": 2, "loss": 1.0}, {"step": 4, "loss": 0.5}])
    path.write_text(path.read_text()[:-30])
    (run,) = read(tmp_path)
    assert cells(run, "step", "train/loss") == [(2, 1)] and run.status is None
    assert len(run.notes) == 1 and "checkpoint-4" in run.notes[0] and "no whole JSON" in run.notes[0]


def test_values_that_are_not_finite_and_settings_of_a_search(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": math.nan, "größe": math.inf}, {"step": 2**60, "loss": 2}, {"step": 1, "loss": 1.0}]
    save(tmp_path / "trainer_state.json", rows, trial_params={"lr": 0.1, "deep": {"er": "x"}}, train_batch_size=8)
    (run,) = read(tmp_path)
    assert run.config == {"train_batch_size": 8, "lr": 0.1, "deep.er": "x"}
    assert math.isnan(run.columns["train/loss"][0].as_py()) and run.columns["größe"][0].as_py() == math.inf
    assert run.columns["step"].to_pylist() == [1, 2**60, 1]


def test_a_training_without_a_planned_length(tmp_path: Path) -> None:
    save(tmp_path / "trainer_state.json", [{"step": 1, "loss": 1.0}], max_steps=-1 + 1, num_train_epochs=None)
    (run,) = read(tmp_path)
    assert run.horizon is None and run.status is None and run.axis == "step"


def test_thousands_of_names(tmp_path: Path) -> None:
    rows = [{"step": step, **{f"eval_task {i}_loss": 1.0 for i in range(3000)}} for step in (1, 2)]
    save(tmp_path / "trainer_state.json", rows)
    assert len(read(tmp_path)[0].columns) == 3001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("\0" * 100, "is empty"),
        ('{"log_history": [', "no whole JSON"),
        ("epoch,loss\n1,2\n", "no whole JSON"),
        ("[1, 2]", "no list log_history"),
        ('{"log_history": {"a": 1}}', "no list log_history"),
        ('{"log_history": [1, 2]}', "no list log_history"),
        ('{"log_history": []}', "has logged nothing yet"),
        ("[" * 100_000, "no whole JSON"),
        ('{"log_history": [{"a": 1' + "0" * 5000 + "}]}", "no whole JSON"),
    ],
)
def test_a_state_that_cannot_be_read_is_refused_alone_and_left_out_beside_others(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = tmp_path / "bad" / "trainer_state.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path)
    assert "Hugging Face" in str(caught.value) and "bad" in str(caught.value)
    save(tmp_path / "good" / "trainer_state.json", [{"step": 1, "loss": 1.0}])
    (run,) = read(tmp_path)
    assert len(run.notes) == 1 and expected in run.notes[0]


@pytest.mark.parametrize("epoch", ["soon", None, [], math.nan, math.inf, 10**400])
def test_an_epoch_that_is_none(tmp_path: Path, epoch: Any) -> None:
    save(
        tmp_path / "trainer_state.json", [{"step": 1, "eval_loss": 1.0, "epoch": epoch}], global_step="x", max_steps=[]
    )
    (run,) = read(tmp_path)
    assert run.axis in ("step", "epoch") and run.columns["eval_loss"].to_pylist() == [1]


def test_files_that_are_none_of_its(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").mkdir()
    assert not reader.sniff(tmp_path / "trainer_state.json") and not reader.sniff(tmp_path / "state.json")

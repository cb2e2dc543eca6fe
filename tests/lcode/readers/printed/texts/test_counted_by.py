"""Texts that tell an epoch and a step in each line are read by the one by which they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs


def _rows(epochs: int, planned: str, *, evaluated: int = 100) -> str:
    text = ""
    for step in range(25, 200 * epochs + 1, 25):
        at = f"Epoch {(step - 1) // 200 + 1}{planned} | Step {step} |"
        text += f"{at} train loss {9 + 1 / step:.5f}\n"
        text += f"{at} val acc {1 - 1 / step:.5f}\n" if step % evaluated == 0 else ""
    return text


@pytest.mark.parametrize(("epochs", "planned", "horizon"), [(5, "", 1000), (5, "/5", 1000), (3, "/10", 2000)])
def test_steps_count_where_nothing_is_told_once_per_epoch(
    tmp_path: Path, epochs: int, planned: str, horizon: int
) -> None:
    (tmp_path / "run.log").write_text(_rows(epochs, planned))
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [*range(100, 200 * epochs + 1, 100)]
    assert table.runs["horizon"].tolist() == [horizon]
    assert table.runs["status"].tolist() == ["running" if horizon > 200 * epochs else "finished"]


def test_a_first_epoch_is_counted_as_those_that_follow(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(1, "/10", evaluated=50))
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [50, 100, 150, 200]
    assert table.runs["horizon"].tolist() == [2000] and table.runs["status"].tolist() == ["running"]


def test_epochs_count_where_held_out_data_are_measured_once_in_each(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(5, "", evaluated=200))
    assert list(read_logs(tmp_path / "run.log").points["epoch"]) == [1, 2, 3, 4, 5]


def test_steps_of_each_of_several_trainings_count(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(_rows(4, "") + _rows(5, ""))
    table = read_logs(tmp_path / "run.log")
    assert len(table.runs) == 2 and table.points["epoch"].max() == 1000


def _in_all(epochs: int, planned: int) -> str:
    return "".join(
        f"[TRAIN] epoch: {e}, iter: {60 * e - 60 + s}/{planned}, loss: {3 / e + 1 / s:.4f}\n"
        + (f"[EVAL] mIoU: 0.{e}5\n" if s == 60 else "")
        for e in range(1, epochs + 1)
        for s in (20, 40, 60)
    )


@pytest.mark.parametrize(("planned", "horizon"), [(480, 8), (450, 8), (240, 4)])
def test_planned_steps_say_how_many_epochs_there_are(tmp_path: Path, planned: int, horizon: int) -> None:
    (tmp_path / "run.log").write_text(_in_all(4, planned))
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [1, 2, 3, 4] and table.runs["horizon"].tolist() == [horizon]


def test_steps_of_an_epoch_say_nothing_of_it(tmp_path: Path) -> None:
    text = "".join(
        f"[TRAIN] epoch: {e}, iter: {s}/70, loss: {3 / e + 1 / s:.4f}\n" + (f"[EVAL] mIoU: 0.{e}5\n" if s == 60 else "")
        for e in range(1, 5)
        for s in (20, 40, 60)
    )
    (tmp_path / "run.log").write_text(text)
    assert read_logs(tmp_path / "run.log").runs["horizon"].tolist() == [4]


@pytest.mark.parametrize("checkpoints", [8, 5])
def test_several_evaluations_in_each_of_few_epochs_are_kept(tmp_path: Path, checkpoints: int) -> None:
    rows = (
        f"{n}\tbleu-val=0.{n}1\tepoch={(n - 1) // 3}\tlearning-rate=0.001\tperplexity-train={90 / n:.3f}\n"
        for n in range(1, checkpoints + 1)
    )
    (tmp_path / "metrics").write_text("".join(rows))
    assert list(read_logs(tmp_path).points["epoch"]) == [*range(1, checkpoints + 1)]


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("[step {i}] loss {v} val_acc {v} (global_step={n})", 11),
        ("Iteration {n}, num_timesteps: {n}000, reward_mean: {v}", 11000),
        ("step {n}/20 iter {n}0 loss {v} val_loss {v}", 110),
    ],
)
def test_of_two_counters_of_steps_the_last_counts(tmp_path: Path, line: str, end: int) -> None:
    text = "".join(line.format(i=n % 10, n=n, v=round(0.9 - n / 20, 3)) + "\n" for n in range(1, 12))
    (tmp_path / "run.log").write_text(text)
    table = read_logs(tmp_path / "run.log")
    assert len(table.runs) == 1 and table.points["epoch"].max() == end and table.runs["horizon"].tolist() == [end]


def test_three_epochs_of_those_that_are_planned_stay_epochs(tmp_path: Path) -> None:
    text = "Namespace(epochs=20, lr=0.1)\n"
    for n in range(1, 13):
        e = (n + 3) // 4
        text += f"Epoch {e} step {n} loss {1 / n:.4f}\n" + (f"Epoch {e} val accuracy 0.{e}\n" if n % 4 == 0 else "")
    (tmp_path / "run.log").write_text(text)
    table = read_logs(tmp_path / "run.log")
    assert list(table.points["epoch"]) == [1, 2, 3] and table.runs["horizon"].tolist() == [20]


def test_a_first_validation_in_a_second_epoch_leaves_epochs_to_count(tmp_path: Path) -> None:
    text = "".join(
        f"Epoch {e}, step {60 * e - 60 + s}, train loss: {3 / e + 1 / s:.4f}\n"
        + (f"Epoch {e}, val loss: 0.{9 - e}\n" if s == 60 else "")
        for e, s in ((1, 20), (1, 40), (1, 60), (2, 20), (2, 40))
    )
    (tmp_path / "run.log").write_text(text)
    assert list(read_logs(tmp_path / "run.log").points["epoch"]) == [1, 2]

"""Trainings of few epochs of which nothing is told but within them are counted by steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers.read import read_logs

AT = (0, 25, 50, 75, 100, 125, 150, 175)


@pytest.mark.parametrize(
    ("line", "first", "last", "horizon"),
    [
        ("Epoch {e}/2, step {s}/200, loss = {v}", 0, 375, 375),
        ("Epoch [{e}][{s}/200]\tLoss {v} ({v})", 0, 375, 375),
        ("epoch: {e}, {s}/200 5.5%, 0.7s per iter, lr: 0.0001\n    recon loss: {v}  ppl: 9.1", 0, 375, 375),
    ],
)
def test_steps_count_through_two_epochs(tmp_path: Path, line: str, first: int, last: int, horizon: int) -> None:
    rows = [line.format(e=e, s=s, v=round(1 / (e + s / 200), 4)) for e in (1, 2) for s in AT]
    (tmp_path / "run.log").write_text("\n".join(rows) + "\n")
    table = read_logs(tmp_path / "run.log")
    epochs = table.points["epoch"].unique()
    assert (epochs.min(), epochs.max(), len(epochs)) == (first, last, 16)
    assert table.runs["horizon"].iloc[0] == horizon and table.runs["status"].iloc[0] == "finished"


def test_epochs_count_where_something_is_told_of_each(tmp_path: Path) -> None:
    rows = [
        "\n".join([*(f"Epoch {e}/3, step {s}/200, loss = 0.{9 - e}{s:03d}" for s in AT), f"Epoch {e}/3 val acc: 0.{e}"])
        for e in (1, 2, 3)
    ]
    (tmp_path / "run.log").write_text("\n".join(rows) + "\n")
    assert list(read_logs(tmp_path / "run.log").points["epoch"]) == [1, 2, 3]


@pytest.mark.parametrize("planned", ["/9", ""])
def test_a_run_that_has_begun_is_read_beside_those_that_have_finished(tmp_path: Path, planned: str) -> None:
    for name, last in (("done", 9), ("begun", 2)):
        rows = [
            f"Epoch {e}{planned}, step {s}/200, loss = {1 / (e + s / 200 + last / 100):.4f}"
            for e in range(1, last + 1)
            for s in AT
        ]
        (tmp_path / f"{name}.log").write_text("\n".join(rows) + "\n")
    runs = read_logs(tmp_path).runs
    assert dict(runs["status"]) == {"done": "finished", "begun": "running"} and list(runs["horizon"]) == [9, 9]


@pytest.mark.parametrize("line", ["epoch 0, step {s}/900: val loss {v}", "[step={s}/900,epoch=0] val/loss={v}"])
def test_steps_of_a_lone_epoch_end_where_the_line_says(tmp_path: Path, line: str) -> None:
    (tmp_path / "run.log").write_text("".join(line.format(s=s, v=round(1 / s, 4)) + "\n" for s in range(10, 90, 10)))
    table = read_logs(tmp_path / "run.log")
    assert table.runs["horizon"].tolist() == [900] and table.runs["status"].tolist() == ["running"]
    assert not any("no horizon" in note for note in table.notes)

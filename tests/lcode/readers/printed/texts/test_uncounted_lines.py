"""Printed values that no line counts: lines, blocks, lists and rows of numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

LOSSES = (0.9, 0.7, 0.6, 0.5, 0.4)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("".join(f"Data Loss = {v}\nMax displacement = 1.5\n" for v in LOSSES), "Data_Loss min"),
        ("epoch: 1.0, lr: 0.1\n" + "".join(f"loss: {v}, tick: 3\n" for v in LOSSES), "loss min"),
        ("".join(f"Train Loss: 9.5 Validate Loss {v}\n" for v in LOSSES) + "line 7, in forward\n", "Validate_Loss min"),
        (f"train_loss = [9, 9, 9, 9, 9]\nval_loss_log: {list(LOSSES)}\n", "val_loss min"),
        (f"loss_list: [{', '.join(f'tensor({v}, grad_fn=<MeanBackward0>)' for v in LOSSES)}]", "loss min"),
        ("".join(f"train\n{100 * e} tensor({v}, device='cuda:0')\n" for e, v in enumerate(LOSSES)), "loss min"),
        ("".join(f"INFO:root:({e}, 'model{e}.ckpt', 0.001, {v})\n" for e, v in enumerate(LOSSES)), "loss min"),
        ("".join(f"{e}:\t{v}\n" for e, v in enumerate(LOSSES)), "loss min"),
        ("".join(f"{e}, {v}, {1 - v}\n" for e, v in enumerate(LOSSES)), "loss min"),
        ("".join(f"1,{v}\n" for v in LOSSES), "loss min"),
    ],
)
def test_they_are_counted_in_the_order_in_which_they_were_printed(
    tmp_path: Path, text: str, key: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "loss_log.txt" if text.startswith("1,") else tmp_path / "train_log.txt"
    log.write_text(text)
    told = {name.partition(" ")[2].removeprefix("train/"): values for name, values in scored(log).items()}
    assert told[key] == list(LOSSES)
    if key == "loss min" and ", " in text[:4]:
        assert told["score max"] == [1 - v for v in LOSSES]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"subject {n} done, valid_acc: 1.0 valid_loss: {v}\n" for n, v in enumerate(LOSSES)),  # of several
        "".join(f"{v}, {-100 * v}\n" for v in LOSSES),  # two curves, and nothing counts
        "".join(f"{e}, {v}, {50 + (-1) ** e}\n" for e, v in enumerate(LOSSES)),  # a curve that goes no way
        "steps: (1, 2)\nlabels: [0, 1, 2]\nloss_weights: [1.0, 0.5, 0.5]\n" + "name: some words of settings\n" * 9,
    ],
)
def test_what_may_be_anything_is_refused(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text(text)
    with pytest.raises(InputError):
        read_logs(log)


def _dated(minutes: list[int]) -> str:
    times = [f"2031-02-03 {at // 60:02}:{at % 60:02}:09,123" for at in minutes]
    return "".join(f"{time} - precision: 0.{n + 1}, fscore: 0.{n + 2} ||\n" for n, time in enumerate(times))


def test_scores_that_are_told_at_even_times_are_of_one_training(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "wdec.log"
    end = "2031-02-03 02:50:10 - best epoch: 5 F1 = 0.7\n2031-02-03 02:50:11 - precision: 0.9, fscore: 0.9 ||\n"
    log.write_text("2031-02-03 02:00:00 - wdec\n" + _dated([120, 130, 141, 150, 160, 169]) + end)
    told = {name.partition(" ")[2]: values for name, values in scored(log).items()}
    assert told == {"precision max": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "fscore max": [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}
    log.write_text(_dated([120, 121, 122, 400, 800, 1000]))
    with pytest.raises(InputError):
        read_logs(log)


def test_of_lists_those_count_that_are_as_long_as_most(tmp_path: Path) -> None:
    log = tmp_path / "history.txt"
    log.write_text(str({"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 2.0], "lr": [0.1, 0.1, 0.1, 0.1]}))
    table = read_logs(log)
    assert [metric.key for metric in table.metrics] == ["val_loss"]
    assert any("left out, since not of 3 values: lr" in note for note in table.notes)

"""Texts that count epochs in two ways, and those that begin with an evaluation before the training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]


def _chat(epochs: int, planned: int, *, first: bool = True) -> str:
    text = f"***** Evaluating perplexity, Epoch 0/{planned} *****\nppl: 99.5\n" if first else ""
    for e in range(1, epochs + 1):
        text += f"Beginning of Epoch {e}/{planned}, Total Micro Batches 70\n"
        for step in (10, 20):
            text += f"[03:04] [INFO] [log_dist] [Rank 0] step={20 * e - 20 + step}, skipped=0, lr=[9e-06]\n"
            text += f"Epoch: {e - 1}, Step: {step}, Rank: 0, loss = {4 / e + 1 / step:.4f}\n"
        text += f"***** Evaluating perplexity, Epoch {e}/{planned} *****\nppl: {30 / e:.4f}\n"
    return text


@pytest.mark.parametrize("first", [True, False])
def test_batches_counted_from_0_are_of_the_epoch_that_was_begun(
    tmp_path: Path, read: Read, curve: Curve, first: bool
) -> None:
    table = read(tmp_path, "a.log", _chat(4, 7, first=first))
    told = [(float(e), round(30 / e, 4)) for e in range(1, 5)]
    assert curve(table, "ppl") == [(0, 99.5)] * first + told
    assert table.runs["horizon"].tolist() == [7] and table.runs["status"].tolist() == ["running"]
    assert not any("range()" in note or "no horizon" in note for note in table.notes)
    signals = table.signals[table.signals["metric"] == "train/loss"]
    assert signals["epoch"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("told", "planned"), [(8, 8), (9, 9)])
def test_an_evaluation_before_the_training_is_no_epoch_of_it(
    tmp_path: Path, read: Read, told: int, planned: int
) -> None:
    text = "".join(f"*** Evaluating, Epoch {e}/{planned} ***\nval_ppl: {50 / (e + 1):.3f}\n" for e in range(told + 1))
    table = read(tmp_path, "a.log", text)
    assert table.runs["horizon"].tolist() == [planned]
    assert table.runs["status"].tolist() == ["finished" if told == planned else "running"]


def test_a_training_that_counts_as_range_does_still_ends_before(tmp_path: Path, read: Read) -> None:
    text = "".join(f"Epoch {e}/8\ntrain_loss: {4 / (e + 1):.3f}\nval_loss: {5 / (e + 1):.3f}\n" for e in range(4))
    assert read(tmp_path, "a.log", text).runs["horizon"].tolist() == [7]


def test_heads_below_which_nothing_is_told_count_as_the_batches_do(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"Epoch {e + 1}/6\nTrain ...\nEpoch: [{e}][ 0/75]\tLoss 2.{e} (2.{e})\n"
        f"Epoch: [{e}][50/75]\tLoss 1.{e} (1.{e})\nResults for depth prediction\nrmse  0.{9 - e}\n"
        for e in range(4)
    )
    assert curve(read(tmp_path, "a.log", text), "rmse") == [(e, (9 - e) / 10) for e in range(4)]


@pytest.mark.parametrize(
    "line",
    [
        *("Epoch {e}/10 loss 0.5{e} test acc 0.6{e}", "Epoch {e}/10 loss 0.5{e} eval_loss 0.6{e}"),
        *("Epoch {e}/10 loss 0.5{e} validation f1 0.6{e}", "Epoch {e}/10 validation loss: 0.5{e}"),
        *("Test: Epoch {e}/10 acc 0.5{e}", "*** Evaluating, Epoch {e}/10 ***\nval_ppl: 9.{e}"),
    ],
)
def test_held_out_data_alone_tell_no_evaluation_before_the_training(tmp_path: Path, read: Read, line: str) -> None:
    table = read(tmp_path, "a.log", "".join(line.format(e=e) + "\n" for e in range(10)))
    assert table.runs["horizon"].tolist() == [9] and table.runs["status"].tolist() == ["finished"]

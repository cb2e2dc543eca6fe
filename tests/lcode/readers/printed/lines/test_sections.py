"""Lines that say of which data the ones below them are, and what is told below them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs
from lcode.table.table import RunTable

Read = Callable[[Path, str, str], RunTable]
Curve = Callable[[RunTable, str], list[tuple[float, float]]]

LOSSES = (0.9, 0.7, 0.6, 0.5)


def test_a_training_average_below_an_evaluation_is_none_of_its_values(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(
            f"Epoch {e} | Step 10/20 | Loss: 9.5\nEvaluation Results:\n   Loss: {v}\nEpoch {e} done | Avg Loss: 7.5\n"
            for e, v in enumerate(LOSSES)
        )
        + "Final evaluation...\nEvaluation Results:\n   Loss: 0.1\n"
    )
    assert scored(log) == {"run Loss min": list(LOSSES)}


def test_a_head_that_counts_says_of_which_data_too(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(
            f"**** EPOCH {e:03d} ****\n ---- batch: 010 ----\nmean loss: 9.5\nmean IoU:0.1\n"
            f"**** EVAL EPOCH {e:03d} START****\n ---- batch: 010 ----\nmean IoU:{v}\nacc:0.1  0.2 0.3  {v} \n"
            f"**** EVAL EPOCH {e:03d} END****\n"
            for e, v in enumerate(LOSSES)
        )
    )
    told = scored(log)
    assert told["run mean_IoU max"] == list(LOSSES) and told["run acc_3 max"] == list(LOSSES)
    assert set(read_logs(log).signals["metric"]) == {"train/mean_IoU", "train/mean_loss"}


def test_evaluations_that_nothing_counts_take_turns(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        "".join(
            f"2031-02-03 04:05:06,789 - train.log - INFO - evaluate:{split}\n"
            f"2031-02-03 04:05:06,789 - train.log - INFO - accuracy:  {at}0.00%; FB1:  {at}1.00\n\n"
            f"2031-02-03 04:05:06,789 - train.log - INFO -   ORG: precision:  1.00%; FB1:  99.00  297\n"
            for at in (1, 2, 3)
            for split in ("dev", "test")
        )
    )
    found = scored(log)
    assert found["train accuracy max"] == [10, 20, 30] and found["train FB1 max"] == [11, 21, 31]
    assert any("what was printed was counted" in note for note in read_logs(log).notes)


def test_evaluations_of_one_kind_and_parts_of_a_configuration_are_no_curve(tmp_path: Path) -> None:
    log = tmp_path / "eval.log"
    for text in (
        "Starting Eval...\nacc: 0.5\n" * 4,
        "".join(f"TRAIN:\n  BASE_{n}: 0.{n}\nTEST:\n  TOPK_{n}: {n}\n" for n in range(4)),
    ):
        log.write_text(text)
        with pytest.raises(InputError):
            read_logs(log)


def test_a_section_ends_where_a_later_step_is_counted(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(f"iter: {n}00 loss: 9.5\niter: {n}50 loss: 9.4\nStart validating\nmAP={n / 10}\n" for n in range(1, 5))
    )
    assert scored(log) == {"run mAP max": [0.1, 0.2, 0.3, 0.4]}


HEADS = (
    "Validating the model at the end of epoch {} on valid dataset......",
    "Start validation",
    "Run evaluation on dev",
)


@pytest.mark.parametrize("head", HEADS)
def test_sentences_say_of_which_data_is_told_below(tmp_path: Path, read: Read, curve: Curve, head: str) -> None:
    text = "".join(
        f"epoch: {e}/9, batch: 0/80, avg loss: {4 - e}.5\n{head.format(e)}\nCompleted, avg loss: {5 - e}.5.\n"
        f"epoch: {e}/9, batch: 40/80, avg loss: {3 - e}.5\n"
        for e in range(4)
    )
    table = read(tmp_path, "a.log", text)
    assert [value for _, value in curve(table, table.metrics[0].key)] == [5.5, 4.5, 3.5, 2.5]
    assert table.signals["value"].tolist()[0] in (3.5, 4.5)


def test_held_out_data_may_be_counted_from_0_and_the_training_from_1(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"epoch: {e}/9, batch: 0/80, loss: {4 - e}.5\nValidating at epoch {e - 1} on valid set\nDone, loss: {5 - e}.5\n"
        for e in range(1, 5)
    )
    table = read(tmp_path, "a.log", text)
    assert curve(table, "loss") == [(0, 4.5), (1, 3.5), (2, 2.5), (3, 1.5)] and len(table.runs) == 1


def test_what_is_told_before_the_line_of_its_step(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        (f"validation loss: {9 - at // 4}.5\n" if at % 4 == 0 else "")
        + f"step {at} | loss: {9 - at // 4}.1 | tok/sec: 9.5\n"
        for at in range(18)
    )
    table = read(tmp_path, "a.log", text)
    assert curve(table, table.metrics[0].key) == [(0, 9.5), (4, 8.5), (8, 7.5), (12, 6.5), (16, 5.5)]


def test_what_is_told_behind_steps_that_are_told_now_and_then(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "validation loss: 9.5\n"
    for at in range(0, 1001, 100):
        text += f"step {at} | loss: {9 - at // 200}.1\n"
        text += f"validation loss: {9 - at // 200}.5\n" if at and at % 200 == 0 else ""
    table = read(tmp_path, "a.log", text)
    key = table.metrics[0].key
    assert curve(table, key) == [(0, 9.5), (200, 8.5), (400, 7.5), (600, 6.5), (800, 5.5), (1000, 4.5)]


def test_a_star_behind_a_logger_sums_up_the_test_above_it(tmp_path: Path, read: Read, curve: Curve) -> None:
    at = "2031-02-03 04:05:06,789:INFO: "
    text = "".join(
        f"{at}Epoch: [{e}][0/8]\tLoss 9.5 (9.5)\n{at}Test: [0/2]\tADE 0.5 (0.5)\n{at} * ADE  {9 - e}.5\n"
        for e in range(1, 5)
    )
    assert curve(read(tmp_path, "a.log", text), "ADE") == [(1, 8.5), (2, 7.5), (3, 6.5), (4, 5.5)]


@pytest.mark.parametrize(
    "end", ["Start Testing...\n", "---- Evaluate model on test set ----\n", "Training is done.\n", "Final test\n"]
)
def test_what_is_tested_at_last_is_of_no_epoch(tmp_path: Path, read: Read, curve: Curve, end: str) -> None:
    text = "".join(
        f"Epoch: [{e}][0/8] Loss {9 - e}.5 Acc 0.{e}\nTest: [0/4] Loss {9 - e}.5 (0.5) Acc 0.{e} (0.1)\n * Acc 0.{e}5\n"
        for e in range(1, 5)
    )
    table = read(tmp_path, "a.log", text + end + "Test: [0/4] Loss 0.1 (0.1) Acc 0.9 (0.9)\n * Acc 0.99\n")
    assert curve(table, "Acc") == [(e, float(f"0.{e}5")) for e in range(1, 5)]


@pytest.mark.parametrize("first", [0, 1])
def test_reports_above_the_lines_that_count_are_of_the_counts_below(
    tmp_path: Path, read: Read, curve: Curve, first: int
) -> None:
    text = "".join(f"train acc: 0.5\nval acc: 0.{e}\nEpoch {e} is done in 9.5 s\n" for e in range(first, 6))
    assert curve(read(tmp_path, "a.log", text), "acc") == [(e, float(f"0.{e}")) for e in range(first, 6)]


def test_an_evaluation_before_the_training_leaves_the_others_where_they_are(
    tmp_path: Path, read: Read, curve: Curve
) -> None:
    text = "val acc: 0.01\n" + "".join(f"Epoch {e}\ntrain acc: 0.5\nval acc: 0.{e}\n" for e in range(1, 6))
    assert curve(read(tmp_path, "a.log", text), "acc") == [(e, float(f"0.{e}")) for e in range(1, 6)]


def test_what_wandb_sums_up_is_no_point(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"Epoch {e}: val_loss {9 - e}.5\n" for e in range(1, 5))
    end = "wandb: \nwandb: Run history:\nwandb: epoch ▁▃▅█\nwandb: \nwandb: Run summary:\nwandb:    epoch 4\n"
    table = read(tmp_path, "a.log", text + end + "wandb: val_loss 0.25\nwandb: best_val_loss 0.1\nwandb: \n")
    assert curve(table, "val_loss") == [(1, 8.5), (2, 7.5), (3, 6.5), (4, 5.5)] and len(table.metrics) == 1


def test_scores_of_classes_below_the_last_test_are_of_no_step(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(f"EPOCH {e} done: loss 9.5\nDEV : loss {9 - e}.5 - f1: 0.5\n" for e in range(1, 5))
    end = "Testing using best model ...\n" + "".join(f"{at}   precision: 0.5 - f1: 0.25\n" for at in range(3))
    table = read(tmp_path, "a.log", text + end)
    assert curve(table, "f1") == [(e, 0.5) for e in range(1, 5)] and not any(
        "precision" in m.key for m in table.metrics
    )
    assert "precision" not in " ".join(table.signals["metric"].astype(str).unique())


def test_a_batch_may_be_told_in_several_lines(tmp_path: Path, read: Read, curve: Curve) -> None:
    text = "".join(
        f"Epoch: [{e}][0/8]\tLoss 9.5 (9.5)\nTop1 0.1 (0.1)\tTop5 0.2 (0.2)\n"
        f"Test: [0/2]\tLoss 8.5 (8.5)\nTop1 0.{e} (0.{e})\tTop5 0.5 (0.5)\n * Top1 0.{e}5 Top5 0.6\n"
        for e in range(1, 5)
    )
    assert curve(read(tmp_path, "a.log", text), "Top1") == [(e, float(f"0.{e}5")) for e in range(1, 5)]


@pytest.mark.parametrize("data", ["val", "the test set"])
@pytest.mark.parametrize("ahead", [0.0, 0.1])
def test_a_count_may_stand_behind_the_values_below_a_head(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]], data: str, ahead: float
) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "".join(
            "".join(
                f"2031-02-03 04:05:06 (INFO): seg_mae: 9.{b}e+00, loss: 8.{b}e+00, lr: 1.00e-0{b}, "
                f"epoch: {e - ahead - 0.5 * (2 - b):.2e}, step: {100 * (2 * e + b):.2e}\n"
                for b in (1, 2)
            )
            + f"2031-02-03 04:05:06 (INFO): Evaluating on {data}.\n"
            f"2031-02-03 04:05:06 (INFO): seg_mae: {v}, loss: {v}, epoch: {e:.4f}\n"
            "2031-02-03 04:05:06 (INFO): Predicting.\n"
            for e, v in enumerate(LOSSES, start=1)
        )
    )
    assert [*scored(log).values()] == [list(LOSSES)] * 2
    assert {"train/seg_mae", "train/loss"} <= {*read_logs(log).signals["metric"]}


def test_a_head_with_nothing_below_it_names_no_training(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(f"loss: {v}, epoch: {e}\nEvaluating on val.\nSaved.\n" for e, v in enumerate(LOSSES)))
    assert scored(log) == {"run loss min": list(LOSSES)}


def test_what_folds_came_to_is_of_no_epoch(tmp_path: Path) -> None:
    log, scores = tmp_path / "train.log", (0.2, 0.3, 0.4, 0.5)
    text = ""
    for fold in range(2):
        text += f"========== fold: {fold} training ==========\n"
        text += "".join(f"Epoch {e} - loss: {1 - s}\nEpoch {e} - Score: {s}\n" for e, s in enumerate(scores, start=1))
        text += f"========== fold: {fold} result ==========\nScore: 0.9{fold}\n"
    log.write_text(text + "========== CV ==========\nScore: 0.99\n")
    points = read_logs(log).points
    told = points[points["metric"] == "Score"].groupby("run", observed=True)["value"].agg(list)
    assert list(told) == [[*scores], [*scores]]


def test_a_heading_that_comes_in_each_epoch_ends_none(tmp_path: Path) -> None:
    log, scores = tmp_path / "train.log", [0.2, 0.3, 0.4, 0.5]
    log.write_text("".join(f"Epoch {e}\n==== Overall ====\nval_acc: {s}\n" for e, s in enumerate(scores)))
    assert read_logs(log).points["value"].tolist() == scores

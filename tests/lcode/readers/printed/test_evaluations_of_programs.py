"""What programs print of evaluations in forms of their own: which data they are of, and at which count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lcode.readers.read import read_logs
from lcode.table.table import RunTable

VALUES = (0.25, 0.5, 0.625, 0.75)

Scored = Callable[[Path], dict[str, list[float]]]


def _signal(table: RunTable, name: str) -> list[float]:
    return table.signals[table.signals["metric"] == name]["value"].tolist()


def _read(path: Path, text: str) -> RunTable:
    path.write_text(text)
    return read_logs(path)


def test_iterations_of_one_epoch_are_steps(tmp_path: Path) -> None:
    """As DLRM counts them; what an evaluation came to is told in the line below its count."""
    text = ""
    for at, value in enumerate(VALUES, start=1):
        text += f"Finished training it {at * 500}/4000 of epoch 0, 8.10 ms/it, loss {value + 1}, accuracy 71.000 %\n"
        text += f"Testing at - {at * 500}/4000 of epoch 0,\n loss {2 - value}, accuracy {value * 100} %, best 90.0 %\n"
    table = _read(tmp_path / "dlrm.log", text)
    assert {metric.name for metric in table.metrics} == {"loss", "accuracy"}
    assert table.runs["horizon"].tolist() == [4000]
    points = table.points[table.points["metric"].str.contains("loss")]
    assert points["epoch"].tolist() == [500, 1000, 1500, 2000]
    assert points["value"].tolist() == [2 - value for value in VALUES]
    assert _signal(table, "train/loss") == [value + 1 for value in VALUES]


def test_what_an_estimator_keeps_was_evaluated(tmp_path: Path) -> None:
    for name, begins in (("first", True), ("last", False)):
        text = ""
        for at, value in enumerate(VALUES, start=1):
            said = [f"loss = {1 - value}", f"mean_iou = {value}"]
            said.insert(0 if begins else 1, f"global_step = {at * 300}")
            text += f"INFO:tensorflow:loss = 7.5, step = {at * 300 - 100} (4.1 sec)\n"
            text += f"INFO:tensorflow:Saving dict for global step {at * 300}: {', '.join(said)}\n"
        table = _read(tmp_path / f"{name}.log", text)
        assert [metric.key for metric in table.metrics] == ["loss", "mean_iou"]
        assert table.points["epoch"].tolist() == [300, 600, 900, 1200] * 2
        assert table.points["value"].tolist() == [*(1 - value for value in VALUES), *VALUES]


def test_parts_below_a_line_of_the_best_that_counts_on(tmp_path: Path, scored: Scored) -> None:
    text = ""
    for epoch, value in enumerate(VALUES):
        text += f"epoch: {epoch} valid: best auc: {value}\ntask 0, AUC {value}\ntask 1, AUC {value / 2}\n"
    text += f"epoch: {epoch} valid: best auc: 0.9\ntask 0, AUC 0.125\ntask 1, AUC 0.125\n"  # the same epoch again
    (tmp_path / "ple.log").write_text(text)
    assert scored(tmp_path / "ple.log") == {
        "ple task_0/AUC max": [*VALUES],
        "ple task_1/AUC max": [value / 2 for value in VALUES],
    }


def test_batches_with_a_loss_and_two_accuracies(tmp_path: Path) -> None:
    """As DARTS prints them, with the time before them and without."""
    for name, time in (("a", ""), ("b", "03/02 10:11:12 PM ")):
        text = ""
        for epoch, value in enumerate(VALUES):
            text += f"{time}epoch {epoch} lr 2.5e-02\n"
            for split in ("train", "valid"):
                for batch in ("000", "050", "100"):
                    text += f"{time}{split} {batch} {9 - value:e} {100 * value:f} {99.5:f}\n"
                text += f"{time}{split}_acc {100 * value:f}\n"
        table = _read(tmp_path / f"{name}.log", text)
        scores = {metric.key: table.points[table.points["metric"] == metric.key] for metric in table.metrics}
        assert scores.keys() >= {"valid_acc"} and "score" not in scores
        assert scores["valid_acc"]["value"].tolist() == [100 * value for value in VALUES]
        assert _signal(table, "train/loss") == [9 - value for value in VALUES]


def test_batches_of_cross_validation(tmp_path: Path) -> None:
    text = ""
    for epoch, value in enumerate(VALUES):
        text += f"2023-03-01 10:00:00,101 INFO Epoch {epoch} TRAIN info lr 0.002\n"
        for batch in (0, 100):
            losses = "loss {0} loss_att {0} loss_ctc {0}"
            text += f"2023-03-01 10:00:00,102 DEBUG TRAIN Batch {epoch}/{batch} {losses.format(90 - value)} lr 0.002\n"
        for batch in (0, 100):
            text += f"2023-03-01 10:00:01,103 DEBUG CV Batch {epoch}/{batch} {losses.format(50 - value)} rank 0\n"
        text += f"2023-03-01 10:00:02,104 INFO Epoch {epoch} CV info cv_loss {40 - value}\n"
    table = _read(tmp_path / "train.log", text)
    scores = {metric.name: table.points[table.points["metric"] == metric.key] for metric in table.metrics}
    assert scores["val_loss"]["value"].tolist() == [40 - value for value in VALUES]
    assert scores["loss_att"]["value"].tolist() == [50 - value for value in VALUES]
    assert _signal(table, "train/loss") == [90 - value for value in VALUES]


def test_a_line_for_each_head_behind_the_epoch(tmp_path: Path, scored: Scored) -> None:
    text = ""
    for epoch, value in enumerate(VALUES):
        for head, more in (("qm9", 0), ("Default", 1)):
            text += (
                f"2024-05-01 10:00:00.010 INFO: Epoch {epoch}: head: {head}, loss={value + more}, MAE_F= 9.50 meV / A\n"
            )
    (tmp_path / "mace.log").write_text(text)
    found = scored(tmp_path / "mace.log")
    assert found["mace qm9/loss min"] == [*VALUES]
    assert found["mace Default/loss min"] == [value + 1 for value in VALUES]


def test_losses_behind_their_data_and_epoch(tmp_path: Path) -> None:
    text = ""
    for epoch, value in enumerate(VALUES, start=1):
        text += f"TrainLoss Epoch {epoch} total {9 - value} out 0.5 grad {8 - value} saving\n"
        text += f"ValLoss Epoch {epoch} total {5 - value} out 0.25 grad {4 - value} saving model\n"
    table = _read(tmp_path / "run.log", text)
    values = {
        metric.key: table.points[table.points["metric"] == metric.key]["value"].tolist() for metric in table.metrics
    }
    assert values["total_loss"] == [5 - value for value in VALUES]
    assert values["grad/loss"] == [4 - value for value in VALUES]
    assert _signal(table, "train/total_loss") == [9 - value for value in VALUES]

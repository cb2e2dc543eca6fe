"""Small tables among printed lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LOSSES = (0.9, 0.7, 0.5)

DETECTRON = (
    "[01/01 d2.utils.events]: iter: {e}  total_loss: 9.5  lr: 0.1\n"
    "[01/01 d2.evaluation]: Evaluation results for bbox: \n|   AP   |  AP50  |\n|:------:|:------:|\n| {v} | 0.9 |\n"
    "[01/01 d2.evaluation]: Per-category bbox AP: \n| category | AP | category | AP |\n|:--|:--|:--|:--|\n"
    "| cat | 0.1 | dog | 0.2 |\n"
)
CLASSES = (
    "iter {e} loss: 9.5\n+-------+-----+\n| Class | IoU |\n+-------+-----+\n"
    "| road | 0.1 |\n| all | {v} |\n+-------+-----+\n"
)
SCOPE = (
    "iter {e} loss: 9.5\nSummary:\n+-------+-----+\n| Scope | mIoU |\n+-------+-----+\n"
    "| global | {v} |\n+-------+-----+\n"
)
ALLEN = (
    "2031-01-01 00:00:00 - INFO - allennlp.trainer - Epoch {e}/9\nacc: 0.1, loss: 9.5 ||: 100%|####| 9/9\n"
    "2031-01-01 00:00:00 - INFO - allennlp.tensorboard -        Training |  Validation\n"
    "2031-01-01 00:00:00 - INFO - allennlp.tensorboard - acc | 0.1 | 0.7\n"
    "2031-01-01 00:00:00 - INFO - allennlp.tensorboard - loss | 9.5 | {v}\n"
    "2031-01-01 00:00:00 - INFO - allennlp.tensorboard - gpu_0_memory_MB | 3000.0 | N/A\n"
)
RICH = "Epoch {e}/9\n┏━━━━━━┳━━━━━┓\n┃ Metric ┃ Train ┃ Val ┃\n┡━━━━━━╇━━━━━┩\n│ loss │ 9.5 │ {v} │\n└──────┴─────┘\n"
LIGHTNING = (
    "Epoch {e}: train_loss 9.5\n────────\n     Validate metric      DataLoader 0\n────────\n"
    "   val_loss       {v}\n────────\n"
)
DATED = (
    "[2031-02-03 04:05:06] Epoch | Train Acc | Test Acc\n[2031-02-03 04:05:06] -----------\n"
    "[2031-02-03 04:05:06] {e} | 9.5% | {v}% (Best!)\n"
)


TASKS = (
    "epoch {e}/9 train loss 9.5\nValidation epoch {e}:\n| task | metric | value |\n|---|---|---|\n"
    "| seg | mIoU | {v} |\n| depth | rmse | 1.5 |\n"
)
TASK_ROWS = (
    "epoch {e}/9 train loss 9.5\n+------+------+------+\n| Task | mIoU | rmse |\n+------+------+------+\n"
    "| seg | {v} | - |\n| depth | - | 1.5 |\n+------+------+------+\n"
)


@pytest.mark.parametrize(
    ("block", "key"),
    [
        (TASKS, "seg/mIoU max"),
        (TASK_ROWS, "seg/mIoU max"),
        (DETECTRON, "bbox/AP max"),
        (CLASSES, "IoU max"),
        (SCOPE, "mIoU max"),
        (ALLEN, "loss min"),
        (RICH, "loss min"),
        (LIGHTNING, "val_loss min"),
        (DATED, "Acc max"),
    ],
)
def test_a_table_tells_what_lines_would(
    tmp_path: Path, block: str, key: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "run.log"
    log.write_text("".join(block.format(e=e, v=v) for e, v in enumerate(LOSSES, start=1)))
    told = scored(log)
    assert told[f"run {key}"] == list(LOSSES)
    assert not any(values in ([9.5] * 3, [0.1] * 3) for values in told.values())


def test_a_header_of_two_lines(tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    log = tmp_path / "matlab.txt"
    rows = "".join(f"|  {e} | {50 * e} | 00:00:0{e} | 9.5 | {v} |\n" for e, v in enumerate(LOSSES, start=1))
    log.write_text(
        "Training on single GPU.\n|=====|\n|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |\n"
        f"|         |             |   (hh:mm:ss)   |     Loss     |     Loss     |\n|=====|\n{rows}|=====|\n"
    )
    assert scored(log)["matlab Loss min"] == list(LOSSES)

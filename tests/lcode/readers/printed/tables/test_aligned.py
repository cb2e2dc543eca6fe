"""What YOLO and its kin print: numbers below a line with their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

V8 = """
      Epoch    GPU_mem   box_loss   cls_loss  Instances       Size
        {e}/3      2.3G      9.500      2.103         12        640:   0%|          | 0/10\r\
        {e}/3      2.3G      1.{e}00      2.103         12        640: 100%|##########| 10/10 [00:03<00:00,  3.1it/s]
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|####| 1/1 [00:00<00:00]
                   all        128        929       0.64      0.53      0.{e}      0.4
"""
V5 = """
     Epoch   gpu_mem       box       obj       cls    labels  img_size
       {e}/3     3.39G   0.0500   0.06861   0.02083       207       640: 100%|##########| 8/8 [00:04<00:00,  1.7it/s]
               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: 100%|####| 4/4 [00:02<00:00]
                 all        128        929      0.64      0.53      0.{e}      0.4
"""
END = """
3 epochs completed in 0.005 hours.
Validating runs/detect/train/weights/best.pt...
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|####| 1/1 [00:00<00:00]
                   all        128        929       0.99      0.99      0.99      0.99
"""


@pytest.mark.parametrize(("block", "name"), [(V8, "mAP50"), (V5, "mAP@.5")])
def test_the_epochs_of_yolo(
    tmp_path: Path, block: str, name: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(block.format(e=e) for e in (1, 2, 3)) + END)
    found = scored(log)
    assert found[f"train {name} max"] == [0.1, 0.2, 0.3]
    assert found["train precision max"] == [0.64] * 3 and found["train recall max"] == [0.53] * 3
    assert len(found) == 4  # nothing of the training, nothing of the machine


def test_an_evaluation_may_stand_below_the_header_of_the_next_epoch(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    head, row, classes, all_of_them = V5.strip("\n").split("\n")
    text = "".join(f"{row}\n{classes}\n{head}\n{all_of_them}\n".format(e=e) for e in (1, 2, 3))
    log = tmp_path / "train.log"
    log.write_text(f"Starting training for 3 epochs...\n\n{head}\n{text}")
    assert scored(log)["train mAP@.5 max"] == [0.1, 0.2, 0.3]


def test_a_line_with_its_own_names_is_no_header(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f"Epoch #{e}: val_loss=0.{9 - e}, time=0.28s, remaining=1.2min\n" for e in range(4)))
    assert scored(log) == {"train val_loss min": [0.9, 0.8, 0.7, 0.6]}


def test_a_logger_before_each_line_and_the_batches_of_an_epoch(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    at = "2031-02-03 04:05:06 [INFO]: "
    rows = "".join(
        f"{at}   Epoch       Batch       box      conf     total  nTargets      time\n"
        f"{at}    {e}/3       0/165    0.9126   0.90739     -11.9       198      8.75\n"
        f"{at}    {e}/3     160/165    0.0{e}26   0.00739     -1{e}.9       198      8.75\n"
        for e in range(4)
    )
    log = tmp_path / "train.log"
    log.write_text(rows)
    assert scored(log) == {
        "train box/loss min": [0.0026, 0.0126, 0.0226, 0.0326],
        "train conf/loss min": [0.00739] * 4,
        "train total_loss min": [-10.9, -11.9, -12.9, -13.9],
    }

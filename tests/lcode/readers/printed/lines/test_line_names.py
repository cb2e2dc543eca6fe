"""What numbers of printed lines are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("epoch {e} val_1d_iou={v} val_4d_iou=0.1", {"1d/iou max", "4d/iou max"}),
        ("epoch {e} | 1d_iou {v} | 4d_iou 0.1{e}", {"1d/iou max", "4d/iou max"}),
        ("Epoch {e}: val 15min_mae: {v}, val 30min_mae: 0.1{e}", {"15min/mae min", "30min/mae min"}),
        ("Epoch {e}: 25%_noise_acc={v} 50%_noise_acc=0.1{e}", {"25%_noise/acc max", "50%_noise/acc max"}),
        ("epoch {e}, 1-shot acc: {v}, 5-shot acc: 0.1{e}", {"1_shot/acc max", "5_shot/acc max"}),
        ("epoch {e}/90 acc: 0.1{e} 7_acc: {v}", {"acc max", "7_acc max"}),
        ("epoch {e} 2d_mAP={v} 3d_mAP=0.24", {"2d/mAP max", "3d/mAP max"}),
        ("epoch {e} Eval: 16_l2={v}, 32_l2=0.24", {"eval/16_l2 min", "eval/32_l2 min"}),
        # Units, durations and counts begin no name.
        ("epoch {e} 3s val_acc: {v} 15ms/step", {"val_acc max"}),
        ("epoch {e}, 1_000 samples, val_acc: {v}", {"val_acc max"}),
    ],
)
def test_a_name_may_begin_with_a_number(
    tmp_path: Path, line: str, keys: set[str], scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    values = [0.52, 0.61, 0.67, 0.71]
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(values, start=1)))
    found = {key.removeprefix("a "): told for key, told in scored(tmp_path / "a.log").items()}
    assert found.keys() == keys
    assert values in found.values()


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("epoch={e}_step={e}00_val_loss=0.8{e}_val_acc={v}", {"val_loss", "val_acc"}),
        ("epoch={e}_train_acc=51_val_acc={v}", {"val_acc"}),
        ("[epoch:{e}_iter:100_val_loss:{v}_val_acc:51_lr:0.1]", {"val_loss", "val_acc"}),
        ("Epoch {e} val_acc=5{e}%_val_loss={v}", {"val_acc", "val_loss"}),
        ("Epoch {e} val_loss={v} val_acc=51_best=51 val_miou=41", {"val_loss", "val_acc", "val_miou"}),
        ("epoch {e}/50 step 100: val_loss={v}, val_acc=51%_top1", {"val_loss", "val_acc"}),
        ("iter={e}00_of=500_loss={v}", {"loss"}),
        ("epoch {e}_train_loss: 1.0 {e}_val_loss: {v}", {"val_loss"}),
    ],
)
def test_a_number_behind_a_mark_or_a_counter_begins_no_name(tmp_path: Path, line: str, keys: set[str]) -> None:
    values = [0.52, 0.61, 0.67, 0.71]
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) + "\n" for e, v in enumerate(values, start=1)))
    points = read_logs(tmp_path / "a.log").points
    found = {str(key): told["value"].tolist() for key, told in points.groupby("metric")}
    assert found.keys() == keys
    assert values in found.values()

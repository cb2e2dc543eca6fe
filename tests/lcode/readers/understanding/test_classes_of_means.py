"""Curves of single classes beside their mean are no tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.readers import read_logs
from lcode.readers.choices import Choices
from lcode.readers.understanding.curves import settle_curves


@pytest.mark.parametrize(
    ("keys", "scored"),
    [
        ("loss miou iou_road iou_sky iou_train", "loss miou"),
        ("val/mIoU val/iou/road val/iou/train val/iou/sky", "val/mIoU"),
        ("mIoU IoU.road IoU.sky", "mIoU"),
        ("seg/mIoU seg/jaccards_all_categs_0 seg/jaccards_all_categs_1", "seg/mIoU"),
        ("mean_iou road_iou sky_iou", "mean_iou"),
        ("mAP AP_car AP_bus", "mAP"),
        ("mAP50 AP50_car AP50_bus", "mAP50"),
        ("bbox/AP bbox/AP-car bbox/AP-bus segm/AP segm/AP-car segm/AP-bus", "bbox/AP segm/AP"),
        ("bbox/AP bbox/AP-car bbox/AP50 bbox/APs", "bbox/AP bbox/AP-car bbox/AP50 bbox/APs"),
        ("seg_miou seg_iou_0 seg_iou_1 depth_abs_err", "seg_miou depth_abs_err"),
        ("dice_mean dice_liver dice_spleen", "dice_mean"),
        ("mAP AP_car AP_bus AP", "mAP AP"),
        ("iou_change iou_background", "iou_change iou_background"),
        ("iou iou_upper iou_lower iou_face", "iou iou_upper iou_lower iou_face"),  # parts, no bounds
        ("acc acc_p1 acc_p2", "acc acc_p1 acc_p2"),
        ("iou_road iou_sky", "iou_road iou_sky"),  # no mean of them
        ("val_miou iou_road iou_sky", "val_miou iou_road iou_sky"),  # one of other data
        ("mean_acc seg_acc parts_acc", "mean_acc seg_acc parts_acc"),  # tasks
        ("seg/miou parts/miou depth/rmse miou", "seg/miou parts/miou depth/rmse miou"),
        ("miou best_iou mean_iou_ema", "miou best_iou mean_iou_ema"),
        ("AP AP_small AP_large AP_50", "AP AP_small AP_large AP_50"),
    ],
)
def test_they_are_signals_where_the_mean_is_there(keys: str, scored: str) -> None:
    curves = settle_curves(keys.split(), Choices())
    assert " ".join(curves.scored) == scored
    assert set(curves.signals) == set(keys.split()) - set(scored.split())


def test_a_note_says_so_and_one_may_be_scored(tmp_path: Path) -> None:
    rows = "".join(f"{e},0.{e},0.{e}1,0.{e}2\n" for e in range(1, 5))
    (tmp_path / "a.csv").write_text("epoch,miou,iou_road,iou_sky\n" + rows)
    table = read_logs(tmp_path / "a.csv")
    assert [metric.key for metric in table.metrics] == ["miou"]
    assert any("'miou' is scored, and 2 curves of single classes (iou_road, iou_sky)" in note for note in table.notes)
    table = read_logs(tmp_path / "a.csv", directions={"iou_road": "max"})
    assert [metric.key for metric in table.metrics] == ["miou", "iou_road"]


def test_those_of_the_test_set_are_of_the_test_set() -> None:
    keys = [f"{split}_{name}" for split in ("val", "test") for name in ("miou", "iou_road", "iou_sky", "miou_std")]
    curves = settle_curves(keys, Choices())
    assert [*curves.scored] == ["val_miou"] and set(curves.signals) == set(keys[1:4])
    assert set(curves.left_out.values()) == {"test set"} and set(curves.left_out) == set(keys[4:])

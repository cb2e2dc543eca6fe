"""Numbers that belong to the names of metrics in printed lines, and those beside them that are values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Scored = Callable[[Path], dict[str, list[float]]]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Epoch {e}/20 val mAP 0.5: {a} val recall 10: {b}", ["val_mAP_0.5", "val_recall_10"]),
        ("Epoch {e}/20 | Hit 10: {a} | NDCG 10: {b}", ["Hit_10", "NDCG_10"]),
        ("epoch={e} Hits 1={a} Hits 10={b}", ["Hits_1", "Hits_10"]),
        ("Epoch {e}/20 HR 10 = {a}, NDCG 10 = {b}", ["HR_10", "NDCG_10"]),
        ("Epoch {e} AP 50: {a}, F1 score 2: {b}", ["AP_50", "F1_score_2"]),
        ("Epoch {e}\nHits @10: {a}\nR @ 20: {b}", ["Hits@10", "R@20"]),
        ("Epoch {e} | top 5 acc: {a} | top 1: {b}", ["top_5_acc", "top_1"]),
        ("epoch {e}: {{'P@1': {a}, 'Precision at 10': {b}}}", ["P@1", "Precision_at_10"]),
        ("iter: {e}00, {{'Angle 11.25': {a}, 'Angle 22.5': {b}}}", ["Angle_11.25", "Angle_22.5"]),
        ("Epoch {e}: sigma_1.25 {a}, sigma_1.25^2 {b}", ["sigma_1.25", "sigma_1.25^2"]),
        ("Epoch {e}: delta < 1.25: {a}, within 11.25 {b}", ["delta_<_1.25", "within_11.25"]),
        ("Epoch {e}: IoU 0.5: {a}, val/mIoU 0.75: {b}", ["IoU_0.5", "val/mIoU_0.75"]),
        ("Epoch {e}: sigma 1.25: {a}, sigma 1.25^2: {b}", ["sigma_1.25", "sigma_1.25^2"]),
        ("Epoch {e}: MRR 10: {a}, rouge 1: {b}", ["MRR_10", "rouge_1"]),
    ],
)
def test_a_number_before_the_mark_is_of_the_name(tmp_path: Path, scored: Scored, line: str, names: list[str]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{line}\n".format(e=e, a=0.3 + e / 50, b=0.2 + e / 50) for e in range(1, 6)))
    assert scored(log) == {
        f"one {name} max": [pytest.approx(start + e / 50) for e in range(1, 6)]
        for name, start in zip(names, (0.3, 0.2), strict=True)
    }


@pytest.mark.parametrize(
    "line",
    [
        "epoch {e}0: val loss {a}",
        "step {e}00: val loss {a}",
        "iter {e}0 val loss: {a}",
        "epoch {e} acc 0.5 val loss: {a}",
        "epoch {e} 12:30 val loss {a} [100/200]",
        "epoch {e} val loss {a} = 0.25 + 0.5",
        "epoch {e} val loss: {a} = 0.25 + 0.5",
    ],
)
def test_other_numbers_are_none_of_a_name(tmp_path: Path, scored: Scored, line: str) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{line}\n".format(e=e, a=2 / e) for e in range(1, 6)))
    losses = [values for name, values in scored(log).items() if name in ("one val_loss min", "one val/loss min")]
    assert losses == [[pytest.approx(2 / e) for e in range(1, 6)]]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("epoch {e} loss {c:.3f} = 0.500 (cls) + 0.550 (reg)", {"loss min"}),
        ("epoch {e} loss {c:.3f} = 0.5 cls + 0.5 reg", {"loss min"}),
        ("epoch {e} total loss {c:.3f} = 0.5 (recon) + 0.55 (kl)", {"total_loss min"}),
        ("epoch {e} acc {c:.3f} = 90/100", {"acc max"}),
        ("epoch {e} acc {c:.3f} : 90/100", {"acc max"}),
        ("epoch {e} recall {c:.3f} = 90/100", {"recall max"}),
        ("epoch {e} mAP {c:.3f} : 12s", {"mAP max"}),
        ("epoch {e} reward {c:.3f} : 20 steps", {"reward max"}),
        ("epoch {e} train loss {c:.3f} : 12s", {"train_loss min"}),
        ("epoch {e} rank 0: 0.5 loss {c:.3f}", {"loss min"}),
        ("epoch {e} lr 0.1: 0.5 loss {c:.3f}", {"loss min"}),
        ("epoch {e} threshold {a} loss {c:.3f}", {"loss min"}),
        ("epoch {e} loss {c:.3f} user {e}: 0.6", {"loss min"}),
        ("epoch {e} loss {c:.3f} user 3: 0.6 user 4: 0.5", {"loss min"}),
        ("epoch {e} loss x10^-2: {c:.3f}", {"loss_x10^-2 min"}),
    ],
)
def test_a_value_before_a_mark_stays_the_value(tmp_path: Path, scored: Scored, line: str, names: set[str]) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"{line}\n".format(e=e, a=e / 9, c=2 / e) for e in range(1, 6)))
    assert scored(log) == {f"one {name}": [round(2 / e, 3) for e in range(1, 6)] for name in names}


def test_the_value_of_a_sum_may_stay_the_same(tmp_path: Path, scored: Scored) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"epoch {e} loss 0.5 = {e / 10} (cls) + {0.5 - e / 10:.1f} (reg)\n" for e in range(1, 5)))
    assert scored(log) == {"one loss min": [0.5] * 4}


def test_numbered_losses(tmp_path: Path, scored: Scored) -> None:
    log = tmp_path / "one.log"
    log.write_text("".join(f"epoch {e} loss 1: {e / 4} loss 2: {e / 8}\n" for e in range(1, 6)))
    assert scored(log) == {f"one loss_{n} min": [e / 4 / n for e in range(1, 6)] for n in (1, 2)}

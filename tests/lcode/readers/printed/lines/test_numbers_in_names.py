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

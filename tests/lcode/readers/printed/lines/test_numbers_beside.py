"""Numbers in brackets behind a value: averages count, changes and deviations do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.printed.lines.numbers_beside import without_numbers_beside
from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]

VALUES = (0.91, 0.72, 0.63, 0.58)


@pytest.mark.parametrize(
    "line",
    [
        "step {e}00 eval_loss={v} (-0.0{e}) eval_bleu=2{e}.5 (+1.{e})\n",
        "Epoch {e} val loss: {v} (+0.0{e}00)\n",
        " > EPOCH: {e}/99\n  --> EVAL PERFORMANCE\n"
        "     | > avg_loader_time: 0.1{e} \x1b[0m(+0.00{e})\n     | > avg_loss:\x1b[92m {v} \x1b[0m(-0.0{e}21)\n",
        "Epoch {e}: val_loss: {v} (-0.0{e}90) val_acc: 0.5{e} (+0.0380)\n",
        "Epoch {e}: val_loss {v} (0.1{e}), val_auc 0.8{e} (0.0{e})\n",
        "epoch {e}\nvalid_loss: {v} (0.1{e}) valid_iou: 61.{e}% (4.{e}%)\n",
    ],
)
def test_a_change_or_a_deviation_is_no_value(tmp_path: Path, line: str, scored: Scored) -> None:
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(VALUES, start=1)))
    assert list(VALUES) in scored(tmp_path / "a.log").values()
    assert any("in brackets behind" in note for note in read_logs(tmp_path / "a.log").notes)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch: [{e}][90/91]\tval_loss 0.1{e} ({v})\tval_acc 90.{e} (88.{e})\n",
        "epoch {e} val_reward: 4.{e} ({v}) val_loss: -0.3 (-0.3{e})\n",  # of values with a sign averages have one
        "epoch {e} val_loss: +0.4{e} (+{v})\n",
        "epoch {e} val_loss: 2.5 ({v})\n",  # of a last, small batch; an average may lie so far from it by chance
        "Epoch {e}\n train_loss 0.5{e} (0.5{e})\n val_loss 1.89 ({v}) val_iou 0.9{e} (0.1{e})\n",
        "Episode {e}0 | reward: 9{e}.0 ({v}) | loss 0.89\n",
        "Iter {e}0 top1 8{e}.78 ({v}) top5 2.34 (0.6{e}) loss 0.5\n",
        "epoch {e} Detect: P(0.1{e}) R(0.2{e}) mAP@0.5({v}) mAP@0.5:0.95(0.1{e})\n",
    ],
)
def test_an_average_counts(tmp_path: Path, line: str, scored: Scored) -> None:
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(VALUES, start=1)))
    assert list(VALUES) in scored(tmp_path / "a.log").values()
    assert not any("in brackets behind" in note for note in read_logs(tmp_path / "a.log").notes)


@pytest.mark.parametrize(
    ("line", "averages"),
    [
        ("Episode {e}0 | reward: 9.{e} ({v}) | loss 0.89\n", (-5.0, -1.5, 4.5, 10.0)),
        ("epoch {e} D_loss: 0.3{e} ({v})\n", (0.3, 0.1, -0.05, -0.1)),
        ("epoch {e} test_elbo 2 ({v})\n", (-4.5, -4.1, -3.9, -3.2)),
        ("Step {e}00 reward {e}70 ({v})\n", (11.0, 21.5, 31.0, 41.0)),
        ("epoch {e} test accuracy: 5{e}00 ({v})\n", (0.51, 0.52, 0.53, 0.54)),
    ],
)
def test_an_average_may_fall_below_zero_or_lag_behind(
    tmp_path: Path, line: str, averages: tuple[float, ...], scored: Scored
) -> None:
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(averages, start=1)))
    assert list(averages) in scored(tmp_path / "a.log").values()


def test_what_begins_the_next_line_stands_behind_no_value() -> None:
    text = "".join(f"({fold}) Epoch 1 val_acc: 0.5{fold}\n({fold}) Epoch 2 val_acc: 0.6{fold}\n" for fold in range(4))
    assert without_numbers_beside(text) == (text, "")

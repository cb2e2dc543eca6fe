"""Numbers in brackets behind a value: averages count, changes and deviations do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lcode.readers.read import read_logs

Scored = Callable[[Path], dict[str, list[float]]]

VALUES = (0.91, 0.72, 0.63, 0.58)


@pytest.mark.parametrize(
    "line",
    [
        "step {e}00 eval_loss={v} (-0.0{e}) eval_bleu=2{e}.5 (+1.{e})\n",
        "Epoch {e} val loss: {v} (+0.0{e}00)\n",
        " > EPOCH: {e}/99\n  --> EVAL PERFORMANCE\n     | > avg_loss:\x1b[92m {v} \x1b[0m(-0.0{e}21)\n",
        "Epoch {e}: val_loss {v} (0.1{e}), val_auc 0.8{e} (0.0{e})\n",
        "epoch {e}\ntrain_loss 0.5{e} (0.5{e})\nvalid_loss: {v} (0.1{e}) valid_iou: 61.{e}% (4.{e}%)\n",
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
        "epoch {e} Detect: P(0.1{e}) R(0.2{e}) mAP@0.5({v}) mAP@0.5:0.95(0.1{e})\n",
    ],
)
def test_an_average_counts(tmp_path: Path, line: str, scored: Scored) -> None:
    (tmp_path / "a.log").write_text("".join(line.format(e=e, v=v) for e, v in enumerate(VALUES, start=1)))
    assert list(VALUES) in scored(tmp_path / "a.log").values()
    assert not any("in brackets behind" in note for note in read_logs(tmp_path / "a.log").notes)

"""Lines of numbered parts, and the data that they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

VALUES = (0.25, 0.5, 0.625, 0.75)

Scored = Callable[[Path], dict[str, list[float]]]


def test_parts_below_a_line_of_held_out_data_are_of_these_too(tmp_path: Path, scored: Scored) -> None:
    text = ""
    for epoch, value in enumerate(VALUES):
        text += f"epoch: {epoch} train loss: {1 - value}\nepoch: {epoch} test: mean auc: {value}\n"
        text += f"task 0, AUC {value}, Log-loss {1 - value}\ntask 1, AUC {value / 2}, Log-loss {2 - value}\n"
    text += "test: best auc: 0.9\ntask 0, AUC 0.125, Log-loss 0.125\ntask 1, AUC 0.125, Log-loss 0.125\n"
    (tmp_path / "one.log").write_text(text)
    assert scored(tmp_path / "one.log") == {
        "one mean_auc max": [*VALUES],
        "one task_0/AUC max": [*VALUES],
        "one task_0/Log-loss min": [1 - value for value in VALUES],
        "one task_1/AUC max": [value / 2 for value in VALUES],
        "one task_1/Log-loss min": [2 - value for value in VALUES],
    }


def test_data_before_the_first_of_several_in_a_line(tmp_path: Path, scored: Scored) -> None:
    lines = (f"Epoch [{e}/4] train loss: 9.5\nvalid task 0 auc {v} task 1 auc {v / 2}\n" for e, v in enumerate(VALUES))
    (tmp_path / "one.log").write_text("".join(lines))
    assert scored(tmp_path / "one.log") == {
        "one task_0/auc max": [*VALUES],
        "one task_1/auc max": [value / 2 for value in VALUES],
    }

"""What numbers of printed lines are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("epoch {e} val_1d_iou={v} val_4d_iou=0.1", {"1d/iou max", "4d/iou max"}),
        ("epoch {e} | 1d_iou {v} | 4d_iou 0.1{e}", {"1d/iou max", "4d/iou max"}),
        ("Epoch {e}: val 15min_mae: {v}, val 30min_mae: 0.1{e}", {"15min/mae min", "30min/mae min"}),
        ("Epoch {e}: 25%_noise_acc={v} 50%_noise_acc=0.1{e}", {"25%_noise/acc max", "50%_noise/acc max"}),
        ("epoch {e}, 1-shot acc: {v}, 5-shot acc: 0.1{e}", {"1_shot/acc max", "5_shot/acc max"}),
        ("epoch {e}/90 acc: 0.1{e} 7_acc: {v}", {"acc max", "7_acc max"}),
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

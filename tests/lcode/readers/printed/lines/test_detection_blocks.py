"""KITTI's blocks: each class, kind of box and difficulty by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

VALUES = (25.0, 50.0, 62.5)


def test_each_class_kind_and_difficulty_by_itself(
    tmp_path: Path, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    text = ""
    for epoch, value in enumerate(VALUES, start=1):
        text += f"2023-05-01 10:00:00,120   INFO  *** Performance of EPOCH {epoch} ***\n2023-05-01 10:00:01,1  INFO  "
        for name, more, overlap in (("Car", 1, "0.70"), ("Car", 2, "0.50"), ("Van", 3, "0.50")):
            overlaps = f"{'0.70' if name == 'Car' else '0.50'}, {overlap}, {overlap}"
            for kind in ("", "_R40"):
                at = value + more + (10 if kind else 0)
                text += f"{name} AP{kind}@{overlaps}:\n"
                text += f"bbox AP:{at}, {at - 5}, {at - 10}\n3d   AP:{at / 2}, {at / 4}, {at / 8}\n"
    (tmp_path / "eval.log").write_text(text)
    found = scored(tmp_path / "eval.log")
    assert len(found) == 3 * 2 * 2 * 3
    assert found["eval Car/AP_bbox_easy max"] == [value + 1 for value in VALUES]
    assert found["eval Car/AP_3d_moderate max"] == [(value + 1) / 4 for value in VALUES]
    assert found["eval Car/AP_3d_R40_hard@0.50 max"] == [(value + 12) / 8 for value in VALUES]
    assert found["eval Van/AP_bbox_R40_hard max"] == [value + 3 for value in VALUES]

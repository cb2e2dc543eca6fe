"""COCO's evaluation of several kinds, of which only the line above each block says which it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALUES = (0.11, 0.23, 0.31)
AP = " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {v}\n"
SMALL = " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.0{e}\n"


@pytest.mark.parametrize("head", ["IoU metric: {k}\n", "Running: annotation type *{k}*\nDONE\n", "Evaluating {k}...\n"])
def test_each_kind_has_its_own(tmp_path: Path, head: str, scored: Callable[[Path], dict[str, list[float]]]) -> None:
    other = head.format(k="keypoints") + AP.format(v="0.5") + SMALL
    block = "Epoch: [{e}]  loss: 0.9\n" + head.format(k="bbox") + AP + SMALL + other
    (tmp_path / "one.log").write_text("".join(block.format(e=e, v=v) for e, v in enumerate(VALUES)))
    found = scored(tmp_path / "one.log")
    assert found["one bbox/AP max"] == [*VALUES]
    assert found["one keypoints/AP max"] == [0.5] * 3


@pytest.mark.parametrize(
    "head",
    [
        "IoU metric: segm\n",
        "Evaluating masks\nRunning per image evaluation...\nEvaluate annotation type *segm*\n",
        "Evaluating bboxes with COCO\nIoU metric: bbox\n",
        "Evaluating keypoint results\nEvaluate annotation type *keypoints*\n",
    ],
)
def test_one_kind_alone_keeps_its_names(
    tmp_path: Path, head: str, scored: Callable[[Path], dict[str, list[float]]]
) -> None:
    block = "Epoch: [{e}]  loss: 0.9\n" + head + AP
    (tmp_path / "one.log").write_text("".join(block.format(e=e, v=v) for e, v in enumerate(VALUES)))
    assert scored(tmp_path / "one.log") == {"one AP max": [*VALUES]}

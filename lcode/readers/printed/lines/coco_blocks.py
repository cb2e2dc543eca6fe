"""COCO's evaluation of boxes, masks and keypoints, one below the other: only a line above each says of which it is.

IoU metric: bbox
 Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.294
IoU metric: segm
 Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.261
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.form_parts import COCO, of_coco

_KIND = re.compile(
    r"IoU metric: *(?P<said>[a-z]\w*)\s*$|\bannotation type \*(?P<type>[a-z]\w*)\*|"
    r"\bevaluating (?P<doing>(?:bbox|segm|mask|keypoint|proposal|panoptic)\w*)",
    re.IGNORECASE,
)
"""The line above: of torchvision and DETR, of `pycocotools` itself, of MMDetection."""

_ALSO = {
    "bboxes": "bbox",
    "box": "bbox",
    "boxes": "bbox",
    "mask": "segm",
    "masks": "segm",
    "segmentation": "segm",
    "keypoint": "keypoints",
}
"""Other words for a kind."""

_LONGEST = 200
"""Characters of such a line at most."""


def with_kinds_of_boxes(lines: Sequence[str]) -> list[str]:
    """The lines, those of COCO's evaluation as `val/bbox/AP: 0.294`, where it is of several kinds."""
    kinds = [_kind(line) for line in lines]
    if len({*kinds} - {""}) < 2:
        return [*lines]
    told, above = [], ""
    for line, kind in zip(lines, kinds, strict=True):
        above = kind or above
        found = COCO.search(line) if above and not kind else None
        if found is None:
            told.append(line)
        else:
            name = of_coco(found).replace("/", f"/{above}/")
            told.append(f"{line[: found.start()]}{name}{line[found.end() :]}")
    return told


def _kind(line: str) -> str:
    """What a line says that the block below it is of; empty where it says nothing."""
    found = _KIND.search(line) if len(line) <= _LONGEST else None
    said = "" if found is None else (found["said"] or found["type"] or found["doing"]).lower()
    return _ALSO.get(said, said)

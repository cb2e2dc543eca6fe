"""Curves of single classes beside their mean: `iou_road`, `iou_sky` and 17 more beside `miou`, `AP-car` beside `mAP`.

All of them would be scored, so that the mean, which is what papers print, would count as one of twenty. A mean over
tasks, such as an `acc` of all of them, is none of these: a mean IoU, AP or Dice is one over classes by what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from lcode.readers.understanding.curve_names import NO_TASK, split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import NEUTRAL

_MEASURE = re.compile(r"iou|ap\d*|dice|jaccard|pq")
"""What is measured of each class; `AP50` is so too."""

_SYNONYMS = {"jaccard": "iou", "jaccards": "iou", "ious": "iou"}
"""The Jaccard index is the intersection over union: `jaccards_all_categs` stand beside an `mIoU`."""

_BETWEEN = r"[_.\-/ ()\[\]]+"
"""What stands between the words of a name."""

_MEANS = frozenset(("mean", "avg", "average", "macro", "m"))

_SIZES = frozenset(("s", "m", "l", "small", "medium", "large"))
"""Words behind an AP that are no classes, as numbers are none: COCO measures objects of each size."""

FEWEST = 2
"""Curves of classes at least: one may be of anything."""


def classes_of_means(keys: Iterable[str]) -> dict[str, str]:
    """The curves that are of one class each, where their mean is there on the same data: each with its mean."""
    keys = list(keys)
    means: dict[tuple[str, tuple[str, ...], str], str] = {}
    for key in sorted(keys, key=lambda key: _words(key)[1][-1:] == ("ap",)):  # a bare AP only where there is no mAP
        if (mean := _mean(key)) is not None:
            means.setdefault(mean, key)
    classes: dict[str, list[str]] = {}
    for key in keys if means else ():
        of = next((means[one] for one in _of_class(key) if one in means), None)
        if of is not None:
            classes.setdefault(of, []).append(key)
    found = {key: mean for mean, members in classes.items() if len(members) >= FEWEST for key in members}
    stems = {_stem(key): mean for key, mean in found.items() if _MEASURE.fullmatch(re.split(_BETWEEN, _stem(key))[-1])}
    trains = [key for key in keys if key not in found and key.lower().endswith("train")]
    return found | {key: stems[_stem(key)] for key in trains if _stem(key) in stems}


def _stem(key: str) -> str:
    """A name in lower case without its last word: `iou` of `iou_truck`, and of `iou_train`, which is of trains then."""
    return re.sub(rf"{_BETWEEN}[^_.\-/ ]+$", "", key.lower())


@lru_cache(maxsize=1 << 16)
def _words(key: str) -> tuple[str, tuple[str, ...]]:
    """On which data a curve was measured, and the words of its name in lower case."""
    split, bare = split_name(key)
    words = [_SYNONYMS.get(word, word) for word in re.split(_BETWEEN, bare.lower())]
    return split, tuple(word for word in words if word not in ("", "class", "classes", "per"))


def _mean(key: str) -> tuple[str, tuple[str, ...], str] | None:
    """Of which data, task and measure a curve is the mean; None where it is none of these."""
    split, words = _words(key)
    if not words:
        return None
    *before, last = words
    for mark in ("mean", "m", "avg"):
        measure = last.removeprefix(mark)
        if measure != last and _MEASURE.fullmatch(measure):
            return split, tuple(before), measure
    if _MEASURE.fullmatch(last) and before and before[-1] in _MEANS:
        return split, tuple(before[:-1]), last
    if last in _MEANS and before and _MEASURE.fullmatch(before[-1]):
        return split, tuple(before[:-1]), before[-1]
    return (split, tuple(before), last) if last == "ap" else None  # COCO's AP is a mean


def _of_class(key: str) -> Iterable[tuple[str, tuple[str, ...], str]]:
    """The means that a curve may be one class of: of its data, measure, and of what stands before both."""
    split, words = _words(key)
    places = [at for at, word in enumerate(words) if _MEASURE.fullmatch(word)]
    facts = known_metric(key)
    if len(places) != 1 or facts is None or facts.direction != "max":
        return
    (at,) = places
    measure = words[at]
    if at + 1 < len(words):
        named, tasks = words[at + 1 :], [words[:at]]
    else:
        named, tasks = words[:at], [words[:cut] for cut in range(at)]
    of_size = measure.startswith("ap") and all(word in _SIZES or word[0].isdigit() for word in named)
    if not named or of_size or all(word in NEUTRAL or word in NO_TASK for word in named):
        return
    for task in tasks:
        yield split, tuple(task), measure

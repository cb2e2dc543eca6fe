"""The embedded problem: two overlapping hand-written digits. It needs no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mtl_runs.problems.base import Problem, Split, Task

CANVAS = 11
"""Side of the picture; the digits are 8×8 and sit in opposite corners, so 5×5 pixels are contested."""

NOISE = 0.2
"""Standard deviation of the pixel noise; ink is 1."""

FLIPPED = 0.05
"""Share of training labels that are wrong."""

PAIRS = {"train": 2500, "validation": 1500, "test": 1500}
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}

TASKS = (Task("left", "classification", 10), Task("right", "classification", 10), Task("sum", "regression", 1))


def overlapping_digits(seed: int = 0) -> Problem:
    """Two digits of scikit-learn's `load_digits` (8×8, UCI) overlap on an 11×11 canvas, after MultiMNIST (Sabour 2017).

    Tasks: `left`, the class of the digit at the top left; `right`, that of the one at the bottom right (both
    cross-entropy, error rate); `sum`, the sum of the two digits in raw units 0..18 (squared error, about forty times
    the cross-entropies at the start; rmse). The pictures are split 60/20/20 before they are paired, so that none is
    on two sides. Inputs carry noise, and a few training labels of the two digits are wrong.

    Args:
        seed: decides the split, the pairs, the wrong labels and the noise.
    """
    generator = np.random.default_rng(seed)
    images, labels = _digits()
    order = generator.permutation(len(images))
    bounds = (np.cumsum(list(SHARES.values()))[:-1] * len(images)).astype(int)
    splits = {}
    for (name, n_pairs), members in zip(PAIRS.items(), np.split(order, bounds), strict=True):
        flipped = FLIPPED if name == "train" else 0.0
        splits[name] = _pairs(images[members], labels[members], n_pairs, flipped, generator)
    return Problem("digits", TASKS, splits["train"], splits["validation"], splits["test"])


def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 1797 pictures [N, 8, 8] with ink in 0..1, and their classes [N]: what `load_digits` returns.

    Read from scikit-learn's file directly: importing `sklearn.datasets` takes a second in every worker.
    """
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8) / 16, table[:, -1].astype(np.int64)


def _pairs(
    images: NDArray[np.float64], labels: NDArray[np.int64], n: int, flipped: float, generator: np.random.Generator
) -> Split:
    """Random pairs of these pictures: one at the upper left, one at the lower right, the brighter pixel wins."""
    sides = generator.integers(len(images), size=(2, n))
    canvas = np.zeros((n, CANVAS, CANVAS))
    canvas[:, :8, :8] = images[sides[0]]
    canvas[:, -8:, -8:] = np.maximum(canvas[:, -8:, -8:], images[sides[1]])
    canvas += generator.normal(0, NOISE, canvas.shape)
    left, right = (_flip(labels[side], flipped, generator) for side in sides)
    total = labels[sides[0]] + labels[sides[1]]
    targets = {
        "left": torch.from_numpy(left),
        "right": torch.from_numpy(right),
        "sum": torch.from_numpy(total.astype(np.float32)).unsqueeze(-1),
    }
    return Split(torch.from_numpy(canvas.astype(np.float32)).unsqueeze(1), targets)


def _flip(labels: NDArray[np.int64], share: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Labels of which this share is replaced by a wrong one."""
    wrong = (labels + generator.integers(1, 10, len(labels))) % 10
    return np.where(generator.random(len(labels)) < share, wrong, labels)

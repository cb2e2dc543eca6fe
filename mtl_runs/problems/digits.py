"""The embedded problem: two overlapping hand-written digits. It needs no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.overlap import divide, overlap
from mtl_runs.problems.tasks import Classification, Regression

CANVAS = 11
"""Side of the picture; the digits are 8×8 and sit in opposite corners, so 5×5 pixels are contested."""


def overlapping_digits(
    name: str = "digits",
    *,
    sizes: tuple[int, int, int] = (2500, 1500, 1500),
    noise: float = 0.2,
    flipped: float = 0.05,
    sum_unit: float | None = 1.0,
    seed: int = 0,
) -> Problem:
    """Two digits of scikit-learn's `load_digits` (8×8, UCI) overlap on an 11×11 canvas, after MultiMNIST (Sabour 2017).

    Tasks: `left`, the class of the digit at the top left; `right`, that of the one at the bottom right (both
    cross-entropy, error rate); `sum`, the sum of the two digits 0..18 in some unit (squared error; in the unit 1 about
    forty times the cross-entropies at the start; rmse). The pictures are split 60/20/20 before they are paired, so
    that none is on two sides. Inputs carry noise, and a few training labels of the two digits are wrong.

    Args:
        name: the problem's name.
        sizes: pairs to train, to validate and to test.
        noise: standard deviation of the pixel noise; ink is 1.
        flipped: share of the training labels that are wrong.
        sum_unit: what the sum is divided by; None leaves this task out.
        seed: decides the split, the pairs, the wrong labels and the noise.
    """
    generator = np.random.default_rng(seed)
    images, labels = digit_pictures()
    splits: list[Split] = []
    for part, n in zip(divide(len(images), generator), sizes, strict=True):
        pairs = overlap(images[part], labels[part], n, CANVAS, noise, 0.0 if splits else flipped, generator)
        left, right = torch.from_numpy(pairs.labels)
        targets = {"left": left, "right": right}
        if sum_unit is not None:
            total = pairs.classes.sum(0) / sum_unit
            targets["sum"] = torch.from_numpy(total.astype(np.float32)).unsqueeze(-1)
        splits.append(Split(torch.from_numpy(pairs.canvas), targets))
    tasks: tuple[Task, ...] = (Classification("left", 10), Classification("right", 10))
    if sum_unit is not None:
        tasks += (Regression("sum", 1),)
    return Problem(name, tasks, *splits)


def digit_pictures() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 1797 pictures [N, 8, 8] with ink in 0..1, and their classes [N]: what `load_digits` returns.

    Read from scikit-learn's file directly: importing `sklearn.datasets` takes a second in every worker.
    """
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8) / 16, table[:, -1].astype(np.int64)

"""Pictures of cells under a microscope: a map of them, their number, and whether most are sick."""

from __future__ import annotations

import numpy as np
import torch

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.dense_tasks import Segmentation
from mtl_runs.problems.latent import classes, reals
from mtl_runs.problems.tasks import BinaryClassification, Regression

CLASSES = ("background", "healthy", "sick", "debris")


def cells(
    name: str = "cells",
    *,
    sizes: tuple[int, int, int] = (1500, 1000, 1000),
    side: int = 16,
    noise: float = 0.25,
    unlabelled: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Pictures [1, side, side] of one to eight round cells, some with a dark core, and of smaller debris.

    One task per pixel and two per picture. `map`: background, healthy, sick (with a core) or debris (cross-entropy;
    miou, pixacc); some training pixels have no label. `count`: the number of cells, debris does not count (squared
    error, some twenty times the cross-entropies at the start; rmse). `outbreak`: whether more cells are sick than
    healthy, about 40 % of pictures (err, auc), which needs both of the others. Cells may cover each other.

    Args:
        name: the problem's name.
        sizes: pictures to train, to validate and to test.
        side: pixels per row and column.
        noise: standard deviation of the pixel noise; cells are 0.5 to 1 bright.
        unlabelled: share of the training pixels without a label.
        seed: decides pictures, noise and missing labels.
    """
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] + 0.5
    splits: list[Split] = []
    for n in sizes:
        picture, labels = np.zeros((n, side, side)), np.zeros((n, side, side), np.int64)
        numbers = generator.integers(1, 9, n)
        illness = generator.uniform(0, 0.9, n)
        sick = np.zeros(n, np.int64)
        for at in range(10):
            debris = np.full(n, at < 2)
            ill = ~debris & (generator.random(n) < illness)
            present = debris | (at - 2 < numbers)
            sick += ill & present
            y, x = generator.uniform(1, side - 1, (2, n, 1, 1))
            radius = np.where(debris, 0.8, generator.uniform(1.6, 2.8, n))[:, None, None]
            bright = generator.uniform(0.5, 1.0, (n, 1, 1))
            away = np.hypot(rows - y, columns - x)
            inside = (away < radius) & present[:, None, None]
            core = (away < 0.6 * radius) & ill[:, None, None]
            picture = np.where(inside, np.where(core, 0.0, bright), picture)
            labels = np.where(inside, np.where(debris, 3, 1 + ill)[:, None, None], labels)
        if not splits:
            labels = np.where(generator.random(labels.shape) < unlabelled, Segmentation.IGNORED, labels)
        picture += noise * generator.normal(0, 1, picture.shape)
        targets = {
            "map": torch.from_numpy(labels),
            "count": reals(numbers.astype(float)),
            "outbreak": classes(2 * sick > numbers),
        }
        splits.append(Split(torch.from_numpy(picture.astype(np.float32)).unsqueeze(1), targets))
    return Problem(
        name, (Segmentation("map", len(CLASSES)), Regression("count", 1), BinaryClassification("outbreak")), *splits
    )

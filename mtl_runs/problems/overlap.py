"""Pictures that overlap, after MultiMNIST: one at the upper left of a canvas, one at the lower right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = (0.6, 0.2, 0.2)
"""Of the pictures, for training, validation and test; they are divided before they are paired."""


@dataclass(frozen=True)
class Pairs:
    """Overlapping pairs of pictures.

    Attributes:
        canvas: ink plus noise, float32 [N, 1, side, side].
        classes: of the upper left and of the lower right picture, without errors, [2, N].
        labels: the same with some wrong ones.
        contested: share of the canvas where both have more than half of the ink, [N].
    """

    canvas: NDArray[np.float32]
    classes: NDArray[np.int64]
    labels: NDArray[np.int64]
    contested: NDArray[np.float64]


def divide(n: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """Indices of n pictures, divided at random into `SHARES`."""
    bounds = (np.cumsum(SHARES)[:-1] * n).astype(int)
    return np.split(generator.permutation(n), bounds)


def overlap(
    images: NDArray[np.float64],
    labels: NDArray[np.int64],
    n: int,
    side: int,
    noise: float,
    flipped: float,
    generator: np.random.Generator,
) -> Pairs:
    """Random pairs of these pictures on canvases of this side; where both have ink, the brighter pixel wins.

    Args:
        images: ink in 0..1, [M, s, s].
        labels: their classes, 0 to 9, [M].
        n: number of pairs.
        side: side of the canvas, at least s.
        noise: standard deviation of the pixel noise.
        flipped: share of labels that are replaced by a wrong one.
        generator: source of the pairs, the noise and the wrong labels, in this order.
    """
    members = generator.integers(len(images), size=(2, n))
    small = images.shape[-1]
    layers = np.zeros((2, n, side, side))
    layers[0, :, :small, :small] = images[members[0]]
    layers[1, :, -small:, -small:] = images[members[1]]
    canvas = layers.max(0) + generator.normal(0, noise, (n, side, side))
    classes = labels[members]
    wrong = np.stack([_flip(side_labels, flipped, generator) for side_labels in classes])
    contested = (layers > 0.5).all(0).mean((1, 2))
    return Pairs(canvas.astype(np.float32)[:, None], classes, wrong, contested)


def _flip(labels: NDArray[np.int64], share: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Labels of which this share is replaced by a wrong one."""
    wrong = (labels + generator.integers(1, 10, len(labels))) % 10
    return np.where(generator.random(len(labels)) < share, wrong, labels)

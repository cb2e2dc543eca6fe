"""Small rendered scenes: what is in a pixel, how far away it is, and which way its surface looks."""

from __future__ import annotations

import numpy as np
import torch

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.dense_tasks import Depth, Normals, Segmentation
from mtl_runs.problems.raycast import CLASSES, FAR, render

FOG = np.array([0.75, 0.75, 0.78])
"""Colour of the haze."""


def scenes(
    name: str = "scenes",
    *,
    sizes: tuple[int, int, int] = (1000, 400, 400),
    side: int = 16,
    noise: float = 0.05,
    haze: float = 0.0,
    depth_unit: float = 1.0,
    seed: int = 0,
) -> Problem:
    """Pictures [3, side, side] of four objects on the ground, some before a wall, ray cast with one light.

    Tasks, all per pixel: `parts`, six classes (cross-entropy; miou, pixacc); `depth` in some unit (mean absolute error;
    the sky does not count); `normals`, the direction of the surface (one minus the cosine; the sky does not count).
    Depth and normals are of the same surfaces, so they agree. Every scene is new, so the splits share none.

    Args:
        name: the problem's name.
        sizes: pictures to train, to validate and to test.
        side: pixels per row and column.
        noise: standard deviation of the pixel noise; colours are about 0..1.
        haze: share of the light that is lost per metre; with haze, noise grows with depth too, to four times at the
            far end.
        depth_unit: metres in a unit of depth.
        seed: decides scenes and noise.
    """
    generator = np.random.default_rng(seed)
    splits = []
    for n in sizes:
        scene = render(n, side, generator)
        depth = np.where(scene.depth > 0, scene.depth, FAR)[..., None]
        clear = np.exp(-haze * depth)
        grain = noise * (1 + (3 * depth / FAR if haze else 0.0))
        pictures = clear * scene.colour + (1 - clear) * FOG + grain * generator.normal(0, 1, scene.colour.shape)
        targets = {
            "parts": torch.from_numpy(scene.labels),
            "depth": _tensor(scene.depth[..., None] / depth_unit),
            "normals": _tensor(scene.normals),
        }
        splits.append(Split(_tensor(pictures), targets))
    tasks = (Segmentation("parts", len(CLASSES)), Depth("depth"), Normals("normals"))
    return Problem(name, tasks, *splits)


def _tensor(pictures: np.ndarray) -> torch.Tensor:
    """Pictures [N, H, W, C] as float32 [N, C, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32))

from __future__ import annotations

import numpy as np
import pytest
import torch

from mtl_runs.problems import scenes
from mtl_runs.problems.raycast import CLASSES, FAR, Rendering, rays, render

SIDE = 24


@pytest.fixture(scope="module")
def scene() -> Rendering:
    return render(80, SIDE, np.random.default_rng(3))


def test_the_sky_has_no_geometry(scene: Rendering) -> None:
    sky = scene.labels == CLASSES.index("sky")
    np.testing.assert_array_equal(scene.depth == 0, sky)
    np.testing.assert_array_equal((scene.normals == 0).all(-1), sky)
    assert scene.depth.max() <= FAR


def test_normals_have_length_one_and_face_the_camera(scene: Rendering) -> None:
    solid = scene.depth > 0
    np.testing.assert_allclose(np.linalg.norm(scene.normals[solid], axis=-1), 1, atol=1e-12)
    towards = (scene.normals * rays(SIDE)).sum(-1)
    assert (towards[solid] < 1e-9).all()


@pytest.mark.parametrize("label", ["ground", "wall", "box"])
@pytest.mark.parametrize("axis", [1, 2])
def test_flat_surfaces_are_at_right_angles_to_their_normals(scene: Rendering, label: str, axis: int) -> None:
    """Two neighbouring points with one normal lie in one plane, but where a box hides another of the same direction."""
    points = scene.depth[..., None] * rays(SIDE)
    ends = [(slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1))]
    (one, other), (here, there) = ([field[end] for end in ends] for field in (points, scene.normals))
    both = np.logical_and(*(scene.labels[end] == CLASSES.index(label) for end in ends))
    same = both & (np.abs(here - there).max(-1) < 1e-9)
    off = np.abs(((one - other) * here).sum(-1))[same]
    assert same.sum() > 100
    assert (off < 1e-6).mean() > (0.99 if label == "box" else 0.9999)


def test_spheres_bend_as_their_normals_say(scene: Rendering) -> None:
    """On a sphere, points differ by the radius times the difference of their normals, unless one ball hides another."""
    points = scene.depth[..., None] * rays(SIDE)
    ball = scene.labels == CLASSES.index("sphere")
    both = ball[:, :, 1:] & ball[:, :, :-1]
    moved = (points[:, :, 1:] - points[:, :, :-1])[both]
    turned = (scene.normals[:, :, 1:] - scene.normals[:, :, :-1])[both]
    radius = np.linalg.norm(moved, axis=-1) / np.linalg.norm(turned, axis=-1)
    one_ball = (radius > 0.49) & (radius < 1.11)
    assert one_ball.mean() > 0.9
    off = np.abs(moved - radius[:, None] * turned).max(-1)[one_ball]
    assert (off < 1e-9).mean() > 0.97


def test_every_class_occurs(scene: Rendering) -> None:
    assert set(np.unique(scene.labels)) == set(range(len(CLASSES)))


def test_haze_takes_away_contrast_but_not_geometry() -> None:
    sizes = (30, 5, 5)
    clear, foggy = (scenes(sizes=sizes, noise=0.0, haze=haze, depth_unit=unit) for haze, unit in ((0, 1), (0.3, 20)))
    # Without noise both draw the same scenes.
    assert torch.equal(clear.train.targets["parts"], foggy.train.targets["parts"])
    torch.testing.assert_close(20 * foggy.train.targets["depth"], clear.train.targets["depth"])
    assert foggy.train.inputs.std() < 0.6 * clear.train.inputs.std()

"""A small ray caster: random rooms of spheres, boxes and cylinders on the ground, many pictures at once.

The camera is at the origin and looks along +z; x is to the right, y up, lengths are in metres. Rays are not of length
1 but have z = 1, so that the distance along a ray is the depth itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLASSES = ("sky", "ground", "wall", "sphere", "box", "cylinder")
"""Of a pixel; the sky has neither depth nor normal."""

HALF_WIDTH = 0.62
"""Tangent of half the angle of view."""

FAR = 14.0
"""Depth in metres at which the ground ends."""

N_OBJECTS = 4

_HUES = np.array(
    [[0.5, 0.7, 0.9], [0.5, 0.45, 0.35], [0.6, 0.55, 0.5], [0.8, 0.4, 0.4], [0.4, 0.7, 0.4], [0.5, 0.4, 0.7]]
)
"""Colour towards which a class tends."""


@dataclass(frozen=True)
class Rendering:
    """N pictures of side×side pixels and their geometry.

    Attributes:
        colour: light, about 0..1, without noise, [N, side, side, 3].
        labels: index into `CLASSES`, [N, side, side].
        depth: z in metres, 0 for the sky, [N, side, side].
        normals: unit vectors that face the camera, 0 for the sky, [N, side, side, 3].
    """

    colour: Array
    labels: NDArray[np.int64]
    depth: Array
    normals: Array


@dataclass
class _Hits:
    """The nearest surface on every ray so far: depth, class and surface colour, [N, P(, 3)]."""

    depth: Array
    normals: Array
    labels: NDArray[np.int64]
    albedo: Array

    def add(self, rows: NDArray[np.int64], label: int, depth: Array, normals: Array, albedo: Array) -> None:
        """Where this surface is nearer in these pictures, it hides what was there; depth is inf where it is not hit."""
        nearer = depth < self.depth[rows]
        at, pixel = np.nonzero(nearer)
        self.depth[rows[at], pixel] = depth[nearer]
        self.normals[rows[at], pixel] = normals[nearer]
        self.labels[rows[at], pixel] = label
        self.albedo[rows[at], pixel] = np.broadcast_to(albedo, normals.shape)[nearer]


def rays(side: int) -> Array:
    """Directions [side, side, 3] through the centres of the pixels, row 0 at the top."""
    offsets = HALF_WIDTH * (2 * (np.arange(side) + 0.5) / side - 1)
    x, y = np.meshgrid(offsets, -offsets)
    return np.stack([x, y, np.ones_like(x)], -1)


def render(n: int, side: int, generator: np.random.Generator) -> Rendering:
    """Random scenes, lit by one distant light."""
    directions = rays(side).reshape(-1, 3)
    n_rays = len(directions)
    hits = _Hits(
        np.full((n, n_rays), np.inf),
        np.zeros((n, n_rays, 3)),
        np.zeros((n, n_rays), np.int64),
        _surface(CLASSES.index("sky"), n, generator) * np.ones((1, n_rays, 1)),
    )
    everywhere = np.arange(n)
    height = generator.uniform(0.8, 1.4, n)
    floor, texture = _ground(directions, height, generator)
    ground = _surface(CLASSES.index("ground"), n, generator) * texture[..., None]
    hits.add(everywhere, CLASSES.index("ground"), floor, np.broadcast_to([0.0, 1.0, 0.0], (n, n_rays, 3)), ground)
    wall = _wall(directions, n, generator)
    hits.add(everywhere, CLASSES.index("wall"), *wall, _surface(CLASSES.index("wall"), n, generator))
    for _ in range(N_OBJECTS):
        away = generator.uniform(2.5, 6.5, n)
        place = np.stack([away * generator.uniform(-0.55, 0.55, n), -height, away], -1)
        size = generator.uniform(0.5, 1.1, (n, 3))
        angle = generator.uniform(0, np.pi / 2, n)
        kinds = generator.integers(3, size=n)
        for kind, cast in enumerate((_sphere, _box, _cylinder)):
            rows = np.flatnonzero(kinds == kind)
            label = CLASSES.index("sphere") + kind
            albedo = _surface(label, n, generator)
            hits.add(rows, label, *cast(directions, place[rows], size[rows], angle[rows]), albedo[rows])
    return _light(hits, side, generator)


def _surface(label: int, n: int, generator: np.random.Generator) -> Array:
    """Colours [N, 1, 3] of surfaces of a class: half its hue, half chance, so that colour alone does not tell."""
    return (0.5 * _HUES[label] + 0.5 * generator.uniform(0, 1, (n, 3)))[:, None]


def _light(hits: _Hits, side: int, generator: np.random.Generator) -> Rendering:
    n = len(hits.depth)
    light = generator.normal(0, 1, (n, 3))
    light[:, 1], light[:, 2] = np.abs(light[:, 1]) + 0.5, -np.abs(light[:, 2])
    light /= np.linalg.norm(light, axis=-1, keepdims=True)
    sky = hits.labels == 0
    shade = 0.35 + 0.65 * np.einsum("npc,nc->np", hits.normals, light).clip(0)
    colour = hits.albedo * np.where(sky, 1.0, shade)[..., None]
    square = (n, side, side)
    return Rendering(
        colour.reshape(*square, 3),
        hits.labels.reshape(square),
        np.where(sky, 0.0, hits.depth).reshape(square),
        hits.normals.reshape(*square, 3),
    )


def _ground(directions: Array, height: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """Depth of the plane y = -height up to `FAR`, and a factor of its colour: a checkered cloth."""
    down = np.minimum(directions[:, 1], -1e-9)
    depth = -height[:, None] / down
    depth = np.where(depth < FAR, depth, np.inf)
    at = np.where(np.isfinite(depth), depth, 0.0)
    phase = generator.uniform(0, 6, (2, len(height), 1))
    checks = np.sign(np.sin(2 * at * directions[:, 0] + phase[0]) * np.sin(2 * at + phase[1]))
    return depth, 1 + 0.25 * checks


def _wall(directions: Array, n: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """A wall across the view in two thirds of the scenes, turned by up to 35°, up to some height."""
    angle = generator.uniform(-0.6, 0.6, n)
    normal = np.stack([np.sin(angle), np.zeros(n), -np.cos(angle)], -1)
    distance = generator.uniform(6, 11, n)
    top = np.where(generator.random(n) < 0.67, generator.uniform(0.5, 4.0, n), -np.inf)
    towards = np.minimum(np.einsum("nc,pc->np", normal, directions), -1e-9)
    depth = (normal[:, 2] * distance)[:, None] / towards
    hit = (depth * directions[:, 1] < top[:, None]) & (depth < FAR)
    return np.where(hit, depth, np.inf), np.broadcast_to(normal[:, None], (*depth.shape, 3))


def _sphere(directions: Array, place: Array, size: Array, angle: Array) -> tuple[Array, Array]:
    """A sphere on the ground at `place`; its radius is the first size."""
    radius = size[:, :1]
    centre = place + radius * np.array([0.0, 1.0, 0.0])
    depth = _nearer_root(directions, centre, radius)
    at = np.where(np.isfinite(depth), depth, 0.0)[..., None] * directions
    return depth, (at - centre[:, None]) / radius[..., None]


def _cylinder(directions: Array, place: Array, size: Array, angle: Array) -> tuple[Array, Array]:
    """An upright cylinder; its radius is half the first size, its height twice the second. The lid is part of it."""
    radius, low = size[:, :1] / 2, place[:, 1:2]
    high = low + 2 * size[:, 1:2]
    flat = np.array([1.0, 0.0, 1.0])
    depth = _nearer_root(directions * flat, place * flat, radius)
    y = np.where(np.isfinite(depth), depth, 0.0) * directions[:, 1]
    depth = np.where((y > low) & (y < high), depth, np.inf)
    at = np.where(np.isfinite(depth), depth, 0.0)[..., None] * directions
    normals = (at - place[:, None]) * flat / radius[..., None]
    lid = np.where(high < 0, high / np.minimum(directions[:, 1], -1e-9), np.inf)
    across = np.where(np.isfinite(lid), lid, 0.0)[..., None] * directions - place[:, None]
    covered = ((across * flat) ** 2).sum(-1) < radius**2
    lid = np.where(covered & (lid > 0), lid, np.inf)
    return np.minimum(depth, lid), np.where((lid < depth)[..., None], [0.0, 1.0, 0.0], normals)


def _nearer_root(directions: Array, centre: Array, radius: Array) -> Array:
    """Depth [N, P] at which the rays reach the sphere around these centres [N, 3]; inf where they miss."""
    a = (directions**2).sum(-1)
    b = np.einsum("nc,pc->np", centre, directions)
    inside = b**2 - a * ((centre**2).sum(-1, keepdims=True) - radius**2)
    depth = (b - np.sqrt(inside.clip(0))) / a
    return np.where((inside > 0) & (depth > 0), depth, np.inf)


def _box(directions: Array, place: Array, size: Array, angle: Array) -> tuple[Array, Array]:
    """A box on the ground with these half edges, turned about the vertical."""
    c, s = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(c), np.ones_like(c)
    turn = np.stack([np.stack([c, zero, s], -1), np.stack([zero, one, zero], -1), np.stack([-s, zero, c], -1)], -2)
    centre = place + size * np.array([0.0, 1.0, 0.0])
    origin = -np.einsum("nij,nj->ni", turn, centre)[:, None]
    along = np.einsum("nij,pj->npi", turn, directions)
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    half = size[:, None]
    sides = np.sort(np.stack([(-half - origin) / along, (half - origin) / along]), 0)
    entry, axis, leave = sides[0].max(-1), sides[0].argmax(-1), sides[1].min(-1)
    face = np.eye(3)[axis] * -np.sign(along)
    return np.where((entry < leave) & (entry > 0), entry, np.inf), np.einsum("nji,npj->npi", turn, face)

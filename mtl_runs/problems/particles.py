"""A small cluster of particles in the plane: its energy, the forces on its particles, and its stress."""

from __future__ import annotations

import numpy as np

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.latent import Array, reals
from mtl_runs.problems.tasks import Regression

ROWS = (2, 3, 2)
"""Particles in the rows of the cluster at rest: a hexagon and its centre."""

POWER = 3
"""Two particles at distance r have the energy 4 (r^-2p - r^-p): Lennard-Jones has p = 6, this is softer."""

REST = 2 ** (1 / POWER)
"""Distance at which two particles exert no force on each other."""


def potential(positions: Array) -> tuple[Array, Array, Array]:
    """Energy, forces and stress of clusters, all in reduced units.

    Args:
        positions: [N, n, 2].

    Returns:
        Energy [N]; forces, minus the gradient of the energy, [N, n, 2]; and the xx, yy and xy parts of the virial
        stress [N, 3], the sum over pairs of distance times force by the area of the cluster at rest.
    """
    n = positions.shape[1]
    first, second = np.triu_indices(n, 1)
    apart = positions[:, first] - positions[:, second]
    distance = np.linalg.norm(apart, axis=-1)
    attraction = distance**-POWER
    energy = 4 * (attraction**2 - attraction).sum(-1)
    strength = 4 * POWER * (2 * attraction**2 - attraction) / distance**2
    pairs = strength[..., None] * apart
    members = np.eye(n)[first] - np.eye(n)[second]
    forces = np.einsum("pn,bpi->bni", members, pairs)
    area = n * REST**2 * np.sqrt(3) / 2
    virial = np.einsum("npi,npj->nij", apart, pairs) / area
    return energy, forces, np.stack([virial[:, 0, 0], virial[:, 1, 1], virial[:, 0, 1]], -1)


def particles(
    name: str = "particles",
    *,
    sizes: tuple[int, int, int] = (2500, 1500, 1500),
    heat: float = 0.08,
    noise: float = 0.01,
    units: tuple[float, float, float] = (0.1, 1.0, 10.0),
    seed: int = 0,
) -> Problem:
    """Positions of seven particles (14 numbers) shaken out of their hexagon, and three regressions.

    `energy` (1 value), `force` (14 values) and `stress` (3 values), as in `potential`, each by its unit (squared
    error; rmse). All three follow from the same function of the distances, the energy as its value and the others as
    its derivatives; in the units given, losses span nearly five powers of ten. Energies are counted from the cluster
    at rest.

    Args:
        name: the problem's name.
        sizes: clusters to train, to validate and to test.
        heat: standard deviation of each coordinate around its rest, in units of a particle's size.
        noise: standard deviation of the error with which coordinates are known, in the same units.
        units: of energy, force and stress, in reduced units.
        seed: decides positions and noise.
    """
    generator = np.random.default_rng(seed)
    rest = _hexagon()
    at_rest = potential(rest[None])[0]
    splits = []
    for n in sizes:
        positions = rest + heat * generator.normal(0, 1, (n, *rest.shape))
        energy, forces, stress = potential(positions)
        seen = positions - rest + noise * generator.normal(0, 1, positions.shape)
        targets = {
            "energy": reals((energy - at_rest) / units[0]),
            "force": reals(forces / units[1]),
            "stress": reals(stress / units[2]),
        }
        splits.append(Split(reals(seen / heat), targets))
    n_particles = sum(ROWS)
    tasks = (Regression("energy", 1), Regression("force", 2 * n_particles), Regression("stress", 3))
    return Problem(name, tasks, *splits)


def _hexagon() -> Array:
    """Positions at rest, [7, 2]."""
    rows = [
        [(column - (length - 1) / 2, row * np.sqrt(3) / 2) for column in range(length)]
        for row, length in enumerate(ROWS, start=-1)
    ]
    return REST * np.array([place for row in rows for place in row])

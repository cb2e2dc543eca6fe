"""Problems that are made of random functions: tables, clicks, particles, waves and cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mtl_runs.problems import Problem, cells, mixed_table, particles, waves
from mtl_runs.problems.latent import RandomFunction, Sensors
from mtl_runs.problems.particles import REST, potential

Maker = Callable[[str], Problem]


@pytest.mark.parametrize("frequency", [0.3, 1.0, 2.0])
def test_random_functions_have_mean_0_and_variance_1(frequency: float) -> None:
    generator = np.random.default_rng(0)
    function = RandomFunction(6, 40, frequency, generator)
    values = function(generator.normal(0, 1, (20_000, 6)))
    np.testing.assert_allclose(values.mean(0), 0, atol=0.1)
    # The waves are not quite uncorrelated.
    assert 0.7 < values.var(0).mean() < 1.4


def test_random_functions_are_rougher_at_high_frequency() -> None:
    generator = np.random.default_rng(0)
    at = generator.normal(0, 1, (2000, 6))
    step = at + 0.1 * generator.normal(0, 1, at.shape)
    slow, fast = (RandomFunction(6, 20, frequency, np.random.default_rng(1)) for frequency in (0.4, 2.0))
    assert np.abs(fast(step) - fast(at)).mean() > 1.5 * np.abs(slow(step) - slow(at)).mean()


def test_readings_differ_by_their_noise_only() -> None:
    factors = np.random.default_rng(1).normal(0, 1, (4000, 3))
    sensors = Sensors(3, 5, 0.5, np.random.default_rng(2))
    generator = np.random.default_rng(3)
    apart = sensors(factors, generator) - sensors(factors, generator)
    assert apart.std() == pytest.approx(0.5 * 2**0.5, rel=0.05)


@pytest.mark.parametrize("name", ["tabular", "tabular-wide", "clicks", "particles", "waves"])
def test_losses_of_an_ignorant_network_are_far_apart(name: str, made: Maker) -> None:
    problem = made(name)
    split = problem.train
    losses = [
        float(task.loss(torch.zeros(1, len(split), task.n_outputs), split.targets[task.name][None]))
        for task in problem.tasks
    ]
    assert max(losses) > 10 * min(losses)


def test_flag_and_value_pull_apart() -> None:
    targets = mixed_table().train.targets
    assert np.corrcoef(targets["flag"].numpy(), targets["value"][:, 0].numpy())[0, 1] < -0.2


def test_only_what_was_clicked_is_liked_and_watched(made: Maker) -> None:
    targets = made("clicks").train.targets
    ignored = targets["click"] == 0
    assert targets["like"][ignored].sum() == 0
    assert targets["watch"][ignored].sum() == 0
    assert targets["watch"][~ignored].min() > 0
    assert 0.05 < targets["like"].double().mean() < 0.15


def test_two_particles() -> None:
    energy, forces, stress = potential(np.array([[[0.0, 0.0], [REST, 0.0]], [[0.0, 0.0], [1.0, 0.0]]]))
    np.testing.assert_allclose(energy, [-1, 0], atol=1e-12)
    np.testing.assert_allclose(forces[0], 0, atol=1e-12)
    assert forces[1, 0, 0] < 0 < forces[1, 1, 0]
    assert stress[1, 0] > 0
    np.testing.assert_allclose(stress[:, 1:], 0, atol=1e-12)


def test_forces_are_the_slope_of_the_energy() -> None:
    generator = np.random.default_rng(0)
    positions = generator.uniform(0, 3, (4, 5, 2)) + 2 * np.arange(5)[:, None]
    forces = potential(positions)[1]
    for particle in range(5):
        for axis in range(2):
            step = np.zeros_like(positions)
            step[:, particle, axis] = 1e-5
            slope = (potential(positions + step)[0] - potential(positions - step)[0]) / 2e-5
            np.testing.assert_allclose(forces[:, particle, axis], -slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(forces.sum(1), 0, atol=1e-10)


def test_stress_is_the_slope_of_the_energy_under_strain() -> None:
    positions = np.random.default_rng(0).uniform(0, 2, (3, 5, 2)) + np.arange(5)[:, None]
    stress = potential(positions)[2]
    area = 5 * REST**2 * np.sqrt(3) / 2
    for axis in range(2):
        strain = np.ones(2)
        strain[axis] += 1e-5
        slope = (potential(positions * strain)[0] - potential(positions / strain)[0]) / 2e-5
        np.testing.assert_allclose(stress[:, axis] * area, -slope, rtol=1e-3, atol=1e-6)


def test_particles_at_rest_are_symmetric() -> None:
    cold = particles(sizes=(3, 2, 2), heat=1e-9, noise=0.0)
    torch.testing.assert_close(cold.train.targets["energy"], torch.zeros(3, 1), atol=1e-4, rtol=0)
    xx, yy, xy = cold.train.targets["stress"][0]
    torch.testing.assert_close(xx, yy)
    assert abs(float(xy)) < 1e-6


def test_waves_without_noise_are_clean() -> None:
    problem = waves(sizes=(200, 50, 50), noise=0.0)
    assert torch.equal(problem.train.inputs, problem.train.targets["clean"])
    torch.testing.assert_close(problem.train.targets["phase"].norm(dim=1), torch.ones(200))
    assert problem.train.inputs.abs().max() <= 1.3


def test_cells_are_counted() -> None:
    problem = cells(sizes=(400, 100, 100), noise=0.0)
    train, validation = problem.train, problem.validation
    assert train.targets["count"].min() == 1
    assert train.targets["count"].max() == 8
    unlabelled = (train.targets["map"] == -1).double().mean()
    assert 0.08 < float(unlabelled) < 0.12
    assert (validation.targets["map"] >= 0).all()
    # Where there is no cell, nothing shines.
    assert (validation.inputs[:, 0][validation.targets["map"] == 0] == 0).all()

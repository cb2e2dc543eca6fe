"""Hidden factors and functions of them, for problems that are made up."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


class RandomFunction:
    """A fixed smooth random function of the factors: a sum of sine waves in random directions.

    For standard normal factors each of its values has mean near 0 and variance near 1, whatever the frequency.

    Args:
        n_inputs: number of factors.
        n_outputs: number of values.
        frequency: radians per standard deviation of a factor combination; below 0.5 nearly linear, above 2 rough.
        generator: source of directions, phases and amplitudes.
    """

    N_WAVES = 12

    def __init__(self, n_inputs: int, n_outputs: int, frequency: float, generator: np.random.Generator) -> None:
        directions = generator.normal(0, 1, (n_inputs, self.N_WAVES))
        self._directions = frequency * directions / np.linalg.norm(directions, axis=0)
        self._phases = generator.uniform(0, 2 * np.pi, self.N_WAVES)
        amplitudes = generator.normal(0, 1, (self.N_WAVES, n_outputs))
        # Over normal arguments of this spread, a sine with phase p has mean e^(-f²/2) sin p and this variance.
        decay = np.exp(-(frequency**2))
        self._means = np.sqrt(decay) * np.sin(self._phases)
        variances = (1 - decay**2 * np.cos(2 * self._phases)) / 2 - self._means**2
        self._amplitudes = amplitudes / np.sqrt((amplitudes**2 * variances[:, None]).sum(0))

    def __call__(self, factors: Array) -> Array:
        """Values [N, n_outputs] at factors [N, n_inputs]."""
        return (np.sin(factors @ self._directions + self._phases) - self._means) @ self._amplitudes


class Sensors:
    """Many noisy bent readings of few factors: what a network gets to see.

    Args:
        n_factors: number of factors.
        n_readings: number of readings.
        noise: standard deviation of each reading's noise; the readings' own is about 0.6.
        generator: source of the fixed mixture.
    """

    def __init__(self, n_factors: int, n_readings: int, noise: float, generator: np.random.Generator) -> None:
        self._mixture = generator.normal(0, n_factors**-0.5, (n_factors, n_readings))
        self._noise = noise

    def __call__(self, factors: Array, generator: np.random.Generator) -> Array:
        """Readings [N, n_readings] of factors [N, n_factors]."""
        clean = np.tanh(factors @ self._mixture)
        return clean + self._noise * generator.normal(0, 1, clean.shape)


def reals(values: Array) -> Tensor:
    """Values [N] or [N, n] as targets of a regression, or as inputs: float32 [N, n]."""
    return torch.from_numpy(values.reshape(len(values), -1).astype(np.float32))


def classes(labels: NDArray[np.int64] | NDArray[np.bool_]) -> Tensor:
    """Labels [N] as targets of a classification."""
    return torch.from_numpy(labels.astype(np.int64))

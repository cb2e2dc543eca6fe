"""What a run is: its configuration and its random numbers follow from the seed, the task and its number alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtl_runs.mlp_curves.tables import TABLES

EPOCHS = 200

HALVED_EVERY = 80
"""Epochs after which the learning rate is halved."""

DROPOUT_STEP = 2.0**-16
"""Dropout is a multiple of this, so that 16 random bits decide on a unit."""


@dataclass(frozen=True)
class RunPlan:
    """One training, fully determined.

    Attributes:
        widths: units of each of the 1 to 5 hidden layers.
        batch_size: rows of a step; the last step of an epoch has the rest.
        lr: learning rate of the first epochs.
        momentum: of SGD, without dampening.
        weight_decay: added to the gradient as this multiple of the parameters.
        dropout: probability that a hidden unit is switched off in training, 0 < p < 1.
        seed: of the initial parameters, the order of rows and the dropout.
    """

    widths: tuple[int, ...]
    batch_size: int
    lr: float
    momentum: float
    weight_decay: float
    dropout: float
    seed: tuple[int, ...]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Learning rate at the epochs 1, 2, …, shape [EPOCHS]."""
        return self.lr * np.power(0.5, np.arange(EPOCHS) // HALVED_EVERY, dtype=np.float64)


def plan_run(task: str, index: int, seed: int = 0) -> RunPlan:
    """Draw the configuration of a run, independent of all other runs: any first n runs are a random sample.

    The ranges are those of LC-GODE's benchmark (Ding et al. 2025). No two tasks share a configuration, so that none
    leaks from one to the other.
    """
    key = (seed, list(TABLES).index(task), index)
    rng = np.random.default_rng(key)

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return RunPlan(
        widths=tuple(round(log_uniform(16, 1024)) for _ in range(rng.integers(1, 6))),
        batch_size=round(log_uniform(16, 512)),
        lr=log_uniform(1e-4, 0.1),
        momentum=float(rng.uniform(0.1, 0.99)),
        weight_decay=float(rng.uniform(1e-5, 0.1)),
        dropout=float(rng.integers(1, round(1 / DROPOUT_STEP))) * DROPOUT_STEP,
        seed=(*key, 1),
    )

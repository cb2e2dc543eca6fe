"""Tables whose columns are noisy readings of hidden factors, and tasks of all kinds that depend on the same factors."""

from __future__ import annotations

import numpy as np

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.latent import Array, RandomFunction, Sensors, classes, reals
from mtl_runs.problems.tasks import BinaryClassification, Classification, Regression

SIZES = (2000, 2000, 2000)
"""Rows to train, to validate and to test."""


def mixed_table(
    name: str = "tabular",
    *,
    sizes: tuple[int, int, int] = SIZES,
    n_columns: int = 24,
    noise: float = 0.3,
    value_unit: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Rows of `n_columns` readings of 6 hidden factors, and three tasks that share and contest them.

    `kind`: the largest of five random functions (cross-entropy; err), the easy one. `flag`: whether a sum falls among
    the upper 30 % (binary cross-entropy; err, auc); one term is that of `value` with the opposite sign, so what
    helps the one disturbs the other. `value`: a rough function, slow to learn (squared error; rmse).

    Args:
        name: the problem's name.
        sizes: rows to train, to validate and to test.
        n_columns: number of readings.
        noise: standard deviation of the noise of each reading and of each function.
        value_unit: what `value`, of standard deviation near 1, is divided by; 0.1 makes its loss some eighty times as
            large as the others.
        seed: decides functions, rows and noise.
    """
    generator = np.random.default_rng(seed)
    n_factors = 6
    sensors = Sensors(n_factors, n_columns, noise, generator)
    kind = RandomFunction(n_factors, 5, 0.6, generator)
    value = RandomFunction(n_factors, 1, 1.2, generator)
    flag = RandomFunction(n_factors, 1, 0.8, generator)
    splits = []
    for n in sizes:
        factors = generator.normal(0, 1, (n, n_factors))
        values = value(factors)[:, 0]
        targets = {
            "kind": classes(_noisy(kind(factors), noise, generator).argmax(-1)),
            "flag": classes(_noisy(flag(factors)[:, 0] - 0.7 * values, noise, generator) > 0.6),
            "value": reals(_noisy(values, noise, generator) / value_unit),
        }
        splits.append(Split(reals(sensors(factors, generator)), targets))
    return Problem(name, (Classification("kind", 5), BinaryClassification("flag"), Regression("value", 1)), *splits)


def wide_table(
    name: str = "tabular-wide",
    *,
    sizes: tuple[int, int, int] = SIZES,
    n_columns: int = 64,
    noise: float = 0.5,
    seed: int = 0,
) -> Problem:
    """Rows of `n_columns` readings of 8 hidden factors, and five tasks whose losses span five powers of ten.

    `kind`: four classes (err). `rare`: true in one row of six (err, auc). `large`: a smooth function times 30, with
    outliers (rmse). `small`: a rough function times 0.1 (rmse). `pair`: two functions at once, one of them the product
    of what `large` and `small` are made of (rmse).

    Args:
        name: the problem's name.
        sizes: rows to train, to validate and to test.
        n_columns: number of readings.
        noise: standard deviation of the noise of each reading and of each function.
        seed: decides functions, rows and noise.
    """
    generator = np.random.default_rng(seed)
    n_factors = 8
    sensors = Sensors(n_factors, n_columns, noise, generator)
    kind, rare, large, small = (
        RandomFunction(n_factors, n_outputs, frequency, generator)
        for n_outputs, frequency in ((4, 0.6), (1, 0.5), (1, 0.4), (1, 1.0))
    )
    splits = []
    for n in sizes:
        factors = generator.normal(0, 1, (n, n_factors))
        smooth, rough = large(factors)[:, 0], small(factors)[:, 0]
        outliers = generator.standard_t(3, n) * noise
        targets = {
            "kind": classes(_noisy(kind(factors), noise, generator).argmax(-1)),
            "rare": classes(_noisy(rare(factors)[:, 0], noise, generator) > 1.4),
            "large": reals(30 * (smooth + outliers)),
            "small": reals(0.1 * _noisy(rough, noise, generator)),
            "pair": reals(_noisy(np.stack([factors[:, 0], smooth * rough], -1), noise, generator)),
        }
        splits.append(Split(reals(sensors(factors, generator)), targets))
    tasks = (
        Classification("kind", 4),
        BinaryClassification("rare"),
        Regression("large", 1),
        Regression("small", 1),
        Regression("pair", 2),
    )
    return Problem(name, tasks, *splits)


def _noisy(values: Array, noise: float, generator: np.random.Generator) -> Array:
    return values + noise * generator.normal(0, 1, values.shape)

"""Short noisy signals: which form, how fast, at which phase, and what was there before the noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtl_runs.problems.base import Problem, Split
from mtl_runs.problems.latent import Array, classes, reals
from mtl_runs.problems.tasks import Classification, Regression

FORMS = ("sine", "square", "triangle", "saw", "pulse")


def waves(
    name: str = "waves",
    *,
    sizes: tuple[int, int, int] = (2500, 1500, 1500),
    length: int = 48,
    noise: float = 0.4,
    speed_unit: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Signals of `length` samples of one of five wave forms, at a random speed, phase and height.

    `form`: which of five (cross-entropy; err), the slow one. `speed`: cycles per window, 1 to 4, less the mean, in
    some unit (squared error; rmse). `phase`: cosine and sine of the phase at the middle of the window (squared error;
    rmse). `clean`: the signal without the noise, `length` values (squared error; rmse).

    Args:
        name: the problem's name.
        sizes: signals to train, to validate and to test.
        length: samples in a signal.
        noise: standard deviation of each sample's noise; heights are 0.7 to 1.3.
        speed_unit: cycles per window in a unit of `speed`.
        seed: decides signals and noise.
    """
    generator = np.random.default_rng(seed)
    time = (np.arange(length) + 0.5) / length - 0.5
    splits = []
    for n in sizes:
        form = generator.integers(len(FORMS), size=n)
        speed = generator.uniform(1, 4, n)
        phase = generator.uniform(0, 1, n)
        clean = generator.uniform(0.7, 1.3, (n, 1)) * _wave(form, speed[:, None] * time + phase[:, None])
        targets = {
            "form": classes(form),
            "speed": reals((speed - 2.5) / speed_unit),
            "phase": reals(np.stack([np.cos(2 * np.pi * phase), np.sin(2 * np.pi * phase)], -1)),
            "clean": reals(clean),
        }
        splits.append(Split(reals(clean + noise * generator.normal(0, 1, clean.shape)), targets))
    tasks = (
        Classification("form", len(FORMS)),
        Regression("speed", 1),
        Regression("phase", 2),
        Regression("clean", length),
    )
    return Problem(name, tasks, *splits)


def _wave(form: NDArray[np.int64], cycles: Array) -> Array:
    """Values in -1..1 of these forms [N] after these many cycles [N, length]."""
    turn = cycles % 1
    sine = np.sin(2 * np.pi * turn)
    drawn = [sine, np.sign(sine), 1 - 4 * np.abs(turn - 0.5), 2 * turn - 1, np.where(turn < 0.2, 1.0, -0.25)]
    return np.choose(form[:, None], drawn)

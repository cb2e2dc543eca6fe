"""A synthetic prior over learning curves: what curves of several coupled tasks look like, before any was seen.

Families as in LC-PFN (Adriaensen et al. 2023) in spirit, drawn anew. What a run has learned goes from 0 to 1 by a power
law, an exponential or a late step; a metric is made of it: a loss that falls by amounts to a floor, or by factors over
decades; a share that grows from chance or from exactly 0; a return of either sign. To this come runs that never learn,
overfitting that turns up, noise of each epoch, spikes, and a learning-rate schedule, whose drops bring gains and calm
the curve, and whose restarts take the gain back. Tasks of a run share a part of every parameter.

Problems differ more than the runs of one: from smooth curves that fall until the end to noisy ones that are done after
a few epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.table import Metric, RunTable

Array = NDArray[np.float64]

KINDS = {"loss": 0.6, "accuracy": 0.25, "reward": 0.15}
"""Metrics that tasks may have, and their shares: one that is positive, one between 0 and 1, one of either sign."""


def synthetic_runs(
    count: int, *, tasks: int, horizon: int, seed: int, metrics: Sequence[str] = tuple(KINDS)
) -> RunTable:
    """Draw runs from the prior.

    Args:
        count: number of runs R.
        tasks: number of tasks K; each has one metric.
        horizon: last epoch.
        seed: the same seed gives the same runs.
        metrics: names of metrics, of `KINDS`, that a task may have.
    """
    draw = np.random.default_rng(seed)

    def shared(scale: float = 1.0) -> Array:
        """A standard normal per run and task, half of it common to the run's tasks."""
        return scale * (
            np.sqrt(0.5) * draw.standard_normal((count, 1)) + np.sqrt(0.5) * draw.standard_normal((count, tasks))
        )

    plans, decay = schedules(draw, count, horizon)
    learned, learns = _learned(draw, shared, plans, horizon)
    # What a decayed rate brings, as a power of e of what is left to learn, and what overfitting takes away again.
    gain = np.exp(draw.uniform(np.log(0.15), np.log(2.0)) + shared(0.4)) * learns
    late = gain[..., None] * decay[:, None] - _overfitting(draw, shared, horizon)
    # A quarter of the problems is smooth; a decayed learning rate calms a curve.
    loudness = np.exp((draw.uniform(-9, -5) if draw.uniform() < 0.25 else draw.uniform(-5, -1.2)) + shared(0.5))
    noise = loudness[..., None] * _noise(draw, learned.shape) * np.sqrt(np.maximum(plans, 0.03))[:, None]

    weights = np.array([KINDS[name] for name in metrics])
    kinds = [str(kind) for kind in draw.choice(list(metrics), tasks, p=weights / weights.sum())]
    make = {"loss": _losses, "accuracy": _shares, "reward": _returns}
    values = np.stack(
        [make[kind](draw, learned[:, k], late[:, k], noise[:, k], shared()[:, k]) for k, kind in enumerate(kinds)], 1
    )
    measured = [Metric(f"task{k}", kind, "min" if kind == "loss" else "max") for k, kind in enumerate(kinds)]

    names = [f"s{seed}-{i}" for i in range(count)]
    row, task, epoch = np.indices(values.shape)
    points = pd.DataFrame(
        {
            "run": np.array(names, dtype=object)[row.ravel()],
            "epoch": epoch.ravel() + 1,
            "metric": np.array([m.key for m in measured], dtype=object)[task.ravel()],
            "value": values.ravel(),
        }
    )
    # Every third run comes without a known schedule, as most logs do.
    known = {name: plans[i] for i, name in enumerate(names) if i % 3}
    return RunTable.from_points(points, measured, schedules=known)


def _learned(
    draw: np.random.Generator, shared: Callable[..., Array], plans: Array, horizon: int
) -> tuple[Array, NDArray[np.bool_]]:
    """What was learned by each epoch, from 0 to about 1, [R, K, T], and which runs learn at all, [R, K]."""
    # On some problems nearly every run learns, on others hardly any does (TaskSet: 4 to 15 %).
    threshold = draw.normal(-1.5, 0.4) if draw.uniform() < 0.75 else draw.uniform(-1.0, 1.6)
    learns = shared() > threshold
    pace, paces = draw.uniform(-1.5, np.log(horizon)), draw.uniform(0.2, 1.2)
    speed = np.exp(pace + paces * shared())
    power = np.exp(draw.uniform(-1.2, 0.3) + 0.4 * shared())
    waits = draw.uniform(-0.5, 2.5)  # on some problems most runs wait before they learn, on most hardly any
    onset = np.where(shared() > waits, np.exp(shared(0.8)) * draw.uniform(0.02, 0.3) * horizon, 0.0)
    # A smaller learning rate slows what is still going on. The first evaluation may come before the first step.
    passed = np.cumsum(plans ** draw.uniform(0, 1), axis=1) - draw.integers(0, 2)
    clock = np.maximum(passed[:, None] - onset[..., None], 0.0) / speed[..., None]
    power = power[..., None]
    steep = np.maximum(clock, 1e-9) ** (1 + 4 * power)
    family = draw.choice(3, speed.shape, p=draw.dirichlet([1.0, 1.0, 0.4]))[..., None]
    learned = np.choose(
        family, [1 - (1 + clock) ** -power, 1 - np.exp(-(clock ** np.minimum(power, 1.2))), steep / (1 + steep)]
    )
    return np.where(learns[..., None], learned, 0.02 * learned), learns


def _overfitting(draw: np.random.Generator, shared: Callable[..., Array], horizon: int) -> Array:
    """What is lost again after a turning point, in the units of what is learned, [R, K, T]."""
    often = draw.uniform(-0.5, 3.0)  # on every seventh problem most runs overfit
    turn = np.exp(draw.uniform(-3.0, -0.3) + 0.4 * shared()) * horizon
    height = np.where(shared() > often, np.exp(draw.uniform(-2.5, 0.3) + 0.5 * shared()), 0.0)
    since = np.maximum(np.arange(1, horizon + 1) - turn[..., None], 0.0) / horizon
    return height[..., None] * since ** draw.uniform(0.5, 1.5)


def _noise(draw: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """White noise of unit size, on some problems with spikes; positive is worse, and so is every spike."""
    noise = draw.standard_normal(shape)
    often = draw.uniform(0, 0.04) if draw.uniform() < 0.3 else 0.0
    return noise + np.where(draw.uniform(size=shape) < often, draw.exponential(8.0, shape), 0.0)


def _losses(draw: np.random.Generator, learned: Array, late: Array, noise: Array, own: Array) -> Array:
    """Positive values, of a problem's own unit, [R, T]: they fall by amounts to a floor, or by factors over decades."""
    unit, start = 10 ** draw.uniform(-3, 3), np.exp(draw.normal(0, 0.05, (len(learned), 1)))
    # Some losses carry a constant, many times what is learned of them.
    offset = 10 ** draw.uniform(0, 5) if draw.uniform() < 0.1 else 0.0
    if draw.uniform() < 0.6:
        # Floors of a hundredth up to 99 % of the first value.
        fall = 1 / (1 + np.exp(draw.uniform(-4.5, 4.5) + 0.5 * own))[:, None]
        level = (1 - fall * learned) * np.exp(-late * learned)
        level = np.maximum(level + 0.5 * fall * noise, 0.02 * (1 - fall) * np.exp(0.3 * noise))
        return unit * (start * level + offset)
    depth = np.exp(draw.uniform(-2.5, 2.4) + 0.4 * own)[:, None]
    fall = -depth * learned - late * learned + np.minimum(depth, 1) * noise
    return unit * (start * np.exp(np.clip(fall, -40, 4)) + offset)


def _shares(draw: np.random.Generator, learned: Array, late: Array, noise: Array, own: Array) -> Array:
    """Values between 0 and 1, [R, T]: from chance, or from exactly 0, towards a best one; counted on some examples."""
    chance = draw.choice([0.0, 0.01, 0.1, 0.25, 0.5])
    best = chance + (1 - chance) / (1 + np.exp(-(draw.normal(0.8, 1.5) + 0.7 * own)))[:, None]
    score = chance + (best - chance) * np.clip(learned, 0, 1)
    # What a decayed rate takes away is a part of the errors that are left.
    missed = 1 - score
    score = 1 - missed * np.exp(-np.clip(late, -1.0, None) * learned)
    score = score - 0.5 * noise * np.sqrt(best * (1 - best) + 1e-3)
    if chance == 0:  # a detector's score is 0 until the first object is found
        score = score - draw.choice([0.0, 0.02, 0.1, 0.3]) * best * np.maximum(1 - 2 * learned, 0)
    examples = draw.choice([0, 100, 1000, 10_000])
    score = np.rint(score * examples) / examples if examples else score
    return np.clip(score, 0.0, 1.0)


def _returns(draw: np.random.Generator, learned: Array, late: Array, noise: Array, own: Array) -> Array:
    """Values of either sign, [R, T]; returns are noisier than losses."""
    unit, origin = 10 ** draw.uniform(-1, 3), draw.normal(0, 1) * 10 ** draw.uniform(-2.5, 0.5)
    rise = np.exp(0.5 * own)[:, None]
    return unit * (origin + rise * learned * (1 + 0.5 * np.clip(late, -2, 2)) - draw.uniform(0.5, 3.0) * noise)


def schedules(draw: np.random.Generator, count: int, horizon: int) -> tuple[Array, Array]:
    """Relative learning rates [R, T], and how much of its decay each epoch has behind it: 0 to 1 for two decades."""
    share = np.arange(1, horizon + 1) / horizon
    kind = draw.choice(5, (count, 1), p=[0.2, 0.15, 0.4, 0.1, 0.15])
    first, second = draw.uniform(0.2, 0.6, (count, 1)), draw.uniform(0.6, 0.95, (count, 1))
    factor = draw.choice([0.1, 0.2, 0.5])
    step = np.where(share > second, factor**2, np.where(share > first, factor, 1.0))
    cycles = draw.integers(2, 6, (count, 1))
    restarts = 0.5 * (1 + np.cos(np.pi * ((share * cycles) % 1.0)))
    cosine = 0.5 * (1 + np.cos(np.pi * share))
    stable = np.where(share > second, (1 - share) / (1 - second), 1.0)
    plans = np.choose(kind, [np.ones((count, horizon)), cosine, step, restarts, stable])
    warm = draw.choice([0.0, 0.03, 0.1], (count, 1))
    plans = np.maximum(plans * np.minimum(share / np.maximum(warm, 1e-9), 1.0), 1e-3)
    after_peak = np.maximum.accumulate(plans, axis=1)
    return plans, np.clip(-np.log10(plans / after_peak) / 2, 0, 1)

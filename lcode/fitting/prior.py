"""A synthetic prior over learning curves: what curves of several coupled tasks look like, before any was seen.

Families as in LC-PFN (Adriaensen et al. 2023) in spirit, drawn anew: power laws and exponentials that start from a
common level, plateaus that break, runs that never learn or get worse again, and a learning-rate schedule whose decay
brings a last gain and slows what is still going on. Tasks of a run share a part of every parameter.

Problems differ more than the runs of one: from smooth curves that fall until the end to noisy ones that are done after
a few epochs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.table import Metric, RunTable


def synthetic_runs(count: int, *, tasks: int, horizon: int, seed: int) -> RunTable:
    """Draw runs from the prior.

    Args:
        count: number of runs R.
        tasks: number of tasks K; each has one error-like metric.
        horizon: last epoch.
        seed: the same seed gives the same runs.
    """
    draw = np.random.default_rng(seed)
    epochs = np.arange(1, horizon + 1)
    names = [f"s{seed}-{i}" for i in range(count)]
    # What the runs of a problem have in common: how deep its tasks fall and how fast, and how much the runs differ in
    # both; how noisy its curves are; how many follow a power law; whether they fall by amounts or by factors; how many
    # get worse again.
    depth, spread = draw.uniform(0.3, 3.0, tasks), draw.uniform(0.2, 0.9, tasks)
    pace, paces = draw.uniform(0.0, np.log(horizon), tasks), draw.uniform(0.2, 1.2)
    loudness, powerful = draw.uniform(-7.0, -1.7, tasks), draw.uniform()
    amounts, worse = draw.uniform() < 0.5, draw.uniform(0.6, 2.5)

    def shared(scale: float = 1.0) -> NDArray[np.float64]:
        """A standard normal per run and task, half of it common to the run's tasks."""
        return scale * (
            np.sqrt(0.5) * draw.standard_normal((count, 1)) + np.sqrt(0.5) * draw.standard_normal((count, tasks))
        )

    drop = depth * np.exp(spread * shared())
    # On some problems nearly every run learns, on others hardly any does (TaskSet: 4 to 15 %).
    threshold = draw.normal(-1.3, 0.4) if draw.uniform() < 0.6 else draw.uniform(-1.0, 1.6)
    learns = shared() > threshold
    drop = np.where(learns, drop, 0.02 * np.abs(shared()))
    speed = np.exp(pace + paces * shared())
    power = np.exp(-0.3 + 0.5 * shared())
    onset = np.where(shared() > 0.9, np.exp(shared(0.7)) * 0.08 * horizon, 0.0)
    plans, gain = _schedules(draw, count, horizon)
    # A smaller learning rate also slows what is still going on.
    passed = np.cumsum(plans ** draw.uniform(0, 1), axis=1)
    clock = np.maximum(passed[:, None] - onset[..., None], 0.0)
    fall = np.where(
        (draw.uniform(size=(count, tasks)) < powerful)[..., None],
        1 - (1 + clock / speed[..., None]) ** -power[..., None],
        1 - np.exp(-((clock / speed[..., None]) ** np.minimum(power, 1.2)[..., None])),
    )
    low = -drop[..., None]
    log_value = np.log1p(np.expm1(low) * fall) if amounts else low * fall
    rise = np.where(shared() > worse, np.exp(shared(0.6)) * 0.3, 0.0)
    log_value += rise[..., None] * np.maximum(epochs / horizon - draw.uniform(0.1, 0.6, (count, 1, 1)), 0)

    log_value -= np.where(learns, np.abs(shared(0.25)), 0.0)[..., None] * gain[:, None]
    noise = np.exp(loudness + 0.6 * shared())[..., None] * draw.standard_normal(log_value.shape)
    # A decayed learning rate calms the curve as well.
    log_value += noise * np.sqrt(np.maximum(plans, 0.03))[:, None] * np.minimum(drop + 0.05, 1.0)[..., None]

    values = np.exp(log_value + draw.normal(0, 0.05, (count, tasks, 1)))
    row, task, epoch = np.indices(values.shape)
    metrics = [Metric(f"task{k}", "loss", "min") for k in range(tasks)]
    points = pd.DataFrame(
        {
            "run": np.array(names, dtype=object)[row.ravel()],
            "epoch": epochs[epoch.ravel()],
            "metric": np.array([m.key for m in metrics], dtype=object)[task.ravel()],
            "value": values.ravel(),
        }
    )
    # Half of the runs come without a known schedule: most logs do.
    schedules = {name: plans[i] for i, name in enumerate(names) if i % 2}
    return RunTable.from_points(points, metrics, schedules=schedules)


def _schedules(draw: np.random.Generator, count: int, horizon: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relative learning rates [R, horizon], and how much of the last gain each epoch has brought, 0 to 1."""
    share = np.arange(1, horizon + 1) / horizon
    kind = draw.integers(0, 3, (count, 1))
    first, second = draw.uniform(0.3, 0.6, (count, 1)), draw.uniform(0.65, 0.9, (count, 1))
    step = np.where(share > second, 0.01, np.where(share > first, 0.1, 1.0))
    plans = np.choose(kind, [np.ones((count, horizon)), 0.5 * (1 + np.cos(np.pi * share)) + 1e-3, step])
    return plans, np.clip(-np.log10(np.maximum(plans, 1e-3)) / 2, 0, 1)

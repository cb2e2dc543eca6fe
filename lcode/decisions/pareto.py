"""Who is on the Pareto front: no other run is better in one respect and as good in all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc, rankdata

POINTS = 2**11
"""Points of a Sobol sequence that a volume is counted on. A run's share of the box is off by at most 0.001, 0.002 and
0.003 with two, three and four tasks (ten sets of eight random runs each, beside inclusion and exclusion)."""


def front_probability(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each run to end on the front of two metrics, counted on joint samples; larger is better in both.

    Args:
        one: samples of the first metric's final values, [n, R]; NaN = no forecast, never on the front.
        other: of the second metric's, likewise.

    Returns:
        Probabilities 0 to 1, [R].
    """
    chance: NDArray[np.float64] = on_front(np.stack([one, other], axis=-1)).mean(0)
    return chance


def on_front(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which runs are on the front, in each of n samples; runs with equal values share their place.

    Args:
        values: [n, R, T], larger is better in all T respects; a run with a NaN is never on the front and no rival.

    Returns:
        [n, R].
    """
    known = np.asarray(~np.isnan(values).any(-1))
    places = _not_plainly_dominated(np.where(known[..., None], values, -np.inf))
    open_ = known[:, places]
    # A task per array: comparisons run along the runs. Ranks in place of values add up without overflow, and hide no
    # small difference beside a large one.
    kept = [np.where(open_, values[:, places, task], -np.inf) for task in range(values.shape[-1])]
    quality = np.sum([rankdata(of_task, axis=1, method="min") for of_task in kept], axis=0)
    found = np.zeros_like(open_)
    while open_.any():
        # Nobody dominates the run of the best sum; who is as good as it in all respects has it as an equal.
        best = np.where(open_, quality, -1).argmax(1)[:, None]
        equal, beaten = open_.copy(), open_.copy()
        for of_task in kept:
            leader = np.take_along_axis(of_task, best, 1)
            equal &= of_task == leader
            beaten &= of_task <= leader
        found |= equal
        open_ &= ~beaten
    placed = np.zeros(known.shape, dtype=bool)
    placed[:, places] = found
    return placed


def volume_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Volume that each run alone dominates, of the box between 0 and a point: its hypervolume contribution.

    `HV(all runs) − HV(all but this one)` with the reference point 0 (Zitzler and Thiele 1998; the contribution as in
    SMS-EMOA, Beume et al. 2007), counted on evenly spread points of the box that ends at the best value of each task.

    Args:
        values: [n, R, T], larger is better; a run that is not above 0 in all T contributes nothing, nor does one with a
            NaN.

    Returns:
        Volumes ≥ 0, [n, R].
    """
    samples, runs, tasks = values.shape
    above = np.where((values > 0).all(-1, keepdims=True), values, 0.0)
    first = on_front(np.where(above > 0, above, np.nan))
    # Who is dominated still covers some of what would be lost with a run of the front: as far as the next front does.
    rivals = first | on_front(np.where((above > 0) & ~first[..., None], above, np.nan))
    points = qmc.Sobol(tasks, seed=0).random(POINTS)
    volumes = np.zeros((samples, runs))
    for i in range(samples):
        mine = np.flatnonzero(rivals[i])
        if not len(mine):
            continue
        corner = above[i, mine].max(0)
        inside = np.ones((len(mine), POINTS), dtype=bool)
        for task in range(tasks):
            inside &= above[i, mine, task][:, None] >= points[:, task] * corner[task]
        alone = inside & (inside.sum(0) == 1)
        volumes[i, mine] = alone.mean(1) * corner.prod()
    return volumes


def _not_plainly_dominated(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of runs that, in some sample, one good run does not dominate: mostly few, and only these are compared."""
    if not values.shape[1]:
        return np.zeros(0, dtype=np.intp)
    by_task = [values[..., task] for task in range(values.shape[-1])]
    best = np.sum([_scaled(of_task) for of_task in by_task], axis=0).argmax(1)[:, None]
    as_good, better = np.ones(values.shape[:2], dtype=bool), np.zeros(values.shape[:2], dtype=bool)
    for of_task in by_task:
        pivot = np.take_along_axis(of_task, best, 1)
        as_good &= of_task <= pivot
        better |= of_task < pivot
    return np.flatnonzero(~(as_good & better).all(0))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in units of their range, so that no respect outweighs another; halves: a range may overflow."""
    finite = values[np.isfinite(values)] / 2
    return values / 2 / ((np.ptp(finite) if len(finite) else 0.0) or 1.0)

"""How much of what was predicted of runs in progress came in their own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from lcode.fitting.progress import Progress
from lcode.forecast import LEVELS, Q05, Q50, Q95

Array = NDArray[np.float64]

OWN_SHARE, MIN_OTHERS = 0.3, 5
"""How much of a run's own predicted change counts where nothing is known; the runs it takes to know a common one."""

COMMON, OWN = np.linspace(0, 1.5, 16), np.linspace(0, OWN_SHARE, 3)
"""Shares of the common and of a run's own predicted change that are tried.

With up to twice `OWN_SHARE` the error on TaskSet, `waves` and the perceptron curves was another 3 to 5 % smaller, but
`cifar10_cnn` and `cells` were ranked worse than by their last values.
"""

SURE_FROM = 8
"""Epochs that must be seen to believe that more comes than predicted."""

AGO = (0.25, 0.5)
"""Shares of what was seen from which the present is forecast."""

RANKS = 5.0
"""What a rank correlation counts beside the relative error when a response is chosen."""

PRIOR = 2.0
"""In runs: how firmly a response is drawn towards what is taken where nothing is known."""

SPREADS, FIRM = np.array([0.0, 0.5, 1.0]), 10.0
"""How far the spread of values is the predicted one, and in runs: how firmly all of it is held to.

A model that ranks runs no better than their last values do still knows how far apart runs end: its values in the order
of the last ones had 16 % (at the first epoch 37 %) less error on `waves` and `cells` than last values that are moved
together, 8 % less on TaskSet after five points, and 20 % less CRPS on `cifar10_cnn`.
"""

LAW, LAWS = 0.25, np.linspace(0, 0.5, 5)
"""Share of each run's own power law where nothing is known, and the shares that are tried.

On long smooth curves (perceptrons, TaskSet) the law alone has up to a third less error than the network, on the noisy
ones of the corpus up to two thirds more. With this choice the error after a tenth and two tenths of the horizon was 11
to 17 % smaller on the perceptrons and TaskSet, 0 and 6 % on `cifar10_cnn`, and 0 and 5 % larger on `waves` and `cells`.
"""

BEST, RANKED = np.array([0.0, 0.5, 1.0]), 0.01
"""Shares of the way from a run's last value to its best one at which it may be placed among the others, and what the
whole way must gain in rank correlation. On the noisy curves of `cifar10_cnn` the best value ranks better by 0.03 than
the last one, on the smooth ones of TaskSet worse by 0.02; half of the way was never much worse."""

APART = 0.06
"""In model space: after their first epoch, runs whose 5 % and 95 % are nearer to each other than this have not yet
learned anything that differs, and may never: change is predicted in the square of the proportion. On five of TaskSet's
tasks, where most runs stay where they begin, the distance is 0.01 to 0.03, on the corpus 0.07 to 3."""

WIDTH, NARROW = 0.25, 0.2
"""Power of the width that the past would have needed: intervals far ahead are not those of the next epochs. Where it is
narrower than the second hardly a run moves, and its power is three times as large: on TaskSet a fifth less CRPS."""


@dataclass(frozen=True)
class Response:
    """How much of a predicted change came, for one metric.

    Attributes:
        common: share of the median change that is predicted for all runs.
        own: share of a run's deviation from it.
        width: factor on the intervals.
        law: share of a run's own power law in the forecast.
        best: share of the way from a run's last value to its best one at which it is placed among the others.
        spread: how far the runs' values, in the order that all this gives, are those that the model predicted.
    """

    common: float = 1.0
    own: float = OWN_SHARE
    width: float = 1.0
    law: float = 0.0
    best: float = 0.0
    spread: float = 1.0


def first_responses(now: Array) -> list[Response]:
    """The responses of R runs that have no past, from their values, [R, K]; see `APART`."""
    return [_first(values[np.isfinite(values)]) for values in now.T]


def _first(now: Array) -> Response:
    if len(now) < MIN_OTHERS:
        return Response()
    low, high = np.quantile(now, [LEVELS[Q05], LEVELS[Q95]])
    common = min(float((high - low) / APART) ** 2, 1.0)
    return Response(common, width=max(common, 0.1))


def learn_responses(forecasts: Array, pasts: Sequence[Progress], now: Array, seen: int) -> list[Response]:
    """The responses of R runs in their own past, one per metric.

    Args:
        forecasts: quantiles of the present values as they were forecast from earlier, in model space, [O, R, K, 21]:
            each of O times ago says something of another distance.
        pasts: what the runs had come to then, with laws for the present (Q = 1); O of them, the latest last.
        now: present values, [R, K]; NaN where there is none.
        seen: epochs seen by now.
    """
    before = np.stack([past.last for past in pasts])
    latest = pasts[-1]
    return [
        _learn(forecasts[:, :, k], before[:, :, k], latest.dips[:, k], latest.laws[:, k, 0], now[:, k], seen)
        for k in range(now.shape[1])
    ]


def in_order(order: Array, values: Array) -> Array:
    """The same values, to each run the one of its place in the order, both [R, Q]; NaN in the same rows of both."""
    placed = np.empty_like(values)
    np.put_along_axis(placed, np.argsort(order, axis=0, kind="stable"), np.sort(values, axis=0), axis=0)
    return placed


def _learn(forecasts: Array, before: Array, dips: Array, laws: Array, now: Array, seen: int) -> Response:
    """The response of one metric."""
    lawful = bool(np.isfinite(laws).any())
    known = np.isfinite(forecasts).all((0, -1)) & np.isfinite(before).all(0) & np.isfinite(now)
    if int(known.sum()) < MIN_OTHERS:
        return Response(law=LAW if lawful else 0.0)
    forecasts, before, dips, laws, now = forecasts[:, known], before[:, known], dips[known], laws[known], now[known]
    predicted = forecasts[..., Q50] - before
    middle = np.median(predicted, axis=1, keepdims=True)
    away = predicted - middle
    common, own = _shares(middle, away, before, now, COMMON if seen >= SURE_FROM else COMMON[COMMON <= 1])
    drawn = before + common * middle + own * away
    width = _width(now - drawn, forecasts)
    latest, whole = drawn[-1], (before + common * middle + away)[-1]
    ranked = [_tau(latest + best * dips, now) - RANKED * best for best in BEST]
    placed = in_order(latest[:, None], whole[:, None])[:, 0]
    spread = _share(latest, placed, now, SPREADS, 1.0, FIRM)
    latest = latest + spread * (placed - latest)
    law = _share(latest, np.where(np.isfinite(laws), laws, latest), now, LAWS, LAW, PRIOR) if lawful else 0.0
    return Response(common, own, width, law, float(BEST[int(np.argmax(ranked))]), spread)


def _shares(middle: Array, away: Array, before: Array, now: Array, tried: Array) -> tuple[float, float]:
    """Shares of the common change [O, 1] and of the own ones [O, R] with the least error and the best ranks."""
    change = now - before
    error = np.abs(change - tried[:, None, None, None] * middle - OWN[:, None, None] * away).mean((-1, -2))
    usual = np.abs(change - middle - OWN_SHARE * away).mean() + 1e-12
    ranks = [np.mean([_tau(b + share * a, now) for a, b in zip(away, before, strict=True)]) for share in OWN]
    firm = PRIOR / len(now) * ((tried[:, None] - 1) ** 2 + (OWN - OWN_SHARE) ** 2)
    best = np.unravel_index(int((error / usual - RANKS * np.array(ranks) + firm).argmin()), error.shape)
    return float(tried[best[0]]), float(OWN[best[1]])


def _width(left: Array, forecasts: Array) -> float:
    """What intervals are multiplied by, from what was left to explain [O, R] of forecasts [O, R, 21]."""
    above, below = forecasts[..., Q95] - forecasts[..., Q50], forecasts[..., Q50] - forecasts[..., Q05]
    needed = float(np.quantile(np.abs(left) / np.maximum(np.where(left > 0, above, below), 1e-9), 0.9))
    needed = float(np.clip(needed, 0.03, 4))
    return needed**WIDTH * min(needed / NARROW, 1.0) ** (2 * WIDTH)


def _share(one: Array, other: Array, now: Array, tried: Array, usual: float, firm: float) -> float:
    """How much the other forecast of the present should have counted, all [R]; held to the usual share."""
    error = np.abs(one + tried[:, None] * (other - one) - now).mean(-1)
    pull = firm / len(now) * (tried - usual) ** 2
    return float(tried[(error / (error[pull.argmin()] + 1e-12) + pull).argmin()])


def _tau(predicted: Array, true: Array) -> float:
    """Kendall's rank correlation, 0 where all are equal."""
    return float(np.nan_to_num(kendalltau(predicted, true).statistic))

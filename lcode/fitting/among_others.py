"""Forecasts without a finished run of the problem: what the other runs in progress say of how a run will go on.

A model that never saw a finished run of the problem knows better what happens to the runs on the whole than how they
differ, and how fast the runs of this problem learn it cannot know. But the runs in progress have a past: from the first
quarter and half of what was seen the rest is forecast, and the answer tells how much of a predicted change comes, and
how well a power law through each curve would have done. After one epoch there is only how far the runs lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from lcode.experts.power_fit import fit_power_laws
from lcode.forecast import LEVELS, Q05, Q50, Q95
from lcode.tensors.arrays import CurveArrays
from lcode.tensors.scaling import ValueScaler

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

LAW_POINTS = 5
"""Points a law is fitted to at least, and so twice as many before one counts: on fewer they rank runs badly."""

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


@dataclass(frozen=True, eq=False)
class Progress:
    """What R runs in progress have come to, in model space, where less is better.

    Attributes:
        last: last values, [R, K]; NaN where there is none.
        dips: best values so far less the last ones, at most 0, [R, K].
        laws: values at query epochs by power laws through the curves, [R, K, Q]; NaN where points are few.
    """

    last: Array
    dips: Array
    laws: Array

    @classmethod
    def of(cls, arrays: CurveArrays, scaler: ValueScaler, at: NDArray[np.int64]) -> Self:
        """Curves as far as they were seen, and the query epochs of each, [R, Q]."""
        last, values = scaler.scale(arrays.last_values), scaler.scale(arrays.values)
        best = np.where(np.isfinite(values), values, np.inf).min(-1, initial=np.inf)
        enough = (arrays.lengths >= LAW_POINTS)[..., None]
        laws = scaler.scale(np.where(enough, fit_power_laws(arrays).at(at), np.nan))
        return cls(last, np.where(np.isfinite(last), best - last, 0.0), laws)


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


def _learn(forecasts: Array, before: Array, dips: Array, laws: Array, now: Array, seen: int) -> Response:
    """The response of one metric."""
    lawful = bool(np.isfinite(laws).any())
    known = np.isfinite(forecasts).all((0, -1)) & np.isfinite(before).all(0) & np.isfinite(now)
    runs = int(known.sum())
    if runs < MIN_OTHERS:
        return Response(law=LAW if lawful else 0.0)
    forecasts, before, dips, laws, now = forecasts[:, known], before[:, known], dips[known], laws[known], now[known]
    change, predicted = now - before, forecasts[..., Q50] - before
    middle = np.median(predicted, axis=1, keepdims=True)
    away = predicted - middle
    common = COMMON if seen >= SURE_FROM else COMMON[COMMON <= 1]
    error = np.abs(change - common[:, None, None, None] * middle - OWN[:, None, None] * away).mean((-1, -2))
    usual = np.abs(change - middle - OWN_SHARE * away).mean() + 1e-12
    ranks = [np.mean([_ranked(b + share * a, now) for a, b in zip(away, before, strict=True)]) for share in OWN]
    firm = PRIOR / runs * ((common[:, None] - 1) ** 2 + (OWN - OWN_SHARE) ** 2)
    chosen = np.unravel_index(int((error / usual - RANKS * np.array(ranks) + firm).argmin()), error.shape)
    share, own = float(common[chosen[0]]), float(OWN[chosen[1]])
    left = change - share * middle - own * away
    above, below = forecasts[..., Q95] - forecasts[..., Q50], forecasts[..., Q50] - forecasts[..., Q05]
    needed = float(np.quantile(np.abs(left) / np.maximum(np.where(left > 0, above, below), 1e-9), 0.9))
    drawn, predicted = (before[-1] + share * middle[-1] + part * away[-1] for part in (own, 1.0))
    ranked = [_ranked(drawn + best * dips, now) - RANKED * best for best in BEST]
    placed = _in_order(drawn[:, None], predicted[:, None])[:, 0] - drawn
    error = np.abs(drawn + SPREADS[:, None] * placed - now).mean(-1)
    spread = float(SPREADS[(error / (error[-1] + 1e-12) + FIRM / runs * (SPREADS - 1) ** 2).argmin()])
    drawn = drawn + spread * placed
    return Response(
        share,
        own,
        width=_width(needed),
        law=_law_share(drawn, np.where(np.isfinite(laws), laws, drawn), now) if lawful else 0.0,
        best=float(BEST[int(np.argmax(ranked))]),
        spread=spread,
    )


def _in_order(order: Array, values: Array) -> Array:
    """The same values, to each run the one of its place in the order, both [R, Q]; NaN in the same rows of both."""
    placed = np.empty_like(values)
    np.put_along_axis(placed, np.argsort(order, axis=0, kind="stable"), np.sort(values, axis=0), axis=0)
    return placed


def _width(needed: float) -> float:
    """What the intervals are multiplied by, from what would have been right in the past."""
    needed = float(np.clip(needed, 0.03, 4))
    return needed**WIDTH * min(needed / NARROW, 1.0) ** (2 * WIDTH)


def _ranked(predicted: Array, true: Array) -> float:
    """Kendall's tau, 0 where all are equal."""
    return float(np.nan_to_num(kendalltau(predicted, true).statistic))


def _law_share(drawn: Array, law: Array, now: Array) -> float:
    """How much power laws should have counted in forecasts of the present, all [R]."""
    error = np.abs(drawn + LAWS[:, None] * (law - drawn) - now).mean(-1)
    firm = PRIOR / len(now) * (LAWS - LAW) ** 2
    return float(LAWS[(error / (error[0] + 1e-12) + firm).argmin()])


def among_others(scaled: Array, progress: Progress, asked: NDArray[np.int64], responses: Sequence[Response]) -> Array:
    """Draw each run's predicted change since its last value towards the median one of R runs seen as far.

    With all of its own change, on held-out problems, a run was ranked worse than by its last value. So this gives the
    order only: in it the runs are given the medians that were predicted with all changes, see `SPREADS`. Then each
    median is moved towards the run's own power law.

    Args:
        scaled: quantiles in model space, [R, K, Q, 21].
        progress: of the same runs.
        asked: query epochs, [R, Q]; only runs of the same ones are compared.
        responses: of each metric, [K].
    """
    drawn = scaled.copy()
    share, own, width, law, best, spread = np.array([astuple(response) for response in responses]).T[..., None]
    kind = np.unique(asked, axis=0, return_inverse=True)[1].reshape(-1)
    for group in range(kind.max(initial=-1) + 1):
        rows = np.flatnonzero(kind == group)
        middle, last, dips = scaled[rows][..., Q50], progress.last[rows][..., None], progress.dips[rows][..., None]
        change = middle - last
        known = np.isfinite(change)
        if len(rows) >= MIN_OTHERS and known.any(axis=0).all():
            common = np.nanmedian(change, axis=0)
            moved = last + share * common + own * (change - common) + best * (dips - np.median(dips, axis=0))
            moved += spread * (_in_order(moved, last + share * common + (change - common)) - moved)
            around = width[..., None] * (scaled[rows] - middle[..., None])
            drawn[rows] = np.where(known[..., None], moved[..., None] + around, scaled[rows])
    return drawn + (law * np.nan_to_num(progress.laws - drawn[..., Q50]))[..., None]

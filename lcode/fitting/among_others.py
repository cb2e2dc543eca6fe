"""Forecasts without a finished run of the problem: what the other runs in progress say of how a run will go on.

A model that never saw a finished run of the problem knows better what happens to the runs on the whole than how they
differ, and how fast the runs of this problem learn it cannot know. But the runs in progress have a past: from the first
quarter and half of what was seen the rest is forecast, and the answer tells how much of a predicted change comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from lcode.forecast import LEVELS

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

WIDTH = 0.25
"""Power of the width that the past would have needed: intervals far ahead are not those of the next epochs."""

_LOW, _MIDDLE, _HIGH = 1, len(LEVELS) // 2, len(LEVELS) - 2


@dataclass(frozen=True)
class Response:
    """How much of a predicted change came, for one metric.

    Attributes:
        common: share of the median change that is predicted for all runs.
        own: share of a run's deviation from it.
        width: factor on the intervals.
    """

    common: float = 1.0
    own: float = OWN_SHARE
    width: float = 1.0


def learn_response(forecasts: Array, before: Array, now: Array, seen: int) -> Response:
    """The response of R runs in their own past.

    Args:
        forecasts: quantiles of the present values as they were forecast from earlier, in model space, [O, R, 21]: each
            of O times ago says something of another distance.
        before: values then, [O, R].
        now: present values, [R]; NaN where there is none.
        seen: epochs seen by now.
    """
    known = np.isfinite(forecasts).all((0, -1)) & np.isfinite(before).all(0) & np.isfinite(now)
    runs = int(known.sum())
    if runs < MIN_OTHERS:
        return Response()
    forecasts, before, change = forecasts[:, known], before[:, known], (now - before)[:, known]
    predicted = forecasts[..., _MIDDLE] - before
    middle = np.median(predicted, axis=1, keepdims=True)
    away = predicted - middle
    common = COMMON if seen >= SURE_FROM else COMMON[COMMON <= 1]
    error = np.abs(change - common[:, None, None, None] * middle - OWN[:, None, None] * away).mean((-1, -2))
    usual = np.abs(change - middle - OWN_SHARE * away).mean() + 1e-12
    ranks = [
        np.mean([kendalltau(b + share * a, now[known]).statistic for a, b in zip(away, before, strict=True)])
        for share in OWN
    ]
    firm = PRIOR / runs * ((common[:, None] - 1) ** 2 + (OWN - OWN_SHARE) ** 2)
    best = np.unravel_index(int((error / usual - RANKS * np.nan_to_num(ranks) + firm).argmin()), error.shape)
    share, own = float(common[best[0]]), float(OWN[best[1]])
    left = change - share * middle - own * away
    above, below = forecasts[..., _HIGH] - forecasts[..., _MIDDLE], forecasts[..., _MIDDLE] - forecasts[..., _LOW]
    needed = float(np.quantile(np.abs(left) / np.maximum(np.where(left > 0, above, below), 1e-9), 0.9))
    return Response(share, own, float(np.clip(needed, 0.03, 4)) ** WIDTH)


def among_others(scaled: Array, last: Array, asked: NDArray[np.int64], responses: list[Response]) -> Array:
    """Draw each run's predicted change since its last value towards the median one of R runs seen as far.

    With all of its own change, on held-out problems, a run was ranked worse than by its last value.

    Args:
        scaled: quantiles in model space, [R, K, Q, 21].
        last: last values in model space, [R, K].
        asked: query epochs, [R, Q]; only runs of the same ones are compared.
        responses: of each metric, [K].
    """
    drawn = scaled.copy()
    share, own, width = (
        np.array([getattr(response, name) for response in responses])[:, None] for name in ("common", "own", "width")
    )
    kind = np.unique(asked, axis=0, return_inverse=True)[1].reshape(-1)
    for group in range(kind.max(initial=-1) + 1):
        rows = np.flatnonzero(kind == group)
        middle = scaled[rows][..., _MIDDLE]
        change = middle - last[rows][..., None]
        known = np.isfinite(change)
        if len(rows) >= MIN_OTHERS and known.any(axis=0).all():
            common = np.nanmedian(change, axis=0)
            moved = last[rows][..., None] + share * common + own * (change - common)
            around = width[..., None] * (scaled[rows] - middle[..., None])
            drawn[rows] = np.where(known[..., None], moved[..., None] + around, scaled[rows])
    return drawn

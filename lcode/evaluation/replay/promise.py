"""Whether a budget of regret was kept often enough to promise it: factors are learned on replays, then tested.

Learn then test (Angelopoulos et al. 2021, arXiv 2110.01052): for each factor the hypothesis "more than the budget is
lost in more than α of the sweeps" is tested by the binomial distribution of the replays that lost more. Factors are
tested from the smallest up, and the first that fails ends it, so that the level holds for all of them together. Replays
of the same runs in other orders are not independent: what is shown holds for sweeps of these runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binom

LEVEL = 0.1
"""Probability with which a factor may pass that does not keep the promise."""


def shown_factor(regrets: Mapping[float, Sequence[float]], *, allowed: float, alpha: float) -> float | None:
    """The largest factor for which the promise is shown; None if it is for none.

    Args:
        regrets: factor -> regret of each of its replays; one that left nothing (NaN) has lost more than any budget.
        allowed: the budget, in the same unit.
        alpha: share of sweeps that may lose more, 0 to 1.

    Examples:
        >>> shown_factor({1.0: [0.0] * 50, 10.0: [0.0] * 40 + [1.0] * 10}, allowed=0.5, alpha=0.05)
        1.0
    """
    passed = None
    for factor in sorted(regrets):
        lost = int((~(np.asarray(regrets[factor], dtype=float) <= allowed)).sum())
        if binom.cdf(lost, len(regrets[factor]), alpha) > LEVEL:
            break
        passed = factor
    return passed


def replays_needed(alpha: float) -> int:
    """How many replays it takes to show the promise if none of them loses more."""
    return math.ceil(math.log(LEVEL) / math.log1p(-alpha))

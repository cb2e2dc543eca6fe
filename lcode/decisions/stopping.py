"""What stopping runs now would save, and what it is expected to lose, for every threshold that one might choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import Forecast


@dataclass(frozen=True, eq=False)
class StoppingCurve:
    """Compute saved against expected regret, from the forecasts alone; T thresholds, ascending.

    Everything ascends with the threshold: who is stopped below a low one is so below a high one. Runs that were
    stopped or failed before take no part; finished ones do, as runs that are kept. It says what happens if runs are
    stopped *now*; whoever waits for the next epochs saves less and loses less.

    Attributes:
        thresholds: runs with a chance below it are stopped, 0 to 1; the chance is what `Ranking`'s action is decided
            on. Between two of them nothing changes. [T]
        stopped: runs stopped, [T]; those that diverged are, below any threshold.
        saved: share of the epochs still to come that is saved, 0 to 1, [T]; 0 where none is to come.
        regret: expected best score of all runs minus expected best score of those that are kept, in the objective's
            unit, ≥ 0, [T]; NaN where no run with a score is kept.
        delta: the threshold that the ranking's actions follow.
    """

    thresholds: NDArray[np.float64]
    stopped: NDArray[np.int64]
    saved: NDArray[np.float64]
    regret: NDArray[np.float64]
    delta: float

    @property
    def chosen(self) -> int:
        """Place of the ranking's own choice: the first threshold that stops the same runs as `delta`."""
        return self.place(self.delta)

    def place(self, threshold: float) -> int:
        """Place of the entry that holds for this threshold, 0 to 1."""
        return int(np.searchsorted(self.thresholds, threshold))


def stopping_curve(
    samples: NDArray[np.float64], chance: NDArray[np.float64], to_come: NDArray[np.int64], *, delta: float
) -> StoppingCurve:
    """The curve of R runs.

    Args:
        samples: joint samples of their scores at the horizon, higher is better, [n, R]; NaN = no forecast.
        chance: of each run to be worth its compute, 0 to 1, [R]; NaN: it is kept whatever the threshold (finished, or
            nothing is known of it yet); -inf: it is stopped whatever the threshold (diverged).
        to_come: epochs that each has still to train, [R].
        delta: the threshold that was chosen, 0 to 1.
    """
    kept_at = np.where(np.isnan(chance), np.inf, chance)
    thresholds = np.unique(np.append(kept_at[np.isfinite(kept_at)], 1.0))
    ascending = np.sort(kept_at)
    stopped = np.searchsorted(ascending, thresholds)
    epochs = np.append(0, np.cumsum(to_come[np.argsort(kept_at, kind="stable")]))
    saved = epochs[stopped] / epochs[-1] if epochs[-1] else np.zeros(len(thresholds))

    scored = np.flatnonzero(np.isfinite(samples).all(0))
    likeliest_first = scored[np.argsort(-kept_at[scored], kind="stable")]
    # Column j: the best score, sample by sample, if only the j + 1 runs with the best chances go on.
    best = np.maximum.accumulate(samples[:, likeliest_first], axis=1)
    kept = len(scored) - np.searchsorted(np.sort(kept_at[scored]), thresholds)
    lost = (best[:, -1:] - best).mean(0) if len(scored) else np.zeros(0)
    regret = np.where(kept > 0, np.append(lost, np.nan)[kept - 1], np.nan)
    return StoppingCurve(thresholds, stopped, saved, regret, delta)


def epochs_to_come(forecast: Forecast) -> NDArray[np.int64]:
    """Ticks of the epoch from each run's last observed one to its horizon, ≥ 0, [R]."""
    return np.maximum(forecast.horizons - np.maximum(forecast.observed.max(1, initial=0), 0), 0)

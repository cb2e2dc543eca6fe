"""Early stopping of each run by itself: what training loops have built in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lcode.arguments import check_count
from lcode.evaluation.replay.protocol import Course

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


@dataclass(frozen=True)
class Patience:
    """Stop a run whose score has not been better than its best for some reports; it is kept as it is then.

    Prechelt 1998 ("Early stopping, but when?"), criterion UP in the form of Keras' and Lightning's `EarlyStopping`. It
    compares no runs, so it saves nothing on a hopeless one that still learns.

    Attributes:
        reports: so many in a row without a new best score, ≥ 1.
    """

    reports: int = 5

    def __post_init__(self) -> None:
        check_count("reports", self.reports, 1)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`; neither the order nor the workers make a difference."""
        scores = np.where(np.isfinite(sweep.scores), sweep.scores, -np.inf)
        best = np.maximum.accumulate(scores, axis=1)
        better = np.ones(scores.shape, dtype=bool)
        better[:, 1:] = (best[:, 1:] > best[:, :-1]) | ~np.isfinite(best[:, 1:])  # no score yet: nothing to wait for
        places = np.arange(scores.shape[1])
        latest = np.maximum.accumulate(np.where(better, places, 0), axis=1)
        over = places - latest >= self.reports
        stop = np.where(over.any(1), over.argmax(1) + 1, scores.shape[1])
        return Course(np.minimum(stop, sweep.alive), keeps_stopped=True)

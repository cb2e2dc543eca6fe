"""What every rule that can be replayed is: something that says how far each run of a sweep is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Verdict

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


@dataclass(frozen=True, eq=False)
class Course:
    """How far each of R runs was trained.

    Attributes:
        reports: how many of its reports each run came to, [R]; one that came to its last has finished.
        verdicts: what was said of the runs, in this order, where the rule says anything.
        keeps_stopped: whether a run that is stopped is a result all the same, with what it has reached.
    """

    reports: NDArray[np.int64]
    verdicts: tuple[Verdict, ...] = ()
    keeps_stopped: bool = False


@runtime_checkable
class Rule(Protocol):
    """A way to spend the epochs of a sweep, such as the field's schedulers; it may look at nothing not yet trained."""

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """How far each run comes.

        Args:
            sweep: the R recorded runs.
            order: their indices, in the order in which they start.
            workers: runs that train at the same time, an epoch each in turn.
        """
        ...

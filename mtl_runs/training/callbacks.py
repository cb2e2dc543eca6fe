"""What a training tells its caller after every epoch, and what the caller may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Decision(Protocol):
    """What a callback may answer, such as a `Verdict` of `lcode`: whether to stop the run, and why."""

    @property
    def stop(self) -> bool:
        """Whether the run ends here."""

    @property
    def reason(self) -> str:
        """Why, for the log."""


class OnEpoch(Protocol):
    """Called after each epoch of a run with the values and signals that were logged; None means: go on."""

    def __call__(self, epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> Decision | None:
        """Decide on the run after this epoch."""


@dataclass(frozen=True)
class EpochReport:
    """One epoch of one run, as it was logged.

    Attributes:
        run: its name.
        epoch: the epoch.
        values: metrics by key.
        signals: auxiliary values by name.
    """

    run: str
    epoch: int
    values: Mapping[str, float]
    signals: Mapping[str, float]


class OnEpochs(Protocol):
    """Called after each epoch of a population with what was logged of every run that goes on."""

    def __call__(self, reports: Sequence[EpochReport]) -> Sequence[Decision | None]:
        """Decide on each of the runs; None means: go on."""

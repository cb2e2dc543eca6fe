"""The epochs of a live sweep: their unit, how long runs are, and whether they count from 0."""

from __future__ import annotations

from lcode.errors import UsageError
from lcode.hooks.live_run import Epoch
from lcode.table import RunTable, as_epochs, as_ticks
from lcode.table.axis import finer_unit


class SweepAxis:
    """What a history says of the epochs that live runs report; without runs, what these say themselves.

    Attributes:
        unit: the unit of which all epochs are whole multiples, as `RunTable.epoch_unit`.
        longest: the longest horizon of the history, as the user counts; None without runs.
    """

    def __init__(self, history: RunTable) -> None:
        self.unit = history.epoch_unit
        self.longest: Epoch | None = None
        self._given = len(history) > 0
        self._reached_from_zero: Epoch = -1
        if self._given:
            self.longest = as_epochs(history.runs["horizon"].max(), self.unit).item()
            of_run = history.points.groupby("run", observed=True)["epoch"]
            last = of_run.max()[of_run.min() == 0]
            self._reached_from_zero = as_epochs(last.max(), self.unit).item() if len(last) else -1

    def fitted(self, epoch: Epoch) -> Epoch:
        """The epoch itself, if it fits the axis; without a history the unit becomes as fine as it must.

        Raises:
            UsageError: the history has no such epochs, or it is no multiple of any sensible unit.
        """
        try:
            as_ticks(epoch, self.unit)
        except UsageError:
            if self._given:
                raise
            self.unit = finer_unit(self.unit, epoch)
        return epoch

    def counts_from_zero(self, horizon: Epoch | None) -> bool:
        """Whether a run that reports epoch 0 ends at `horizon - 1`, as `for epoch in range(horizon)` does.

        Not where runs of the history that began at epoch 0 went on to that horizon: there epoch 0 is the state before
        the training. Nor where the horizon is that of such runs: a table's horizon is the last epoch.

        Args:
            horizon: as stated for the run; None: that of the history.
        """
        return self._reached_from_zero < (0 if horizon is None else horizon)

"""A sweep whose runs are paused and gone on with, by what is worth training next (Swersky et al. 2014).

Nothing is lost by a pause: every run has a checkpoint there, and its log goes on from it. What is to be trained next
follows from the logs alone, so that a sweep that was interrupted, or whose budget was raised, goes on by the same call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lcode.errors import LcodeError
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.sweeps.conductor import Listener, Silent
from mtl_runs.sweeps.engine import Sweep
from mtl_runs.sweeps.logs import epoch_lines, last_status, log_status
from mtl_runs.training import RunSpec

Suggest = Callable[[Mapping[str, RunHeader], int], Mapping[str, int]]
"""From what is known of all runs before they start, and the epochs that are left of the budget, to how many epochs each
of some runs is to be trained now; empty: nothing is worth training any more."""


@dataclass(frozen=True)
class _OfBudget(Silent):
    """Tells of the epochs and the ends of runs as parts of one budget, and neither of its rounds nor of pauses."""

    told: Listener

    def epoch(self, run: str, epoch: int) -> None:
        """See `Listener`."""
        self.told.epoch(run, epoch)

    def end(self, run: str, status: RunStatus) -> None:
        """See `Listener`."""
        if status in ("finished", "failed"):
            self.told.end(run, status)

    def note(self, text: str) -> None:
        """See `Listener`."""
        self.told.note(text)


@dataclass
class FreezeThaw:
    """Trains runs for as long as they are worth it, within a budget.

    Args:
        sweep: how they are trained: folder, workers, device, …; without a monitor.
        suggest: says what is trained next; see `Suggest`.
        budget: epochs, all runs together, those of earlier calls included.
    """

    sweep: Sweep
    suggest: Suggest
    budget: int

    def run(self, specs: Sequence[RunSpec]) -> dict[str, RunStatus]:
        """Train some of these runs, going on where an earlier call ended.

        Returns:
            Status of every run that has begun: finished, failed, or `stopped` for one that is paused.

        Raises:
            UsageError: a run cannot be trained as it is configured; none is begun.
            LcodeError: a run killed its workers again and again.
        """
        headers = {spec.run: self.sweep.header(spec) for spec in specs}
        by_name = {spec.run: spec for spec in specs}
        told = self.sweep.listener
        with self.sweep.training() as train:
            sweep = replace(self.sweep, engine=train, listener=_OfBudget(told))
            told.begin(self.budget, len(specs))
            for run, epoch in self.epochs(specs).items():
                told.epoch(run, epoch)
            reached: dict[str, tuple[int, str | None]] = {}
            while (left := self.budget - sum(self.epochs(specs).values())) > 0:
                before, reached = reached, self._reached(specs)
                wanted = {} if before == reached else self.suggest(headers, left)
                if not wanted:
                    break  # nothing is worth training, or nothing came of what was
                self._train(sweep, [(by_name[run], epochs) for run, epochs in wanted.items()], left)
        statuses = {spec.run: log_status(self.sweep.folder, headers[spec.run]) for spec in specs}
        return {
            run: "stopped" if status == "running" else status for run, status in statuses.items() if status is not None
        }

    def epochs(self, specs: Sequence[RunSpec]) -> dict[str, int]:
        """How far each run has come, by its log; 0 before its first epoch."""
        return {spec.run: max(epoch_lines(self.sweep.folder, spec.run), default=0) for spec in specs}

    def _reached(self, specs: Sequence[RunSpec]) -> dict[str, tuple[int, str | None]]:
        """How far each run has come, and how its log ends."""
        return {run: (epoch, last_status(self.sweep.folder, run)) for run, epoch in self.epochs(specs).items()}

    def _train(self, sweep: Sweep, wanted: Sequence[tuple[RunSpec, int]], left: int) -> None:
        """Train these runs by so many epochs each, as far as the budget reaches; those to the same epoch together."""
        before = self.epochs([spec for spec, _ in wanted])
        until: dict[str, int] = {}
        for spec, epochs in wanted:
            taken = min(max(epochs, 1), spec.horizon - before[spec.run], left)
            left -= taken
            if taken > 0:
                until[spec.run] = before[spec.run] + taken
        specs = [spec for spec, _ in wanted if spec.run in until]
        statuses, after = sweep.run(specs, until=until), self.epochs(specs)
        lost = [run for run, status in statuses.items() if status == "running" and after[run] < until[run]]
        if lost:
            raise LcodeError(
                f"these runs killed their worker processes and were given up: {', '.join(lost)}; is there enough "
                "memory?"
            )

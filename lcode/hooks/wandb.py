"""Runs of a W&B sweep that end themselves, with what they have reached: a loop that is left early is no crash."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from lcode.errors import UsageError
from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.watched import Watched
from lcode.readers.understanding.column_words import FORECASTS
from lcode.table import RunStatus

try:
    import wandb
except ImportError as error:
    raise missing("Weights & Biases", "wandb") from error


class WandbRun:
    """Logs the epochs of a run and says when to leave its loop, see `lcode.EarlyStopper`.

    The run is named by its id, which a resumed run keeps, and known by its configuration, which a sweep's agent has
    set. Agents that give the same folder as `sweep` are compared with each other. Beside the metrics of an epoch their
    forecasts are logged, as `lcode/<metric>`; why a run was stopped is in its summary (`lcode/kind`, `lcode/reason`,
    `lcode/saved_epochs`). As a context it tells how the loop ended: a run that raises has failed, and is nobody's
    rival.

    Args:
        monitor: see `EarlyStopper`.
        max_epochs: planned last epoch.
        run: the run; default: the one that `wandb.init` has begun.
        **options: see `EarlyStopper`.

    Attributes:
        stopper: makes the decisions.

    Raises:
        UsageError: no run has begun, or see `EarlyStopper`.
    """

    def __init__(self, monitor: Watched, max_epochs: float, *, run: Any = None, **options: Any) -> None:
        check_passed_on(options, WandbRun, EarlyStopper)
        self._run: Any = wandb.run if run is None else run
        if self._run is None:
            raise UsageError("no run of W&B has begun; call wandb.init() first")
        self.stopper = EarlyStopper(
            monitor, max_epochs, **{"run": self._run.id, "config": dict(self._run.config), **options}
        )

    def log(self, epoch: float, metrics: Mapping[str, Any]) -> Decision:
        """Log an epoch to W&B and hear whether to leave the loop.

        Args:
            epoch: the epoch that the metrics were measured after; it is logged as `epoch`.
            metrics: what is to be logged; those that are watched are reported.
        """
        decision = self.stopper.update(epoch, metrics)
        ends = {f"{FORECASTS}{name}": at["median"] for name, at in decision.forecast.items()}
        self._run.log({"epoch": epoch, **metrics, **ends})
        if decision:
            why = {"kind": decision.kind, "reason": decision.reason, "saved_epochs": decision.saved_epochs}
            self._run.summary.update({f"{FORECASTS}{name}": value for name, value in why.items()})
        return decision

    def finish(self, status: RunStatus = "finished") -> None:
        """The loop ended otherwise.

        Args:
            status: `finished`: what the run has reached counts for the others; `failed`: it counts no more.
        """
        self.stopper.finish(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A run that failed is nobody's rival; one that was interrupted may go on."""
        if error is None or isinstance(error, Exception):
            self.finish("finished" if error is None else "failed")

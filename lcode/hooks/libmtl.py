"""Early stopping by forecasts in LibMTL, whose trainer asks nobody: its meter is listened to. Imports no LibMTL."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from lcode.errors import UsageError
from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.watched import Watched
from lcode.table import Direction


class LibMTLStopper:
    """Leaves the training of a LibMTL `Trainer` when its forecast says so, see `lcode.EarlyStopper`. A context manager.

    `Trainer.train` has neither callbacks nor a way to end it. So while the block lasts, what the trainer's meter
    displays at the end of each epoch is reported: the metrics of the validation, or of the test where there is none.
    When the run is to stop, the trainer's best result is printed, as at the end of every training, and the block is
    left after that epoch.

    Args:
        trainer: the trainer, with its `meter`.
        epochs: as given to `train`.
        monitor: the metrics to watch, `task/metric` as in `task_dict`; default: all. Their directions are LibMTL's own
            (`weight`) where they are not given.
        **options: see `EarlyStopper`.

    Attributes:
        stopper: makes the decisions.

    Raises:
        UsageError: the trainer has no such meter, or see `EarlyStopper`.
    """

    def __init__(self, trainer: Any, epochs: int, monitor: Watched | None = None, **options: Any) -> None:
        check_passed_on(options, LibMTLStopper, EarlyStopper, said_by={"max_epochs": "epochs"})
        meter: Any = getattr(trainer, "meter", None)
        missing = [name for name in ("display", "results", "task_dict") if not hasattr(meter, name)]
        if missing:
            raise UsageError(
                f"the trainer is no LibMTL Trainer: its meter has no '{missing[0]}'; give LibMTL.Trainer(…) itself"
            )
        self._meter = meter
        known = _directions(meter.task_dict)
        if monitor is None or isinstance(monitor, str) or not hasattr(monitor, "items"):
            names = list(known) if monitor is None else [monitor] if isinstance(monitor, str) else list(monitor)
            unknown = [name for name in names if name not in known]
            if unknown:
                raise UsageError(f"no metric '{unknown[0]}' in task_dict; there are: {', '.join(known)}")
            monitor = {name: known[name] for name in names}
        self.stopper = EarlyStopper(monitor, epochs, **options)

    @property
    def decision(self) -> Decision | None:
        """The last decision."""
        return self.stopper.decision

    def __enter__(self) -> Self:
        self._display = self._meter.display
        self._meter.display = self._listen
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        del self._meter.display  # the class's own again
        left = isinstance(error, _Left)
        if left:
            self._meter.display_best_result()
            self._meter.reinit()
        if kind is None or left:
            self.stopper.finish()
        elif issubclass(kind, Exception):
            self.stopper.finish("failed")
        return left

    def _listen(self, mode: str, epoch: int) -> None:
        """In place of the meter's `display`; each epoch comes as train, val if there is one, test."""
        self._display(mode=mode, epoch=epoch)
        if mode == ("val" if self._meter.has_val else "test"):
            self.stopper.update(epoch + 1, _measured(self._meter))
        if mode == "test" and self.stopper.decision:
            raise _Left(self.stopper.told())


class _Left(Exception):  # no error
    """The training is to be left."""


def _directions(tasks: Any) -> dict[str, Direction]:
    """`max` or `min` by `task/metric`: LibMTL's weight of a metric is 1 where larger is better, else 0."""
    return {
        f"{task}/{metric}": "max" if weight == 1 else "min"
        for task, facts in tasks.items()
        for metric, weight in zip(facts["metrics"], facts["weight"], strict=True)
    }


def _measured(meter: Any) -> dict[str, float]:
    """What the meter has of this epoch, by `task/metric`."""
    return {
        f"{task}/{metric}": value
        for task, facts in meter.task_dict.items()
        for metric, value in zip(facts["metrics"], meter.results[task], strict=True)
    }

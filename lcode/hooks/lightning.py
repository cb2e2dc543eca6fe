"""Early stopping by forecasts in Lightning: `Trainer(callbacks=[LcodeCallback({"val/acc": "max"})])`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from lcode.errors import UsageError
from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.watched import Watched

try:
    import lightning.pytorch as pl
except ImportError:
    try:
        import pytorch_lightning as pl  # type: ignore[no-redef]  # the same, by its older name
    except ImportError as error:
        raise missing("Lightning", "lightning") from error


class LcodeCallback(pl.Callback):
    """Stops the training of a `LightningModule` when its forecast says so, see `lcode.EarlyStopper`.

    The metrics are read from `trainer.callback_metrics`: those of training and validation once both are there, at the
    end of each training epoch; where validation runs more or less often than once per epoch, at the end of each
    validation, and epochs are then counted in optimiser steps. The sanity check before the training, `fast_dev_run`,
    and validation outside of a fit are left alone. On several processes rank 0 decides, and all hear.

    What was reported is in the trainer's checkpoints, so a training that is killed and resumed decides as one that was
    not. `should_stop` is never set before `min_epochs`, so a decision that would have been withdrawn binds nobody.

    Args:
        monitor: see `EarlyStopper`; the names are those given to `self.log`.
        **options: see `EarlyStopper`; `max_epochs` and `config` are the trainer's and the module's where they are not
            given.

    Attributes:
        stopper: makes the decisions, on rank 0.

    Raises:
        UsageError: see `EarlyStopper`.
    """

    def __init__(self, monitor: Watched, **options: Any) -> None:
        super().__init__()
        check_passed_on(options, LcodeCallback, EarlyStopper)
        self.stopper = EarlyStopper(monitor, **options)
        self._least = 0
        self._key = self._generate_state_key(monitor=sorted(self.stopper.monitor), run=self.stopper.run)

    @property
    def decision(self) -> Decision | None:
        """The last decision, on rank 0."""
        return self.stopper.decision

    @property
    def state_key(self) -> str:
        """Names the state in a checkpoint; callbacks of several runs or metrics do not get into each other's way."""
        return self._key

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out how long the training is, and in what it is counted."""
        if _is_trial(trainer) or not trainer.is_global_zero:
            return
        plan = _Plan.of(trainer)
        if plan.end is None and self.stopper.max_epochs is None:
            raise UsageError("the trainer has no end to forecast; say Trainer(max_epochs=200) or (max_steps=10_000)")
        hyper = getattr(pl_module, "hparams", None)
        config = dict(hyper) if isinstance(hyper, Mapping) and hyper else None
        self._least = plan.least
        self.stopper.begin(plan.end, config=config, epochs_each=plan.each, least=plan.least)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the epoch, where validation runs once in each."""
        if _validates_once_per_epoch(trainer) and not _is_trial(trainer):
            self._report(trainer, trainer.current_epoch + 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the steps, where validation does not run once per epoch."""
        fitting = trainer.state.fn == pl.trainer.states.TrainerFn.FITTING and not trainer.sanity_checking
        if fitting and not _is_trial(trainer) and not _validates_once_per_epoch(trainer):
            self._report(trainer, trainer.global_step)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What the run has reached counts for the others."""
        if not _is_trial(trainer):
            self.stopper.finish()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """A run that failed is nobody's rival; one that was interrupted may go on."""
        if isinstance(exception, Exception):
            self.stopper.finish("failed")

    def state_dict(self) -> dict[str, Any]:
        """What was reported, for the trainer's checkpoint."""
        return self.stopper.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint has."""
        self.stopper.load_state_dict(state_dict)

    def _report(self, trainer: pl.Trainer, epoch: int) -> None:
        """Decide on rank 0, and let every rank hear: each must come to the collective, or all wait for ever."""
        stop = False
        if trainer.is_global_zero:
            decision = self.stopper.update(epoch, trainer.callback_metrics)
            stop = bool(decision) and epoch >= self._least  # else Lightning would remember it until then
            if stop:
                pl.utilities.rank_zero_info(self.stopper.told())
        stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        trainer.should_stop = trainer.should_stop or stop


def _is_trial(trainer: pl.Trainer) -> bool:
    """Whether the trainer only tries a few batches."""
    return bool(getattr(trainer, "fast_dev_run", False))


def _validates_once_per_epoch(trainer: pl.Trainer) -> bool:
    """The rule by which Lightning's own `EarlyStopping` chooses its place: once validation runs in each epoch.

    A training without validation reports at the end of its epochs as well.
    """
    if not trainer.enable_validation:
        return True
    return bool(trainer.val_check_interval == 1.0 and trainer.check_val_every_n_epoch == 1)


@dataclass(frozen=True)
class _Plan:
    """How long a training is, in epochs or, where these do not count, in steps.

    Attributes:
        end: the last epoch or step; None where the trainer has none.
        each: how many of what is counted make an epoch.
        least: Lightning ends no training before.
    """

    end: int | None
    each: int
    least: int

    @classmethod
    def of(cls, trainer: pl.Trainer) -> _Plan:
        in_steps = not _validates_once_per_epoch(trainer)
        batches = trainer.num_training_batches  # inf for a data set without a length
        each = None if batches == inf else -(-int(batches) // trainer.accumulate_grad_batches)

        def counted(epochs: int | None, steps: int | None) -> list[int]:
            """These in what is counted; what is not limited, or cannot be told, is left out."""
            found = []
            if epochs is not None and epochs > 0 and (each or not in_steps):
                found.append(epochs * (each or 1) if in_steps else epochs)
            if steps is not None and steps > 0 and (each or in_steps):
                found.append(steps if in_steps else -(-steps // (each or 1)))
            return found

        end = min(counted(trainer.max_epochs, trainer.max_steps), default=None)
        least = max(counted(trainer.min_epochs, trainer.min_steps), default=0)
        return cls(end, each or 1 if in_steps else 1, least)

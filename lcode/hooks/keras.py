"""Early stopping by forecasts in Keras: `model.fit(…, callbacks=[LcodeCallback({"val_accuracy": "max"})])`."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.watched import Watched

try:
    from keras.callbacks import Callback
except ImportError as error:
    raise missing("Keras", "keras") from error


class LcodeCallback(Callback):
    """Ends `fit` when the forecast of its metrics says so, see `lcode.EarlyStopper`. For Keras 3, on any backend.

    A training that is killed and goes on (`initial_epoch`, `BackupAndRestore`) decides as one that was not if it has a
    folder: `sweep="runs", run="a17"`. Without one, keep `stopper.state_dict()` with your weights.

    Args:
        monitor: see `EarlyStopper`; the names are those in the logs of Keras.
        **options: see `EarlyStopper`; `max_epochs` is that of `fit` where it is not given.

    Attributes:
        stopper: makes the decisions.

    Raises:
        UsageError: see `EarlyStopper`.
    """

    def __init__(self, monitor: Watched, **options: Any) -> None:
        super().__init__()
        check_passed_on(options, LcodeCallback, EarlyStopper)
        self.stopper = EarlyStopper(monitor, **options)
        self._begins = self._told = False

    @property
    def decision(self) -> Decision | None:
        """The last decision."""
        return self.stopper.decision

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Find out how long the training is."""
        self.stopper.begin((self.params or {}).get("epochs"))  # a CallbackList of one's own may have none
        self._begins = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Report an epoch, and end the training if that is the decision."""
        if self._begins:
            self._begins = False
            self._tell_of_new_beginning(epoch + 1)
        decision = self.stopper.update(epoch + 1, logs or {})
        if decision:
            self.model.stop_training = True
            logging.getLogger(__name__).warning(self.stopper.told())

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """What the run has reached counts for the others."""
        self.stopper.finish()

    def _tell_of_new_beginning(self, epoch: int) -> None:
        """Say it once where each `fit` is a part of one training and counts from its own beginning."""
        planned, each, last = self.stopper.max_epochs, (self.params or {}).get("epochs"), self.stopper.decision
        if self._told or last is None or planned is None or each is None or each >= planned or epoch > last.epoch:
            return
        self._told = True
        warnings.warn(
            f"run '{self.stopper.run}': epoch {epoch} comes again, as each fit counts from its own beginning, and "
            f"max_epochs={planned:g} is never reached; say fit(initial_epoch=…, epochs=…), such as "
            f"fit(initial_epoch={last.epoch:g}, epochs={last.epoch + each:g}) now",
            stacklevel=2,
        )

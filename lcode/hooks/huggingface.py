"""Early stopping by forecasts in Hugging Face's `Trainer(…, callbacks=[LcodeCallback({"accuracy": "max"})])`."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from lcode.errors import UsageError
from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.extras import missing
from lcode.hooks.inputs import check_passed_on
from lcode.hooks.watched import Watched

try:
    from accelerate.utils import broadcast_object_list
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
    from transformers.trainer_utils import IntervalStrategy
    from transformers.utils import logging
except ImportError as error:
    raise missing("Hugging Face's Trainer", "huggingface") from error

PREFIX = "eval_"
"""What `Trainer` puts before the names of metrics; `monitor` may name them with it or without."""

CONFIG = (
    "learning_rate",
    "weight_decay",
    "warmup_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "adam_beta1",
    "adam_beta2",
    "max_grad_norm",
    "label_smoothing_factor",
)
"""The hyper-parameters among the training's arguments."""


class LcodeCallback(TrainerCallback):
    """Ends a training when its forecast says so, see `lcode.EarlyStopper`.

    Each evaluation within a training is a report: by the epoch where the trainer evaluates once in each
    (`eval_strategy="epoch"`), by the optimiser step where it evaluates by steps. On several processes the first one
    decides, and all hear.

    A training that is resumed from a checkpoint decides as one that was not interrupted: the evaluations so far are
    in the log history of the trainer's state. A checkpoint of an epoch's last step that is saved before the epoch is
    evaluated goes on without this evaluation: let `save_strategy` be `eval_strategy`.

    In `hyperparameter_search` each trial is a run, called as its `hp_name` says; with `sweep` they are compared.

    Args:
        monitor: see `EarlyStopper`; names as `compute_metrics` has them, with or without `eval_`.
        **options: see `EarlyStopper`; `max_epochs` is the trainer's, and `config` its arguments of optimisation, where
            they are not given.

    Attributes:
        stopper: makes the decisions.

    Raises:
        UsageError: see `EarlyStopper`.
    """

    def __init__(self, monitor: Watched, **options: Any) -> None:
        check_passed_on(options, LcodeCallback, EarlyStopper)
        self.stopper = EarlyStopper(monitor, **options)
        self._training = False

    @property
    def decision(self) -> Decision | None:
        """The last decision, on the first process."""
        return self.stopper.decision

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Find out how long the training is, in what it is counted, and what was evaluated before it was resumed."""
        strategy = IntervalStrategy(args.eval_strategy)
        if strategy == IntervalStrategy.NO:
            raise UsageError('the trainer never evaluates; say TrainingArguments(eval_strategy="epoch")')
        self._training, self._in_steps = True, strategy == IntervalStrategy.STEPS
        if not state.is_world_process_zero:
            return
        end = state.max_steps if self._in_steps else state.num_train_epochs
        each = max(state.max_steps / max(state.num_train_epochs, 1), 1) if self._in_steps else 1
        config = {name: getattr(args, name) for name in CONFIG if hasattr(args, name)}
        if state.is_hyper_param_search and isinstance(state.trial_params, Mapping):
            config.update(state.trial_params)
        self.stopper.begin(end, config=config, run=state.trial_name, epochs_each=each)
        rows = [row for row in state.log_history if row.get("step") and any(name.startswith(PREFIX) for name in row)]
        self.stopper.recall((self._epoch(int(row["step"]), row["epoch"]), _named(row)) for row in rows)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report an evaluation, and end the training if that is the decision; every process must come here."""
        if not self._training or not state.global_step:  # on its own, or before the first step
            return
        stop = [False]
        if state.is_world_process_zero:
            decision = self.stopper.update(self._epoch(state.global_step, state.epoch or 0), _named(metrics or {}))
            if decision:
                logging.get_logger(__name__).warning(self.stopper.told())
            stop = [bool(decision)]
        broadcast_object_list(stop)
        control.should_training_stop = control.should_training_stop or stop[0]

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """What the run has reached counts for the others."""
        self._training = False
        self.stopper.finish()

    def _epoch(self, step: int, epoch: float) -> int:
        """What is counted: steps, or whole epochs, of which the last may have been cut short."""
        return step if self._in_steps else ceil(round(epoch, 6))


def _named(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics by their names with and without the prefix."""
    return {**{name.removeprefix(PREFIX): value for name, value in metrics.items()}, **metrics}

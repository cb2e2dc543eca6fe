"""What a multi-task problem is: tasks with a loss and metrics, and three disjoint splits of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from lcode.errors import UsageError
from lcode.table import Metric

Kind = Literal["classification", "regression"]

METRIC_NAMES: Mapping[Kind, str] = {"classification": "err", "regression": "rmse"}
"""What is measured on held-out data, per kind of task: error rate in 0..1, root mean squared error in raw units."""


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: file- and module-name safe; the first part of its metrics' keys.
        kind: `classification` (cross-entropy on integer labels) or `regression` (mean squared error).
        n_outputs: number of classes, or of regressed values.
    """

    name: str
    kind: Kind
    n_outputs: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `evaluate` measures; smaller is better for all of them."""
        return (Metric(self.name, METRIC_NAMES[self.kind], "min"),)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over a batch.

        Args:
            outputs: the head's outputs, [B, n_outputs].
            targets: class indices [B], or values [B, n_outputs].
        """
        if self.kind == "classification":
            return functional.cross_entropy(outputs, targets)
        return functional.mse_loss(outputs, targets)

    def evaluate(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The metrics of these predictions, by key; shapes as in `loss`."""
        (metric,) = self.metrics
        if self.kind == "classification":
            return {metric.key: float((outputs.argmax(-1) != targets).to(torch.float64).mean())}
        return {metric.key: float(functional.mse_loss(outputs.double(), targets.double()).sqrt())}


@dataclass(frozen=True)
class Split:
    """Part of a data set, in memory.

    Attributes:
        inputs: float32, [N, *input_shape].
        targets: by task, int64 [N] for classification, float32 [N, n_outputs] for regression.
    """

    inputs: Tensor
    targets: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: str) -> Split:
        """The same data on a device."""
        return Split(self.inputs.to(device), {task: values.to(device) for task, values in self.targets.items()})


@dataclass(frozen=True)
class Problem:
    """K tasks on the same inputs.

    Attributes:
        name: its name in `PROBLEMS` and in the logs.
        tasks: the K tasks; the order of every per-task tensor.
        train: what is trained on.
        validation: what is logged every epoch; choices are made on it.
        test: looked at once, after all choices.
    """

    name: str
    tasks: tuple[Task, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch."""
        return tuple(self.train.inputs.shape[1:])

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All tasks' metrics, in task order."""
        return tuple(metric for task in self.tasks for metric in task.metrics)

    def restrict(self, names: tuple[str, ...]) -> Problem:
        """The problem with these tasks only, in its own order; with one name, a single-task problem.

        Raises:
            UsageError: no such task; the message lists them.
        """
        known = [task.name for task in self.tasks]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise UsageError(f"problem '{self.name}' has no task '{', '.join(unknown)}'; it has: {', '.join(known)}")
        return replace(self, tasks=tuple(task for task in self.tasks if task.name in names))

    def to(self, device: str) -> Problem:
        """The same problem with its data on a device."""
        return replace(
            self, train=self.train.to(device), validation=self.validation.to(device), test=self.test.to(device)
        )

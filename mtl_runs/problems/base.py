"""What a multi-task problem is: tasks with a loss and metrics, and three disjoint splits of data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from lcode.errors import UsageError
from lcode.table import Metric


@dataclass(frozen=True)
class Task(ABC):
    """One task: how its predictions are compared with its targets, in training and on held-out data.

    Everything is batched over R members, stacked networks that are trained side by side. What a member gets depends
    on that member's predictions only, to the last bit: every member is reduced over its own dimensions.

    Attributes:
        name: file- and module-name safe; the first part of its metrics' keys.
        n_outputs: number of values that a network predicts, per input or, for a dense task, per pixel.
        dense: whether it predicts for every pixel of the input.
        target_dtype: type of the targets.
    """

    name: str
    n_outputs: int

    dense: ClassVar[bool] = False
    target_dtype: ClassVar[torch.dtype] = torch.float32

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """What `measure` returns, with directions."""

    @abstractmethod
    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """Shape of one target, for inputs of this shape (both without the batch)."""

    def output_shape(self, input_shape: Sequence[int]) -> tuple[int, ...] | None:
        """Shape of one prediction, for inputs of this shape (both without the batch); None: any is taken."""
        return (self.n_outputs, *input_shape[1:]) if self.dense else (self.n_outputs,)

    def refuses(self, targets: Tensor, n_samples: int, input_shape: Sequence[int]) -> str | None:
        """Why these cannot be the targets of so many samples of inputs of this shape; None = they can."""
        expected = (n_samples, *self.target_shape(input_shape))
        if tuple(targets.shape) == expected and targets.dtype == self.target_dtype:
            return None
        return f"targets are {targets.dtype} {list(targets.shape)}, expected {self.target_dtype} {list(expected)}"

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over each member's batch.

        Args:
            outputs: predictions, [R, B, n_outputs], for a dense task [R, B, n_outputs, H, W].
            targets: [R, B, *target_shape].

        Returns:
            [R], differentiable.
        """

    @abstractmethod
    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Sums over a batch from which the metrics follow; those of several batches add up.

        Args:
            outputs: as in `loss`.
            targets: [B, *target_shape], the same for all members.

        Returns:
            float64 [R, S].
        """

    @abstractmethod
    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """The metrics of these sums, in natural units.

        Args:
            tally: what `tally` returned, added up over batches, [R, S].

        Returns:
            Metric key -> float64 [R], in the order of `metrics`.
        """


@dataclass(frozen=True)
class Split:
    """Part of a data set, in memory.

    Attributes:
        inputs: float32, [N, *input_shape].
        targets: by task, [N, *target_shape] of the task's `target_dtype`.
    """

    inputs: Tensor
    targets: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: str) -> Split:
        """The same data on a device."""
        return Split(self.inputs.to(device), {task: values.to(device) for task, values in self.targets.items()})


NetworkMaker = Callable[[], tuple[nn.Module, Mapping[str, nn.Module]]]
"""Makes a network with new first weights: a shared part, and a head for each task."""


@dataclass(frozen=True)
class Problem:
    """K tasks on the same inputs.

    Attributes:
        name: its name in `PROBLEMS` and in the logs.
        tasks: the K tasks; the order of every per-task tensor.
        train: what is trained on.
        validation: what is logged every epoch; choices are made on it.
        test: looked at once, after all choices.
        network: where it brings a network of its own: makes the part that all tasks share, and by task the part that
            takes what the shared one puts out. It is trained as architecture `own`.

    Raises:
        UsageError: a split has no targets of a task, or targets of another shape or type than the task's.
    """

    name: str
    tasks: tuple[Task, ...]
    train: Split
    validation: Split
    test: Split
    network: NetworkMaker | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for label, split in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            for task in self.tasks:
                self._check(label, split, task)

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

    def _check(self, label: str, split: Split, task: Task) -> None:
        place = f"problem '{self.name}', {label} split, task '{task.name}'"
        if task.name not in split.targets:
            raise UsageError(f"{place}: no targets; there are targets of: {', '.join(split.targets)}")
        refused = task.refuses(split.targets[task.name], len(split), split.inputs.shape[1:])
        if refused is not None:
            raise UsageError(f"{place}: {refused}")

"""What a network reaches that ignores its inputs: the level of runs that learned nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mtl_runs.problems import BinaryClassification, Classification, Depth, Normals, Problem, Segmentation, Task

SLACK = 0.02
"""A value that beats the trivial one by less than this share of it counts as trivial."""


def trivial_levels(problem: Problem) -> dict[str, float]:
    """Metric key -> its value on the validation data for the best constant prediction on the training data.

    That is the most frequent class, the mean value, the median depth or the mean direction.
    """
    levels = {}
    for task in problem.tasks:
        constant = _constant(task, problem.train.targets[task.name])
        targets = problem.validation.targets[task.name]
        shape = (1, len(targets), task.n_outputs, *(problem.input_shape[-2:] if task.dense else ()))
        outputs = constant.view(1, 1, -1, *([1, 1] if task.dense else [])).expand(shape)
        levels.update({key: float(value) for key, value in task.measure(task.tally(outputs, targets)).items()})
    return levels


def _constant(task: Task, targets: Tensor) -> Tensor:
    """The constant outputs, [n_outputs]."""
    if isinstance(task, Classification | Segmentation):
        return functional.one_hot(targets[targets >= 0].mode().values, task.n_outputs).float()
    if isinstance(task, BinaryClassification):
        return targets.float().mean().logit().unsqueeze(0)
    if isinstance(task, Depth):
        return targets[targets > 0].median().unsqueeze(0)
    if isinstance(task, Normals):
        return targets.movedim(1, -1).flatten(0, -2).mean(0)
    return targets.mean(0)


def is_trivial(values: NDArray[np.float64], level: float, direction: str) -> NDArray[np.bool_]:
    """Whether values are no better than the trivial one, but for `SLACK`; NaN is not."""
    gain = level - values if direction == "min" else values - level
    return gain <= SLACK * abs(level)

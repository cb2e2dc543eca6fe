"""What is logged of an epoch: metrics on held-out data, and signals of how the tasks got on with each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch

from mtl_runs.networks import HardSharing
from mtl_runs.problems import Split, Task
from mtl_runs.training.step import StepRecord


def evaluate(network: HardSharing, tasks: Sequence[Task], split: Split) -> dict[str, float]:
    """All tasks' metrics on a split, by metric key, in natural units."""
    with torch.inference_mode():
        outputs = network(split.inputs)
    values: dict[str, float] = {}
    for task, output in zip(tasks, outputs, strict=True):
        values.update(task.evaluate(output, split.targets[task.name]))
    return values


def summarise(records: Sequence[StepRecord], tasks: Sequence[Task]) -> dict[str, float]:
    """Signals of an epoch, means over its steps.

    Args:
        records: one per step.
        tasks: the K tasks.

    Returns:
        Per task `train_loss` (unweighted), `grad_norm` (of the shared parameters) and `weight` (mean convention), and
        per pair of tasks the `cosine` between their shared gradients, in -1..1.
    """
    losses = torch.stack([record.losses for record in records]).mean(0)
    weights = torch.stack([record.weights for record in records]).mean(0)
    gramian = torch.stack([record.gramian for record in records]).double()
    norms = gramian.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
    cosines = (gramian / (norms.unsqueeze(-1) * norms.unsqueeze(-2)).clamp(min=1e-30)).mean(0)
    signals = {}
    for k, task in enumerate(tasks):
        signals[f"{task.name}/train_loss"] = float(losses[k])
        signals[f"{task.name}/grad_norm"] = float(norms[:, k].mean())
        signals[f"{task.name}/weight"] = float(weights[k])
    for (i, one), (j, other) in combinations(enumerate(tasks), 2):
        signals[f"{one.name}|{other.name}/cosine"] = float(cosines[i, j])
    return signals

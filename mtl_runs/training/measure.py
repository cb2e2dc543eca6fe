"""What is logged of an epoch: metrics on held-out data, and signals of how the tasks got on with each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mtl_runs.networks import MultiTaskNetwork
from mtl_runs.problems import Split, Task
from mtl_runs.signals import named_signals
from mtl_runs.training.step import StepRecord

CHUNK = 256
"""Samples per forward pass; the same for any number of members, so that sums are added up in the same order."""


def evaluate(network: MultiTaskNetwork, tasks: Sequence[Task], split: Split, n_members: int) -> list[dict[str, float]]:
    """All tasks' metrics on a split, by metric key, in natural units; one dictionary per member."""
    tallies = [torch.zeros(())] * len(tasks)
    with torch.inference_mode():
        for start in range(0, len(split), CHUNK):
            chunk = slice(start, start + CHUNK)
            inputs = split.inputs[chunk]
            outputs = network(inputs.expand(n_members, *inputs.shape))
            tallies = [
                tally.to(output.device) + task.tally(output, split.targets[task.name][chunk])
                for tally, task, output in zip(tallies, tasks, outputs, strict=True)
            ]
    measured = {
        key: values.tolist()
        for task, tally in zip(tasks, tallies, strict=True)
        for key, values in task.measure(tally.cpu()).items()
    }
    return [{key: values[r] for key, values in measured.items()} for r in range(n_members)]


def summarise(records: Sequence[StepRecord], tasks: Sequence[Task]) -> list[dict[str, float]]:
    """Signals of an epoch, means over its steps (gradients: over those steps where they were looked at).

    Args:
        records: one per step.
        tasks: the K tasks.

    Returns:
        For every member, per task `train_loss` (unweighted), `grad_norm` (of the shared parameters) and `weight` (mean
        convention), and per pair of tasks the `cosine` between their shared gradients, in -1..1.
    """
    # Steps last: then each mean runs over one contiguous row, whatever the number of members.
    losses = torch.stack([record.losses for record in records], -1).double().mean(-1)
    weights = torch.stack([record.weights for record in records], -1).mean(-1)
    gramian = torch.stack([record.gramian for record in records if record.gramian is not None], -1).double()
    norms = gramian.diagonal(dim1=1, dim2=2).transpose(1, 2).clamp(min=0).sqrt()
    products = (norms.unsqueeze(2) * norms.unsqueeze(1)).clamp(min=1e-30)
    cosines = (gramian / products).mean(-1)
    columns = named_signals([task.name for task in tasks], losses, norms.mean(-1), weights, cosines)
    lists = {name: column.tolist() for name, column in columns.items()}
    return [{name: values[r] for name, values in lists.items()} for r in range(len(losses))]

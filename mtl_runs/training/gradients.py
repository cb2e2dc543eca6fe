"""Losses of a population's tasks, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_runs.balancers.products import inner_products
from mtl_runs.training.population import Population


@dataclass(frozen=True)
class TaskGradients:
    """What a pass for every task gives, constant loss weights included.

    Attributes:
        rows: gradients of the shared parameters, the Jacobian, [R, K, P].
        heads: per task, the gradient of its own parameters, [R, H_k].
    """

    rows: Tensor
    heads: Sequence[Tensor]

    def products(self, other: TaskGradients | None = None) -> Tensor:
        """Inner products of the rows with those of another pass, or among themselves, see `inner_products`."""
        return inner_products(self.rows, (self if other is None else other).rows)


class Gradients:
    """Computes losses and gradients for all members at once.

    Args:
        population: where it is; its parameters may change between calls, its members and their loss weights may not.

    Attributes:
        loss_weights: the constant factors on the losses, on the device, [R, K].
    """

    def __init__(self, population: Population) -> None:
        self.population = population
        self.tasks = population.problem.tasks
        self._blocks = population.blocks()
        self.loss_weights = population.loss_weights()

    def losses(self, inputs: Tensor, targets: Sequence[Tensor]) -> list[Tensor]:
        """Each task's loss on a batch before any weight, [R].

        Args:
            inputs: [R, B, *input_shape].
            targets: per task, [R, B, *].
        """
        outputs = self.population.network(inputs)
        return [task.loss(o, t) for task, o, t in zip(self.tasks, outputs, targets, strict=True)]

    def weighted(self, losses: Sequence[Tensor]) -> Tensor:
        """Losses times their constant weights, without graph, on the CPU, [R, K]."""
        return (torch.stack([loss.detach() for loss in losses], -1) * self.loss_weights).cpu()

    def of_losses(self, losses: Sequence[Tensor], *, retain: bool = False) -> TaskGradients:
        """One backward pass for each task.

        Args:
            losses: per task [R], with their graph, which is freed unless it is to be retained.
            retain: whether it is.
        """
        last = len(losses) - 1
        rows, heads = zip(
            *(self._of_loss(k, loss, retain=retain or k < last) for k, loss in enumerate(losses)), strict=True
        )
        return TaskGradients(torch.stack(rows, 1), heads)

    def of_task(self, k: int, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """A forward and a backward pass for one task.

        Args:
            k: which.
            inputs: as in `losses`.
            targets: the task's.

        Returns:
            Its row [R, P], and the gradient of its own parameters, [R, H_k].
        """
        shared, *heads = self.population.network.groups()
        return self._of_loss(k, self.tasks[k].loss(heads[k](shared(inputs)), targets))

    def of_sum(self, losses: Sequence[Tensor], factors: Tensor) -> Tensor:
        """One backward pass of the sum of the losses times these factors, [R, K]: the gradient [R, P + H]."""
        parameters = [p for block in self._blocks for p in block]
        flat = torch.autograd.grad((torch.stack(list(losses), -1) * factors).sum(), parameters, materialize_grads=True)
        return torch.cat([gradient.reshape(len(factors), -1) for gradient in flat], 1)

    def _of_loss(self, k: int, loss: Tensor, *, retain: bool = False) -> tuple[Tensor, Tensor]:
        shared, *own = self._blocks
        # Members do not mix, so the gradient of the sum over members holds each member's own.
        total = (loss * self.loss_weights[:, k]).sum()
        gradients = torch.autograd.grad(total, [*shared, *own[k]], retain_graph=retain, materialize_grads=True)
        flat = [gradient.reshape(len(loss), -1) for gradient in gradients]
        return torch.cat(flat[: len(shared)], 1), torch.cat(flat[len(shared) :], 1)

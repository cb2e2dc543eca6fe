"""One update: per-task gradients, balancing, clip, optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtl_runs.balancers import Needs, TaskStatistics
from mtl_runs.problems import Task
from mtl_runs.training.config import RunConfig
from mtl_runs.training.learner import Learner


@dataclass(frozen=True)
class StepRecord:
    """What happened in one step, on the CPU.

    Attributes:
        losses: task losses before any weight, [K].
        gramian: inner products of the tasks' shared gradients, loss weights included, [K, K].
        weights: what the balancer gave, mean convention, [K].
    """

    losses: Tensor
    gramian: Tensor
    weights: Tensor


def task_gradients(
    losses: Sequence[Tensor], shared: Sequence[nn.Parameter], heads: Sequence[Sequence[nn.Parameter]]
) -> tuple[Tensor, list[Tensor]]:
    """Gradient of each loss with respect to the shared parameters and to its own head.

    Args:
        losses: K scalars on one graph, which is freed.
        shared: parameters that every task uses, P numbers in all.
        heads: parameters of each task's head.

    Returns:
        The Jacobian [K, P], and per task the gradient of its head as a vector.
    """
    rows, head_gradients = [], []
    for k, (loss, head) in enumerate(zip(losses, heads, strict=True)):
        gradients = torch.autograd.grad(loss, [*shared, *head], retain_graph=k + 1 < len(losses))
        rows.append(torch.cat([g.reshape(-1) for g in gradients[: len(shared)]]))
        head_gradients.append(torch.cat([g.reshape(-1) for g in gradients[len(shared) :]]))
    return torch.stack(rows), head_gradients


def train_step(
    learner: Learner,
    blocks: Sequence[Sequence[nn.Parameter]],
    tasks: Sequence[Task],
    config: RunConfig,
    inputs: Tensor,
    targets: Sequence[Tensor],
    lr: float,
) -> StepRecord:
    """Move the learner by one step on one batch.

    Args:
        learner: changed in place.
        blocks: `learner.group_parameters()`, collected once per training.
        tasks: the K tasks.
        config: loss weights, reduction and clip are read here.
        inputs: [B, *input_shape].
        targets: per task, [B] or [B, n_outputs].
        lr: learning rate of this step.
    """
    n_tasks = len(tasks)
    losses, weighted = _losses(learner, tasks, config, inputs, targets)
    jacobian, head_gradients = task_gradients(weighted, blocks[0], blocks[1:])
    # K numbers and K×K are cheapest on the CPU, whatever the device of the network.
    gramian = (jacobian @ jacobian.T).cpu()
    balancer, state = learner.balancer, learner.balancer_state
    before = torch.stack(weighted).detach().cpu()
    rows, gramian_of_rows = jacobian, gramian
    if Needs.JACOBIAN in balancer.needs:
        rows, state = balancer.transform(state, before, jacobian, learner.draws)
        gramian_of_rows = (rows @ rows.T).cpu()
    weights, state = balancer.update(state, TaskStatistics(before, gramian_of_rows), learner.draws)
    factor = n_tasks if config.reduction == "sum" else 1
    direction = (factor * weights).to(rows) @ rows
    if config.clip > 0:
        direction *= (config.clip / (direction.norm() + 1e-12)).clamp(max=1)
    learner.gradient[learner.groups[0]] = direction
    for k, head_gradient in enumerate(head_gradients):
        scale = float(weights[k]) if balancer.scales_heads else 1 / n_tasks
        torch.mul(head_gradient, factor * scale, out=learner.gradient[learner.groups[k + 1]])
    learner.optimizer_state = learner.optimizer.step(learner.parameters, learner.gradient, learner.optimizer_state, lr)
    if Needs.AFTER_STEP_LOSSES in balancer.needs:
        with torch.no_grad():
            _, after = _losses(learner, tasks, config, inputs, targets)
        state = balancer.after_step(state, before, torch.stack(after).cpu())
    learner.balancer_state = state
    return StepRecord(torch.stack(losses).detach().cpu(), gramian, weights)


def _losses(
    learner: Learner, tasks: Sequence[Task], config: RunConfig, inputs: Tensor, targets: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """K task losses of a batch, before and after the constant loss weights."""
    outputs = learner.network(inputs)
    losses = [task.loss(o, t) for task, o, t in zip(tasks, outputs, targets, strict=True)]
    if config.loss_weights is None:
        return losses, losses
    return losses, [w * loss for w, loss in zip(config.loss_weights, losses, strict=True)]

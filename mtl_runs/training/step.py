"""One update of a population: gradients, balancing, clip, optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_runs.balancers import Needs, TaskStatistics
from mtl_runs.training.population import N_PARTS, Population

READS_GRADIENTS = Needs.GRAMIAN | Needs.JACOBIAN


@dataclass(frozen=True)
class StepRecord:
    """What happened in one step, on the CPU.

    Attributes:
        losses: task losses before any weight, [R, K].
        weights: what the balancers gave, mean convention, float64, [R, K].
        gramian: inner products of the tasks' shared gradients, loss weights included, [R, K, K]; None where nobody
            asked for it.
    """

    losses: Tensor
    weights: Tensor
    gramian: Tensor | None


class Stepper:
    """Steps of one population. What is constant from step to step is collected once.

    Args:
        population: changed in place by every step; after it was compacted, make a new stepper.

    Attributes:
        gradient: what the last step moved along, [R, P + H].
    """

    gradient: Tensor

    def __init__(self, population: Population) -> None:
        self.population = population
        self.tasks = population.problem.tasks
        self.needs = population.needs
        n_tasks = len(self.tasks)
        self._blocks = population.blocks()
        device = population.parameters.device
        weights = [member.spec.config.loss_weights or [1.0] * n_tasks for member in population.members]
        self._loss_weights = torch.tensor(weights, dtype=torch.float32, device=device)
        self._factor = population.per_member(lambda config: n_tasks if config.reduction == "sum" else 1)
        self._clip = population.per_member(lambda config: config.clip or torch.inf)
        scales = [part.rule.scales_heads for part in population.balancers for _ in population.members[part.rows]]
        self._scales_heads = torch.tensor(scales, device=device).unsqueeze(-1)
        self._generators = [[member.draws for member in population.members[part.rows]] for part in population.balancers]

    def step(self, inputs: Tensor, targets: Sequence[Tensor], lr: Tensor, *, watch: bool) -> StepRecord:
        """Move every member by one step on its batch.

        Args:
            inputs: [R, B, *input_shape].
            targets: per task, [R, B, *].
            lr: learning rates of this step, [R, 1].
            watch: whether the record shall have the Gramian even if no balancer reads it.
        """
        population = self.population
        gramian: Tensor | None
        if Needs.SEVERAL_BATCHES in self.needs:
            losses, weights, gramian = self._on_three_parts(inputs, targets)
        else:
            losses = self.losses(inputs, targets)
            if READS_GRADIENTS & self.needs:
                weights, gramian = self._by_rows(losses)
            else:
                weights, gramian = self._by_losses(losses, watch=watch)
        self._clip_shared()
        for part in population.optimizers:
            rows = part.rows
            part.state = part.rule.step(population.parameters[rows], self.gradient[rows], part.state, lr[rows])
        if Needs.AFTER_STEP_LOSSES in self.needs:
            with torch.no_grad():
                after = self._weighted(self.losses(inputs, targets))
            before = self._weighted(losses)
            for balancing in population.balancers:
                rows = balancing.rows
                balancing.state = balancing.rule.after_step(balancing.state, before[rows], after[rows])
        return StepRecord(torch.stack(losses, -1).detach().cpu(), weights, gramian)

    def losses(self, inputs: Tensor, targets: Sequence[Tensor]) -> list[Tensor]:
        """Each task's loss on a batch before any weight, [R]."""
        outputs = self.population.network(inputs)
        return [task.loss(o, t) for task, o, t in zip(self.tasks, outputs, targets, strict=True)]

    def jacobian(self, losses: Sequence[Tensor], *, retain: bool = False) -> tuple[Tensor, list[Tensor]]:
        """Gradient of each loss, times its constant weight, for the shared parameters and for the task's own.

        Args:
            losses: per task [R], with their graph, which is freed unless it is to be retained.
            retain: whether it is.

        Returns:
            The Jacobian [R, K, P], and per task the gradient of its own parameters, [R, H_k].
        """
        shared, *own = self._blocks
        rows, heads = [], []
        for k, loss in enumerate(losses):
            # Members do not mix, so the gradient of the sum over members holds each member's own.
            total = (loss * self._loss_weights[:, k]).sum()
            gradients = torch.autograd.grad(total, [*shared, *own[k]], retain_graph=retain or k + 1 < len(losses))
            flat = [gradient.reshape(len(loss), -1) for gradient in gradients]
            rows.append(torch.cat(flat[: len(shared)], 1))
            heads.append(torch.cat(flat[len(shared) :], 1))
        return torch.stack(rows, 1), heads

    def _weighted(self, losses: Sequence[Tensor]) -> Tensor:
        """Losses times their constant weights, without graph, on the CPU, [R, K]."""
        # K numbers and K×K are cheapest on the CPU, whatever the device of the network.
        return (torch.stack([loss.detach() for loss in losses], -1) * self._loss_weights).cpu()

    def _by_rows(self, losses: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Gradient from the tasks' own gradients; weights [R, K] and Gramian [R, K, K]."""
        jacobian, heads = self.jacobian(losses)
        gramian = torch.bmm(jacobian, jacobian.mT).cpu()
        weights, rows = self._balance(losses, gramian, jacobian)
        self.gradient = self._combine(losses, weights, rows, heads, clean=bool(gramian.isfinite().all()))
        return weights, gramian

    def _by_losses(self, losses: Sequence[Tensor], *, watch: bool) -> tuple[Tensor, Tensor | None]:
        """Gradient by a single pass of the weighted sum; weights [R, K], and the Gramian if somebody watches."""
        n_tasks = len(losses)
        weights, _ = self._balance(losses, torch.zeros(len(self.population), n_tasks, n_tasks))
        finite = self._weighted(losses).isfinite().all(1, keepdim=True)
        all_finite = bool(finite.all())
        gramian = None
        if watch or not all_finite:
            jacobian, heads = self.jacobian(losses, retain=True)
            gramian = torch.bmm(jacobian, jacobian.mT).cpu()
        scaled = weights.to(self._loss_weights) * self._factor * self._loss_weights
        parameters = [p for block in self._blocks for p in block]
        flat = torch.autograd.grad((torch.stack(list(losses), -1) * scaled).sum(), parameters)
        self.gradient = torch.cat([gradient.reshape(len(scaled), -1) for gradient in flat], 1)
        if not all_finite:
            # In a sum, a loss of NaN spoils the others' gradients even with weight 0.
            by_rows = self._combine(losses, weights, jacobian, heads, clean=False)
            self.gradient = torch.where(finite.to(by_rows.device), self.gradient, by_rows)
        return weights, gramian

    def _on_three_parts(self, inputs: Tensor, targets: Sequence[Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
        """Gradient for balancers that want independent batches; losses, weights and Gramian of the last part."""
        jacobians = []
        parts = [tensor.tensor_split(N_PARTS, dim=1) for tensor in (inputs, *targets)]
        for part_inputs, *part_targets in zip(*parts, strict=True):
            losses = self.losses(part_inputs.contiguous(), [target.contiguous() for target in part_targets])
            jacobian, heads = self.jacobian(losses)
            jacobians.append(jacobian)
        first, second, last = jacobians
        weights, rows = self._balance(losses, torch.bmm(first, second.mT).cpu(), last)
        gramian = torch.bmm(last, last.mT).cpu()
        self.gradient = self._combine(losses, weights, rows, heads, clean=bool(gramian.isfinite().all()))
        return losses, weights, gramian

    def _balance(
        self, losses: Sequence[Tensor], gramian: Tensor, jacobian: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Weights [R, K] on the CPU, and the rows to weigh: the Jacobian, or what a balancer put in its place."""
        before = self._weighted(losses)
        weights = torch.empty(before.shape, dtype=torch.float64)
        made = []
        for part, generators in zip(self.population.balancers, self._generators, strict=True):
            at = part.rows
            statistics = TaskStatistics(before[at], gramian[at])
            if jacobian is not None:
                rows = jacobian[at]
                if Needs.JACOBIAN in part.rule.needs:
                    rows, part.state = part.rule.transform(part.state, before[at], rows, generators)
                    statistics = TaskStatistics(before[at], torch.bmm(rows, rows.mT).cpu())
                made.append(rows)
            weights[at], part.state = part.rule.update(part.state, statistics, generators)
        return weights, torch.cat(made) if made else weights

    def _combine(
        self, losses: Sequence[Tensor], weights: Tensor, rows: Tensor, heads: Sequence[Tensor], *, clean: bool
    ) -> Tensor:
        """The gradient [R, P + H]: Σ_k w_k g_k of the shared parameters, and the tasks' own.

        Without a promise that the rows are clean, those with weight 0 are left out, for 0 × NaN is NaN.
        """
        scaled = weights.to(rows) * self._factor
        if not clean:
            rows = torch.where((scaled != 0).unsqueeze(-1), rows, 0.0)
            heads = [
                torch.where(loss.isfinite().unsqueeze(-1), head, 0.0) for loss, head in zip(losses, heads, strict=True)
            ]
        shared = torch.bmm(scaled.unsqueeze(1), rows).squeeze(1)
        for_heads = torch.where(self._scales_heads, scaled, self._factor / len(self.tasks))
        return torch.cat([shared, *(head * for_heads[:, k : k + 1] for k, head in enumerate(heads))], 1)

    def _clip_shared(self) -> None:
        """Shorten the shared gradients that are longer than their member allows."""
        shared = self.gradient[:, self.population.groups[0]]
        shared *= (self._clip / (shared.norm(dim=1, keepdim=True) + 1e-12)).clamp(max=1)

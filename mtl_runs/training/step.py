"""One update of a population: gradients, balancing, clip, optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_runs.balancers import Balancer, Needs
from mtl_runs.balancers.base import N_BATCHES
from mtl_runs.balancers.decide import decide
from mtl_runs.training.auto_lr import AutoRate
from mtl_runs.training.flat import sam_gradients
from mtl_runs.training.gradients import Gradients, TaskGradients
from mtl_runs.training.population import Part, Population
from mtl_runs.training.teleport import Teleports, move


@dataclass(frozen=True)
class StepRecord:
    """What happened in one step, on the CPU.

    Attributes:
        losses: task losses before any weight, [R, K].
        weights: what the balancers gave, mean convention, float64, [R, K].
        gramian: inner products of the tasks' shared gradients, loss weights included, [R, K, K]; None where nobody
            asked for it.
        rates: learning rates that were used, float64, [R]; None where they are those that were planned.
    """

    losses: Tensor
    weights: Tensor
    gramian: Tensor | None
    rates: Tensor | None = None


Batch = tuple[Tensor, Sequence[Tensor]]
"""Inputs [R, B, *input_shape], and per task targets [R, B, *]."""


class Stepper:
    """Steps of one population. What is constant from step to step is collected once.

    Args:
        population: changed in place by every step; after it was compacted, or got other states, make a new stepper.

    Attributes:
        gradient: what the last step moved along, [R, P + H].
    """

    gradient: Tensor

    def __init__(self, population: Population) -> None:
        self.population = population
        self.gradients = Gradients(population)
        self.losses = self.gradients.losses
        n_tasks = len(population.problem.tasks)
        config = population.members[0].spec.config
        self._flat_radius = population.per_member(lambda config: config.flat_radius) if config.flat_radius else None
        self._auto = AutoRate(population) if config.auto_lr else None
        self._teleports = Teleports(population, self.gradients) if config.teleport_from else None
        self._factor = population.per_member(lambda config: n_tasks if config.reduction == "sum" else 1)
        self._clip = population.per_member(lambda config: config.longest(n_tasks) or torch.inf)
        scales = [part.rule.scales_heads for part in population.balancers for _ in population.members[part.rows]]
        self._scales_heads = torch.tensor(scales, device=population.parameters.device).unsqueeze(-1)

    def step(self, inputs: Tensor, targets: Sequence[Tensor], lr: Tensor, *, watch: bool) -> StepRecord:
        """Move every member by one step on its batch.

        Args:
            inputs: [R, B, *input_shape].
            targets: per task, [R, B, *].
            lr: planned learning rates of this step, [R, 1].
            watch: whether the record shall have the Gramian even if no balancer reads it.
        """
        population = self.population
        batches: Sequence[Batch] = [(inputs, targets)]
        if Needs.SEVERAL_BATCHES in population.needs:
            batches = _in_parts(inputs, targets)
        losses_of_parts = [self.losses(*batch) for batch in batches]
        # The losses of a step are those of its last part.
        losses, (inputs, targets) = losses_of_parts[-1], batches[-1]
        before = self.gradients.weighted(losses)
        passes = []
        by_rows = self._flat_radius is not None or population.reads_gradients()
        if by_rows:
            passes = [self.gradients.of_losses(part) for part in losses_of_parts]
        elif watch or self._teleports is not None or not before.isfinite().all():
            passes = [self.gradients.of_losses(losses, retain=True)]
        gramian = passes[-1].products() if passes else None
        leaving = self._teleports.leaving(gramian) if self._teleports is not None and gramian is not None else {}
        if by_rows and gramian is not None:
            weights = self._by_gradients(before, batches, passes, gramian)
        else:
            weights = self._by_losses(before, losses, passes)
        self._clip_shared()

        def loss_now() -> Tensor:
            return _total(weights, self._losses_now(inputs, targets))

        rates = lr if self._auto is None else self._auto.rates(lr, self.gradient, _total(weights, before), loss_now)
        move(population, self.gradient, rates)
        if Needs.AFTER_STEP_LOSSES in population.needs:
            after = self._losses_now(inputs, targets)
            for part in (*population.balancers, *population.flat_balancers):
                part.state = part.rule.after_step(part.state, before[part.rows], after[part.rows])
        if self._teleports is not None and gramian is not None and leaving:
            self._teleports.go(leaving, gramian, self.gradient, rates)
        used = None if self._auto is None else rates.squeeze(1).double().cpu()
        # Where the tasks' passes were made for a member without a finite loss only, its neighbours' logs say nothing.
        seen = gramian if by_rows or watch or self._teleports is not None else None
        return StepRecord(torch.stack(losses, -1).detach().cpu(), weights, seen, used)

    def _losses_now(self, inputs: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """Losses at the present parameters times their constant weights, on the CPU, [R, K]."""
        with torch.no_grad(), self.population.buffers_kept():
            return self.gradients.weighted(self.losses(inputs, targets))

    def _by_gradients(
        self, before: Tensor, batches: Sequence[Batch], passes: Sequence[TaskGradients], gramian: Tensor
    ) -> Tensor:
        """Set the gradient, from those of the tasks; weights [R, K].

        Args:
            before: the losses, [R, K].
            batches: one, or the independent parts.
            passes: what each of them gave.
            gramian: of the last.
        """
        population, heads = self.population, passes[-1].heads
        clean = bool(gramian.isfinite().all())
        products = gramian if len(passes) == 1 else passes[0].products(passes[1])
        weights, rows = self._balance(population.balancers, before, products, passes[-1].rows)
        if self._flat_radius is not None:
            sams = [
                sam_gradients(self.gradients, here, *batch, self._flat_radius)
                for here, batch in zip(passes, batches, strict=True)
            ]
            heads = sams[-1].heads
            if not population.flat_balancers:
                rows = sams[-1].rows
        shared = self._mixture(weights, rows, clean=clean)
        if population.flat_balancers:
            flats = [TaskGradients(sam.rows - here.rows, sam.heads) for sam, here in zip(sams, passes, strict=True)]
            products = flats[0].products(flats[-2] if len(flats) > 1 else None)
            flat_weights, flat_rows = self._balance(population.flat_balancers, before, products, flats[-1].rows)
            shared = shared + self._mixture(flat_weights, flat_rows, clean=False)
        self.gradient = self._with_heads(shared, before, weights, heads, clean=clean)
        return weights

    def _by_losses(self, before: Tensor, losses: Sequence[Tensor], passes: Sequence[TaskGradients]) -> Tensor:
        """Set the gradient, by a single pass of the weighted sum; weights [R, K].

        Args:
            before: the losses, [R, K].
            losses: with their graph, per task [R].
            passes: what the tasks' own passes gave, where there were any: always, if a loss is not finite.
        """
        n_tasks = len(losses)
        weights, _ = self._balance(self.population.balancers, before, torch.zeros(len(before), n_tasks, n_tasks))
        factors = weights.to(self.gradients.loss_weights) * self._factor * self.gradients.loss_weights
        self.gradient = self.gradients.of_sum(losses, factors)
        finite = before.isfinite().all(1, keepdim=True)
        if not finite.all():
            # In a sum, a loss of NaN spoils the others' gradients even with weight 0.
            shared = self._mixture(weights, passes[-1].rows, clean=False)
            by_rows = self._with_heads(shared, before, weights, passes[-1].heads, clean=False)
            self.gradient = torch.where(finite.to(by_rows.device), self.gradient, by_rows)
        return weights

    def _balance(
        self, parts: Sequence[Part[Balancer]], before: Tensor, gramian: Tensor, jacobian: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Weights [R, K] on the CPU, and the rows to weigh: the Jacobian, or what a balancer put in its place."""
        weights = torch.empty(before.shape, dtype=torch.float64)
        made = []
        for part in parts:
            at = part.rows
            generators = [member.draws for member in self.population.members[at]]
            own = None if jacobian is None else jacobian[at]
            weights[at], rows, part.state = decide(part.rule, part.state, before[at], gramian[at], own, generators)
            if rows is not None:
                made.append(rows)
        return weights, torch.cat(made) if made else weights

    def _mixture(self, weights: Tensor, rows: Tensor, *, clean: bool) -> Tensor:
        """`Σ_k w_k g_k`, [R, P].

        Without a promise that the rows are clean, those with weight 0 are left out, for 0 × NaN is NaN.
        """
        scaled = weights.to(rows) * self._factor
        if not clean:
            rows = torch.where((scaled != 0).unsqueeze(-1), rows, 0.0)
        return torch.bmm(scaled.unsqueeze(1), rows).squeeze(1)

    def _with_heads(
        self, shared: Tensor, before: Tensor, weights: Tensor, heads: Sequence[Tensor], *, clean: bool
    ) -> Tensor:
        """The gradient [R, P + H]: the shared part, and the tasks' own without those whose loss is not finite."""
        scaled = weights.to(shared) * self._factor
        if not clean:
            finite = before.isfinite().to(shared.device)
            heads = [torch.where(finite[:, k : k + 1], head, 0.0) for k, head in enumerate(heads)]
        for_heads = torch.where(self._scales_heads, scaled, self._factor / len(heads))
        return torch.cat([shared, *(head * for_heads[:, k : k + 1] for k, head in enumerate(heads))], 1)

    def _clip_shared(self) -> None:
        """Shorten the shared gradients that are longer than their member allows."""
        shared = self.gradient[:, self.population.groups[0]]
        shared *= (self._clip / (shared.norm(dim=1, keepdim=True) + 1e-12)).clamp(max=1)


def _in_parts(inputs: Tensor, targets: Sequence[Tensor]) -> list[Batch]:
    """The batch in independent parts, for balancers that want them."""
    parts = [[part.contiguous() for part in tensor.tensor_split(N_BATCHES, dim=1)] for tensor in (inputs, *targets)]
    return [(own_inputs, own_targets) for own_inputs, *own_targets in zip(*parts, strict=True)]


def _total(weights: Tensor, losses: Tensor) -> Tensor:
    """Weighted sum of the losses [R, K], without those of weight 0, float64 [R, 1]."""
    return torch.where(weights != 0, weights * losses, 0.0).sum(-1, keepdim=True)

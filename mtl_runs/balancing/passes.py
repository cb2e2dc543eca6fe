"""What happens in one step: the balancer decides, and its direction is added to every `.grad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import Balancer, Needs, State
from mtl_runs.balancers.base import READS_GRADIENTS
from mtl_runs.balancers.decide import decide
from mtl_runs.balancers.products import inner_products
from mtl_runs.balancing.gradients import Rows, add_to_grad, gradients_of
from mtl_runs.balancing.known import Known, known
from mtl_runs.balancing.processes import mean_over_processes, means_over_processes, n_processes
from mtl_runs.balancing.step_losses import StepLosses

Found = list[tuple[Tensor, Tensor]]
"""Leaves, and what is to be added to their `.grad`."""


@dataclass(frozen=True)
class Seen:
    """What a step has shown, on the CPU.

    Attributes:
        losses: means over all processes, [1, K].
        weights: mean convention, [1, K].
        gramian: inner products of the tasks' gradients of what is shared, NaN for tasks without a finite loss,
            [1, K, K]; None where nobody looked.
    """

    losses: Tensor
    weights: Tensor
    gramian: Tensor | None


class Passes:
    """The backward passes of one balancer's steps.

    Args:
        tasks: names of the K tasks.
        rule: the balancer.
        factor: what its weights are multiplied by, 1 or K.
        generator: where its random numbers come from.

    Attributes:
        state: what the balancer remembers; the first dimension is that of the runs, of which there is one.
        known: of which parameters it remembers gradients; None where it remembers none, or nobody knows.
    """

    def __init__(self, tasks: Sequence[str], rule: Balancer, factor: int, generator: torch.Generator) -> None:
        self.tasks, self.rule = tasks, rule
        self._factor, self.generator = factor, generator
        self.state: State = {name: value.unsqueeze(0) for name, value in rule.init(len(tasks)).items()}
        self.known: Known | None = None

    def run(
        self,
        batches: Sequence[Mapping[str, Tensor]],
        named: Sequence[tuple[str, Tensor]],
        features: Sequence[Tensor],
        scale: float | None,
        *,
        watch: bool,
    ) -> Seen | None:
        """Balance a step and add its gradients.

        Args:
            batches: losses of one batch, or of the independent batches that the balancer wants.
            named: shared parameters that require a gradient, with their names.
            features: what the tasks' gradients are taken of; empty = of the shared parameters.
            scale: of mixed precision: gradients are added in its units, and an infinite one makes the step count for
                nothing. None = there is none.
            watch: whether inner products are wanted even if the balancer does not read them.

        Returns:
            What was seen; None where a gradient left the range of mixed precision.
        """
        shared = [parameter for _, parameter in named]
        if Needs.JACOBIAN in self.rule.needs:
            self._check_memory(named, bool(features))
        reads = bool(READS_GRADIENTS & self.rule.reads(self.state))
        passes = [StepLosses(self.tasks, losses, shared, features, scale or 1.0) for losses in batches]
        before, draws = self.state, self.generator.get_state()
        if reads:
            seen, found = self._by_rows(passes, by_features=bool(features), scaled=scale is not None)
        else:
            seen, found = self._by_losses(passes[-1], watch=watch)
        for leaf, gradient in found:
            add_to_grad(leaf, gradient)
        if scale is not None and not all(bool(torch.isfinite(gradient).all()) for _, gradient in found):
            self.state = before
            self.generator.set_state(draws)
            return None
        if Needs.JACOBIAN in self.rule.needs and _memory(self.state):
            self.known = known(named)
        return seen

    def _by_rows(self, passes: Sequence[StepLosses], *, by_features: bool, scaled: bool) -> tuple[Seen, Found]:
        """A pass for each task, then the balancer, then what its weights are of."""
        here = passes[-1]
        common = [] if here.opaque else here.common
        rows, heads = here.rows(heads=True, keep=bool(common))
        several = [*common, *(leaf for leaf, by_task in heads if len(by_task) > 1)]
        if Needs.JACOBIAN in self.rule.needs and several:
            raise UsageError(
                f"a parameter of shape {list(several[0].shape)} is used by several tasks but is not in `shared`; "
                f"this balancer ({type(self.rule).__name__}) puts other vectors in the place of the gradients, so all "
                "that several tasks use must be in it"
            )
        gramian = _products(rows, rows, by_features)
        compared = gramian
        if len(passes) > 1:
            first, second = (part.rows(heads=False, keep=False)[0] for part in passes[:-1])
            compared = _products(first, second, by_features)
        clean = bool(gramian.isfinite().all())
        broken: set[int] = set()
        if scaled and not bool(torch.isfinite(rows.values).all()):
            # Left the range of mixed precision: the scaler is to see it, and nobody is to decide by it.
            weights, weighed, clean = torch.ones_like(here.values), rows.values, True
        else:
            weights, found_rows, self.state = decide(
                self.rule, self.state, here.values, compared, rows.values, [self.generator]
            )
            assert found_rows is not None
            weighed = found_rows
            if not clean:  # left out by the balancer; its own parameters are not to be broken either
                broken = {k for k in here.active if not bool(gramian[0, k, k].isfinite())}
        mixed = rows.mixture(weights * self._factor * here.scale, weighed, clean=clean)
        direction = [(target, g) for target, g in zip(rows.tensors, mixed, strict=True) if g is not None]
        factors = weights[0] * self._factor
        own = factors if self.rule.scales_heads else torch.full_like(factors, self._factor / len(self.tasks))
        found: Found = []
        for leaf, by_task in heads:
            scales = own if len(by_task) == 1 else factors
            if terms := [float(scales[k]) * g for k, g in by_task.items() if k not in broken]:
                found.append((leaf, reduce(torch.add, terms)))
        found += _there(common, here.of_sum(weights * self._factor, common, broken) if common else [])
        if by_features:
            ends, along = [end for end, _ in direction], [g.to(end.dtype) for end, g in direction]
            behind = gradients_of(ends, here.behind, along=along, keep=False) if ends else [None] * len(here.behind)
            return self._seen(here, weights, gramian), _means([*found, *_there(here.behind, behind)])
        return self._seen(here, weights, gramian), [*direction, *_means(found)]

    def _by_losses(self, here: StepLosses, *, watch: bool) -> tuple[Seen, Found]:
        """The balancer, then a single pass of the weighted sum."""
        gramian = None
        if watch and here.active:
            rows, _ = here.rows(heads=False, keep=True)
            gramian = _products(rows, rows, bool(here.behind))
        n_tasks = len(self.tasks)
        nothing = torch.zeros(1, n_tasks, n_tasks)
        weights, _, self.state = decide(self.rule, self.state, here.values, nothing, None, [self.generator])
        leaves = here.leaves()
        found = _there(leaves, here.of_sum(weights * self._factor, leaves))
        return self._seen(here, weights, gramian), _means(found)

    def _seen(self, here: StepLosses, weights: Tensor, gramian: Tensor | None) -> Seen:
        if gramian is not None:
            active = torch.zeros(len(self.tasks), dtype=torch.bool)
            active[here.active] = True
            gramian = gramian.where(active.unsqueeze(-1) & active, torch.nan)
        return Seen(here.values, weights, gramian)

    def _check_memory(self, named: Sequence[tuple[str, Tensor]], by_features: bool) -> None:
        """Whether a balancer that puts other rows in the place of the gradients can do so here.

        Raises:
            UsageError: it remembers other gradients than those of these parameters, or needs those of all processes.
        """
        name = type(self.rule).__name__
        memory = _memory(self.state)
        size = sum(parameter.numel() for _, parameter in named)
        if by_features and memory:
            raise UsageError(
                f"this balancer ({name}) remembers gradients from step to step, and those of features belong to one "
                "batch: leave `features` out"
            )
        if by_features and n_processes() > 1:
            raise UsageError(
                f"this balancer ({name}) puts other vectors in the place of the gradients, and every process has the "
                "features of its own batch only: leave `features` out"
            )
        if any(known not in (1, size) for known in memory):
            raise UsageError(
                f"this balancer ({name}) remembers gradients of {max(memory)} values of what is shared; now there are "
                f"{size}: {_REMEDY}"
            )
        if self.known is not None and (differing := self.known.differing(known(named))):
            was, there = differing
            raise UsageError(
                f"this balancer ({name}) remembers gradients of other parameters of what is shared: in the place of "
                f"{was} there is now {there}: {_REMEDY}"
            )


_REMEDY = "make a new Balance where layers are frozen, set free or added"


def _memory(state: State) -> list[int]:
    """Of how many values gradients are remembered, by each part of a state that remembers any; 1 before the first."""
    return [value.shape[-1] for value in state.values() if value.ndim > 2]


def _products(one: Rows, other: Rows, by_features: bool) -> Tensor:
    """Inner products of the means over all processes, [1, K, K].

    The processes' features are parts of one large batch, each with its share of the mean loss.
    """
    if not by_features:
        for rows in {id(one): one, id(other): other}.values():
            mean_over_processes(rows.values)
        return inner_products(one.values, other.values)
    products = inner_products(one.values, other.values).to(one.values.device)
    mean_over_processes(products)
    return products.cpu() / n_processes()


def _there(leaves: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> Found:
    """Those that have a gradient."""
    return [(leaf, gradient) for leaf, gradient in zip(leaves, gradients, strict=True) if gradient is not None]


def _means(found: Found) -> Found:
    """Their means over all processes."""
    means = means_over_processes([gradient for _, gradient in found])
    return [(leaf, mean) for (leaf, _), mean in zip(found, means, strict=True)]

"""One decision of a balancer, for whoever has a step's losses and gradients: the trainer, or a loop of the user's."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State, TaskStatistics
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.products import inner_products


def decide(
    rule: Balancer, state: State, losses: Tensor, gramian: Tensor, rows: Tensor | None, generator: Generators
) -> tuple[Tensor, Tensor | None, State]:
    """Weights, what they weigh, and what the balancer remembers.

    Args:
        rule: the balancer.
        state: what it remembers.
        losses: of R runs, [R, K].
        gramian: [R, K, K]; zeros where nobody reads it.
        rows: the tasks' gradients of the shared parameters, [R, K, P], where they are at hand.
        generator: where its random numbers come from.

    Returns:
        Weights, float64 [R, K]; the rows to weigh, which are the given ones unless the balancer put others in their
        place; and the new state.
    """
    if rows is not None and Needs.JACOBIAN in rule.needs:
        rows, state = rule.transform(state, losses, rows, generator)
        gramian = inner_products(rows, rows)
    weights, state = rule.update(state, TaskStatistics(losses, gramian), generator)
    return weights, rows, state

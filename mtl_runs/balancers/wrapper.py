"""A balancer around another one."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators

INNER = "of."
"""What the names of the inner balancer's state begin with."""


class Wrapper(Balancer):
    """What all balancers around another one have in common: they read what it reads and keep its state beside theirs.

    Without more it is the inner balancer. `make_balancer` builds the inner one from its name, and gives it the settings
    that the wrapper does not have.

    Args:
        of: the balancer inside.
    """

    def __init__(self, of: Balancer) -> None:
        self.of = of
        self.needs, self.scales_heads, self.clip = of.needs, of.scales_heads, of.clip
        self.positive_losses = of.positive_losses

    def init(self, n_tasks: int) -> State:
        """The inner balancer's state."""
        return outer(self.of.init(n_tasks))

    def reads(self, state: State) -> Needs:
        """As the inner balancer, whose needs these are."""
        return self.of.reads(inner(state))

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The inner balancer's rows."""
        rows, new = self.of.rows(inner(state), losses, jacobian, active, generator)
        return rows, {**state, **outer(new)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The inner balancer's weights."""
        weights, new = self.of.weigh(inner(state), losses, gramian, active, generator)
        return weights, {**state, **outer(new)}

    def after_step(self, state: State, before: Tensor, after: Tensor) -> State:
        """For the inner balancer."""
        return {**state, **outer(self.of.after_step(inner(state), before, after))}

    def end_epoch(self, state: State) -> State:
        """For the inner balancer."""
        return {**state, **outer(self.of.end_epoch(inner(state)))}


def inner(state: State) -> State:
    """The inner balancer's part of a wrapper's state, under its own names."""
    return {name.removeprefix(INNER): value for name, value in state.items() if name.startswith(INNER)}


def outer(state: State) -> State:
    """An inner balancer's state under the names that it has in a wrapper's."""
    return {INNER + name: value for name, value in state.items()}

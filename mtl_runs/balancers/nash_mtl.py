"""Nash bargaining among the tasks."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import CLIP, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.fairgrad import fair_weights


class NashMTL(Balancer):
    """Nash-MTL (Navon et al., ICML 2022, arXiv 2202.01017): the α > 0 with `A α = 1/α`, `d = Gᵀα`.

    The system of FairGrad with α = 1, solved by the same Newton steps; the published code iterates convex programs and
    keeps the previous answer where they fail. Where they do not it agrees to 3e-5; where they are unbounded or solved
    inaccurately, as with one gradient a hundred times the others, what it returns may not solve the system. It divides
    A by its Frobenius norm first, and puts the norm back into the constraints of its programs, so that it cancels:
    `‖d‖ = √K` however long the gradients are. The solution is computed anew in every step (the default there). The
    paper sums the weighted losses; here, as everywhere, the result is divided by K.

    Loss weighting by gradients, as published: heads are scaled. A task with a zero, NaN or infinite gradient gets
    weight 0 and does not count. Opposed equal gradients (g, -g): no solution; weights are large, equal and finite, and
    d = 0. K = 1: normalised gradient descent, `d = g / ‖g‖`. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = True
    clip = CLIP

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The solution, divided by the number of active tasks."""
        return fair_weights(gramian, active, alpha=1.0) / active.sum(-1, keepdim=True).clamp(min=1), state

"""Priority-constrained descent: one task leads, and all others get a share of what they could have."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import ROUNDING

LARGEST = 1 / ROUNDING
"""Multipliers above this, for unit gradients, come from rounding errors: constraints that contradict each other."""

RIDGE = 1e-12
"""Added to the diagonal of the cosines, so that constraints of dependent gradients have multipliers, if large ones."""

TOLERANCE, ACCURACY = 1e-10, 1e-4
"""Constraints may be missed by this, relative to the lengths of the gradients, or by what large multipliers leave."""

PATIENCE = 3
"""So often all that is wrong is exchanged at once without becoming less, before one constraint at a time is."""

PIVOTS = 10
"""Most exchanges for each constraint; a handful in all is usual, and only rounding can make it go round in circles."""


class PCD(Balancer):
    """Priority-constrained descent (TMLR 2026, arXiv 2606.29521): the primary gradient, made fair to the other tasks.

    `d̃ = argmin ‖d - g̃_1‖²  s.t.  dᵀg̃_j ≥ τ_j ‖g̃_j‖²` for the other tasks, with `g̃_k = g_k / √(v̂_k + ε)` and v̂ the
    running mean of `‖g_k‖²`, corrected for its start at 0; then d̃ is scaled to the length of `g_1`. So a secondary task
    gets at least τ of the progress that a step along its own gradient would make. The quadratic program has one number
    per constraint; its active set is found by pivoting, for all runs at once, where TorchJD takes one at a time. A d̃
    of less than a thousandth of what adds up to it counts as 0, for the Gramian comes from float32; with TorchJD it has
    its length restored.

    Where the constraints contradict each other they are dropped, and d = g_1. Gradient method: heads are not scaled.
    The order of the tasks matters. A secondary task with a zero, NaN or infinite gradient gets weight 0, does not
    count, and its mean stays; if it is the primary one, there is nothing to follow, and d = 0. Opposed equal gradients
    (g, -g): only d = -g_1 gives the second task its share, and d = 0 if τ = 0. K = 1: plain training. State: the
    running mean of each task, and β^t.

    Args:
        tau: τ in 0..1, one for all secondary tasks, or one for each task; that of the primary one is not used.
        primary: position of the primary task, from 0.
        beta: β of the running mean, in 0..1, excluding 1.
        epsilon: ε ≥ 0.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(
        self, tau: float | Sequence[float] = 0.02, primary: int = 0, beta: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.tau = torch.as_tensor(tau, dtype=torch.float64)
        if self.tau.ndim > 1 or not ((self.tau >= 0) & (self.tau <= 1)).all():
            raise UsageError(f"tau must be in 0..1, one number or one per task; found {tau}")
        if not (primary >= 0 and primary % 1 == 0):
            raise UsageError(f"primary must be the position of a task, from 0; found {primary}")
        if not (0 <= beta < 1 and epsilon >= 0):
            raise UsageError(
                f"beta must be at least 0 and below 1, epsilon not negative; found beta={beta}, epsilon={epsilon}"
            )
        self.primary, self.beta, self.epsilon = int(primary), beta, epsilon

    def init(self, n_tasks: int) -> State:
        """Means of nothing; checks the settings against the number of tasks."""
        if self.primary >= n_tasks:
            raise UsageError(f"primary must be in 0..{n_tasks - 1} for {n_tasks} tasks; found {self.primary}")
        if self.tau.ndim and len(self.tau) != n_tasks:
            raise UsageError(f"{len(self.tau)} values of tau were given for {n_tasks} tasks; give one, or one per task")
        # β^t is carried along as a product: `β ** t` is rounded differently in tensors of different shapes.
        return {
            "square": torch.zeros(n_tasks, dtype=torch.float64),
            "power": torch.ones(n_tasks, dtype=torch.float64),
        }

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """1 for the primary task and the multipliers of the others, all for unit gradients, scaled to its length."""
        squared = gramian.diagonal(dim1=-2, dim2=-1)
        square = self.beta * state["square"] + (1 - self.beta) * squared
        power = state["power"] * self.beta
        norms = squared.sqrt().where(active, 1.0)
        cosines = gramian / (norms.unsqueeze(-1) * norms.unsqueeze(-2))
        lengths = norms / (square / (1 - power) + self.epsilon).sqrt().where(active, 1.0)  # of the g̃
        leads = torch.arange(gramian.shape[-1], device=gramian.device) == self.primary
        length = lengths[..., self.primary, None]
        # In units of ‖g̃_1‖: u_jᵀd ≥ τ_j ‖g̃_j‖ / ‖g̃_1‖ for the unit gradients u.
        missing = self.tau.to(lengths.device) * lengths / length - cosines[..., self.primary]
        multipliers = _complementary(cosines, missing, active & ~leads)
        contradiction = (multipliers > LARGEST).any(-1, keepdim=True)
        weights = torch.where(contradiction, 0.0, multipliers) + leads
        direction = torch.einsum("...i,...ij,...j->...", weights, cosines, weights).unsqueeze(-1)
        there = (direction > ROUNDING * weights.sum(-1, keepdim=True) ** 2) & active[..., self.primary, None]
        factor = norms[..., self.primary, None] / direction.where(there, 1.0).sqrt()
        weights = torch.where(there, weights / norms * factor, 0.0)
        return weights, {"square": square, "power": power}


def _complementary(matrix: Tensor, needed: Tensor, counts: Tensor) -> Tensor:
    """The μ ≥ 0 with `Aμ ≥ b`, and equality wherever μ_k > 0, by block principal pivoting (Kim & Park 2011).

    Args:
        matrix: A, positive semi-definite, [..., K, K].
        needed: b, [..., K].
        counts: bool, [..., K]; μ is 0 for others, and their b is ignored.

    Returns:
        [..., K]; large where there is no solution.
    """
    n = matrix.shape[-1]
    eye = torch.eye(n, dtype=matrix.dtype, device=matrix.device)
    place = torch.arange(n, device=matrix.device)
    held = torch.zeros_like(counts)  # constraints that hold with equality
    found, wrong = torch.zeros_like(needed), counts
    fewest = torch.full_like(needed[..., :1], n + 1)
    patience = torch.full_like(fewest, PATIENCE)
    for _ in range(PIVOTS * n):
        inside = held.unsqueeze(-1) & held.unsqueeze(-2)
        restricted = torch.where(inside, matrix + RIDGE * eye, eye)
        found = torch.linalg.solve_ex(restricted, torch.where(held, needed, 0.0).unsqueeze(-1)).result.squeeze(-1)
        slack = (matrix @ found.unsqueeze(-1)).squeeze(-1) - needed
        tolerance = TOLERANCE * (1 + ACCURACY * found.abs().amax(-1, keepdim=True))
        wrong = counts & torch.where(held, found < -tolerance, slack < -tolerance)
        n_wrong = wrong.sum(-1, keepdim=True).to(fewest)
        if not bool(wrong.any()):
            return found.clamp(min=0)
        better = n_wrong < fewest
        fewest = torch.minimum(fewest, n_wrong)
        patience = torch.where(better, PATIENCE, patience - 1)
        last = place == torch.where(wrong, place, -1).amax(-1, keepdim=True)
        held = held ^ torch.where(patience >= 0, wrong, wrong & last)
    return torch.where(wrong.any(-1, keepdim=True), torch.inf, found)

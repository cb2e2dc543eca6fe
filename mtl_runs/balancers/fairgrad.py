"""α-fair allocation of the loss decrease among tasks."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import CLIP, Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.interior_point import Stiffened
from mtl_runs.balancers.powers import power
from mtl_runs.balancers.solvers import ROUNDING, normalised

MAX_ITERATIONS = 100
TOLERANCE, ROUND_OFF = 1e-12, 1e-15
"""Error of `A w` relative to `w^{-1/α}`, and to the sizes of the numbers that are added up for it."""

NEAR = 0.1
"""No weight changes by more than this share: from there on full Newton steps converge."""

WELL_POSED = 1e-3
"""Unit gradients whose shortest mixture is longer than the root of this are far from cancelling."""

STEP_SIZES = 0.5 ** torch.arange(12, dtype=torch.float64)


class FairGrad(Balancer):
    """FairGrad (Ban & Ji, ICML 2024, arXiv 2402.15638): the w > 0 with `A w = w^{-1/α}`, `d = Gᵀw`.

    Equivalently `(g_kᵀd)^α = 1/w_k`: no task gets worse. α = 0 is the mean gradient, α = 1 proportional fairness (the
    direction of Nash-MTL), α = 2 minimum potential delay, large α tends to max–min. The published code calls a
    least-squares solver, which agrees to 1e-9 but stops early for short gradients (of 1e-3: 5 % off for α = 1); here w
    minimises the convex `½ wᵀAw - Σ w^{1-1/α}/(1-1/α)` by Newton steps, on the normalised Gramian (raw Gramians of
    1e-8 would make w huge).

    The length of d is the method's own: `d(cG) = c^{(1-α)/(1+α)} d(G)`, a unit vector for α = 1, so learning rate and
    clip have to be tuned for it. Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient
    gets weight 0 and does not count. Opposed equal gradients (g, -g): no solution; weights are large, equal and finite,
    and d = 0. K = 1: `d = ‖g‖^{-2α/(1+α)} g`. No state.

    Args:
        alpha: the fairness α ≥ 0; 2 in the published experiments.
    """

    needs = Needs.GRAMIAN
    scales_heads = False
    clip = CLIP

    def __init__(self, alpha: float = 2.0) -> None:
        if not alpha >= 0:
            raise UsageError(f"alpha must not be negative; found {alpha}")
        self.alpha = alpha

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The solution of `A w = w^{-1/α}` among the active tasks."""
        if self.alpha == 0:
            return uniform_over(active), state
        return fair_weights(gramian, active, self.alpha), state


def fair_weights(gramian: Tensor, active: Tensor, alpha: float) -> Tensor:
    """The w > 0 with `A w = w^{-1/α}` among the active tasks.

    Args:
        gramian: positive semi-definite but for rounding errors, of any scale, [..., K, K].
        active: bool, [..., K]; what is returned for others is meaningless.
        alpha: α > 0.
    """
    gramian, scale = normalised(gramian, active)
    norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt().where(active, 1.0)
    sizes = norms.unsqueeze(-1) * norms.unsqueeze(-2)
    # An inactive task becomes a task of its own, at right angles to all others.
    cosines = gramian / sizes + torch.diag_embed((~active).to(gramian.dtype))
    # Where gradients oppose exactly there is no solution: what is left of their cosines is rounding error.
    values, vectors = torch.linalg.eigh(cosines)
    positive = (vectors * values.clamp(min=ROUNDING).unsqueeze(-2)) @ vectors.mT
    weights = _solve(sizes * positive, power(norms, -2 * alpha / (1 + alpha)), 1 / alpha)
    # Dependent gradients that do not cancel have a solution, which the rounding of small eigenvalues has moved.
    mixture = weights * norms
    squared = (mixture * (positive * mixture.unsqueeze(-2)).sum(-1)).sum(-1)
    clear = (squared > WELL_POSED * mixture.sum(-1) ** 2)[..., None, None]
    return _solve(sizes * torch.where(clear, cosines, positive), weights, 1 / alpha) * power(
        scale, -alpha / (1 + alpha)
    )


def _solve(gramian: Tensor, start: Tensor, exponent: float) -> Tensor:
    """The w > 0 with `A w = w^{-exponent}`, by Newton's method with the best of several step lengths each time."""
    steps = STEP_SIZES.to(gramian.device)
    weights = start
    for _ in range(MAX_ITERATIONS):
        target = power(weights, -exponent)
        products = gramian * weights.unsqueeze(-2)
        residual = products.sum(-1) - target
        allowed = TOLERANCE * target + ROUND_OFF * (products.abs().sum(-1) + target)
        solved = (residual.abs() <= allowed).all(-1, keepdim=True)
        if bool(solved.all()):
            break
        # In shares of each weight, so that norms may be of any sizes.
        inverse = Stiffened.of(products * weights.unsqueeze(-1), exponent * weights * target)
        change = -inverse(weights * residual)
        # Half-way to the border at most: weights stay positive.
        shrink = (-change).amax(-1, keepdim=True)
        longest = torch.where(shrink > 0.9, 0.9 / shrink, 1.0)
        trials = weights.unsqueeze(-2) * (1 + (longest * steps).unsqueeze(-1) * change.unsqueeze(-2))
        best = _potential(gramian, trials, exponent).argmin(-1)
        # Near the solution all potentials are equal but for rounding.
        best = torch.where((change.abs() <= NEAR).all(-1), 0, best)
        index = best[..., None, None].expand(*best.shape, 1, trials.shape[-1])
        # What is solved stays as it is, so that it does not depend on what is solved beside it.
        weights = torch.where(solved, weights, trials.gather(-2, index).squeeze(-2))
    return weights


def _potential(gramian: Tensor, weights: Tensor, exponent: float) -> Tensor:
    """The convex function whose gradient is `A w - w^{-exponent}`, at weights [..., S, K]: [..., S]."""
    quadratic = 0.5 * torch.einsum("...si,...ij,...sj->...s", weights, gramian, weights)
    if exponent == 1:
        return quadratic - weights.log().sum(-1)
    return quadratic - power(weights, 1 - exponent).sum(-1) / (1 - exponent)

"""Projection on the dual cone of the gradients: UPGrad and DualProj."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import MAX_FACES_K, cosines_of, face_inverses, minimise_above

RIDGE = 1e-9
"""Added to the matrix of cosines, so that dependent gradients have one solution; `dᵀg_k` falls below 0 by no more."""


class UPGrad(Balancer):
    """UPGrad (Quinton & Rey 2024, arXiv 2406.16232): each gradient is projected on the dual cone, then averaged.

    The dual cone `{d : dᵀg_j ≥ 0 for all j}` holds the directions that conflict with no task; so does d. Each
    projection is a quadratic program in K numbers, solved on the cosines by enumerating its active sets, with more than
    seven tasks by an interior-point method. The authors' TorchJD calls a general solver on the Gramian over its trace,
    with 1e-4 on its diagonal, and may conflict by about that; with one gradient a hundred times the others d differs by
    up to half. Gradients whose squared lengths sum to less than 1e-4 it does not project. Without both it agrees.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed equal gradients (g, -g): d = 0. K = 1: plain training. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Mean over the tasks of the coefficients of each projected gradient."""
        starts = torch.diag_embed(uniform_over(active))
        projected = project(gramian.unsqueeze(-3), starts, active.unsqueeze(-2))
        return projected.sum(-2), state


class DualProj(Balancer):
    """DualProj: the mean gradient, projected on the dual cone of all gradients.

    The projection of gradient episodic memory (Lopez-Paz & Ranzato, NeurIPS 2017), as named and used for several tasks
    by Quinton & Rey (2024): the nearest direction to `g_0` with `dᵀg_k ≥ 0` for all k. Solved as in UPGrad, from which
    TorchJD differs in the same way.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed equal gradients (g, -g): d = 0. K = 1: plain training. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Coefficients of the projected mean."""
        return project(gramian, uniform_over(active), active), state


def project(gramian: Tensor, start: Tensor, active: Tensor) -> Tensor:
    """Coefficients v of the projection of `Gᵀu` on the dual cone: `argmin_{v ≥ u} vᵀAv`.

    Args:
        gramian: positive semi-definite, rows and columns of inactive tasks zero, [..., K, K].
        start: u, [..., K]; 0 for inactive tasks.
        active: bool, [..., K].

    Returns:
        [..., K].
    """
    norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt().where(active, 1.0)
    start = start * norms
    if gramian.shape[-1] > MAX_FACES_K:
        return minimise_above(cosines_of(gramian, norms, active)[0], start, active) / norms
    eye = torch.eye(gramian.shape[-1], dtype=gramian.dtype, device=gramian.device)
    cosines = gramian / (norms.unsqueeze(-1) * norms.unsqueeze(-2)) + RIDGE * eye
    # With μ = v - u ≥ 0, the optimum is a stationary point over the tasks F with μ > 0: C_FF μ_F = -(C u)_F. The empty
    # F is μ = 0.
    slope = (cosines @ start.unsqueeze(-1)).squeeze(-1)
    added = -(face_inverses(cosines) @ slope[..., None, :, None]).squeeze(-1)
    added = torch.cat([torch.zeros_like(added[..., :1, :]), added], -2)
    points = start.unsqueeze(-2) + added
    values = torch.einsum("...fi,...ij,...fj->...f", points, cosines.expand(*added.shape[:-2], *eye.shape), points)
    usable = (added >= 0).all(-1) & torch.isfinite(values)
    best = values.where(usable, torch.inf).argmin(-1)
    index = best[..., None, None].expand(*best.shape, 1, points.shape[-1])
    return points.gather(-2, index).squeeze(-2) / norms

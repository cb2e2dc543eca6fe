"""Small problems on the probability simplex and its like, in float64 and batched over leading dimensions.

With up to `MAX_FACES_K` tasks the minimiser is found exactly: it is the minimiser over the affine hull of the one
face of the simplex on whose inside it lies, so all 2^K - 1 faces are solved in one batched call and the best feasible
point is taken. With more tasks an accelerated projected gradient takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

MAX_FACES_K = 7
"""Up to this many tasks all faces are enumerated (127 of them); beyond, solving them costs more than iterating."""

ROUNDING = 1e-6
"""Error of an inner product of gradients in float32, relative to the product of their norms, with some margin.

Sums of 10^4 numbers come out wrong by 5e-7, of 10^6 in one go by 2e-5, so those have to be summed in parts. What is
smaller than this in a Gramian is taken for zero.
"""

RIDGE = 1e-12
"""Added to the diagonal relative to the mean diagonal: singular faces stay solvable, and move by less than this."""


def project_to_simplex(point: Tensor, active: Tensor | None = None) -> Tensor:
    """The nearest point of the probability simplex, by sorting (Held, Wolfe & Crowder 1974).

    Args:
        point: any reals, [..., K].
        active: bool, [..., K]; others get 0. None: all are active.
    """
    # A common shift changes nothing, and without it a 1 would be lost beside huge numbers.
    if active is None:
        point = point - point.amax(-1, keepdim=True)
    else:
        largest = point.where(active, -torch.inf).amax(-1, keepdim=True)
        # A coordinate that is more than 1 below the largest is always projected to zero.
        point = (point - largest).where(active, torch.where(largest.isfinite(), -2.0, 0.0))
    ordered = point.sort(dim=-1, descending=True).values
    ranks = torch.arange(1, point.shape[-1] + 1, dtype=point.dtype, device=point.device)
    excess = (ordered.cumsum(-1) - 1) / ranks
    support = (ordered > excess).sum(-1, keepdim=True)
    return (point - excess.gather(-1, support - 1)).clamp(min=0)


@cache
def faces(n_tasks: int, device: torch.device) -> Tensor:
    """All non-empty subsets of the tasks as 0/1 rows, float64, [2^K - 1, K]."""
    subsets = torch.arange(1, 2**n_tasks, device=device)
    bits = torch.arange(n_tasks, device=device)
    return ((subsets.unsqueeze(-1) >> bits) & 1).to(torch.float64)


def face_inverses(gramian: Tensor) -> Tensor:
    """Inverse of the Gramian restricted to each face, zero outside of the face.

    Args:
        gramian: normalised to mean diagonal about 1, [..., K, K].

    Returns:
        [..., 2^K - 1, K, K].
    """
    mask = faces(gramian.shape[-1], gramian.device)
    outside = torch.diag_embed(1 - mask)
    inside = mask.unsqueeze(-1) * mask.unsqueeze(-2)
    ridge = RIDGE * torch.eye(gramian.shape[-1], dtype=gramian.dtype, device=gramian.device)
    restricted = (gramian + ridge).unsqueeze(-3) * inside + outside
    return torch.linalg.inv_ex(restricted).inverse * inside


def best_feasible(candidates: Tensor, values: Tensor, active: Tensor) -> Tensor:
    """The candidate of least value among those on the simplex that use active tasks only.

    Args:
        candidates: one per face, [..., F, K].
        values: objective at each, [..., F].
        active: bool, [..., K].

    Returns:
        [..., K]; the uniform point where no task is active.
    """
    usable = torch.isfinite(candidates).all(-1) & torch.isfinite(values) & (candidates >= -1e-9).all(-1)
    usable &= ~((candidates != 0) & ~active.unsqueeze(-2)).any(-1)
    best = values.where(usable, torch.inf).argmin(-1)
    index = best[..., None, None].expand(*best.shape, 1, candidates.shape[-1])
    chosen = candidates.gather(-2, index).squeeze(-2).clamp(min=0)
    total = chosen.sum(-1, keepdim=True)
    none_usable = ~usable.any(-1, keepdim=True)
    return torch.where(none_usable, 1 / candidates.shape[-1], chosen / total.where(total > 0, 1.0))


def normalised(gramian: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """The Gramian divided by the mean squared norm of the active tasks' gradients, and that scale [..., 1]."""
    squared_norms = gramian.diagonal(dim1=-2, dim2=-1)
    scale = squared_norms.sum(-1, keepdim=True) / active.sum(-1, keepdim=True).clamp(min=1)
    scale = scale.where(scale > 0, 1.0)
    return gramian / scale.unsqueeze(-1), scale


def mixture_norm(gramian: Tensor, weights: Tensor) -> Tensor:
    """Length of the mixture `g_w`, and exactly 0 where the gradients cancel but for rounding errors.

    They cancel where `‖g_w‖² ≤ ROUNDING (Σ_k w_k ‖g_k‖)²`: relative to the vectors that were added up, not to all,
    so that the mixture of one small gradient among large ones is not taken for nothing.

    Args:
        gramian: positive semi-definite but for rounding errors, [..., K, K].
        weights: w ≥ 0, [..., K].

    Returns:
        [..., 1].
    """
    squared = torch.einsum("...i,...ij,...j->...", weights, gramian, weights)
    lengths = (weights * gramian.diagonal(dim1=-2, dim2=-1).sqrt()).sum(-1)
    return squared.where(squared > ROUNDING * lengths**2, 0.0).sqrt().unsqueeze(-1)


def min_norm_point(gramian: Tensor, active: Tensor) -> Tensor:
    """Convex weights of the active tasks' gradients whose combination is shortest: argmin_{w∈Δ} wᵀAw.

    Args:
        gramian: positive semi-definite, [..., K, K].
        active: bool, [..., K]; others get weight 0.

    Returns:
        [..., K] on the simplex.
    """
    gramian, _ = normalised(gramian, active)
    if gramian.shape[-1] > MAX_FACES_K:
        return minimise_on_simplex(lambda w: (gramian @ w.unsqueeze(-1)).squeeze(-1), gramian, active)
    # On a face the minimiser over the affine hull is A⁻¹1 / 1ᵀA⁻¹1.
    points = face_inverses(gramian).sum(-1)
    points = points / points.sum(-1, keepdim=True)
    values = torch.einsum("...fi,...ij,...fj->...f", points, gramian, points)
    return best_feasible(points, values, active)


def minimise_on_simplex(
    gradient: Callable[[Tensor], Tensor], curvature: Tensor, active: Tensor, *, iterations: int = 500
) -> Tensor:
    """Minimiser of a smooth convex function over the simplex by Nesterov's accelerated projected gradient.

    Args:
        gradient: gradient of the function at weights [..., K].
        curvature: a matrix that bounds its Hessian, [..., K, K]; its trace sets the step size.
        active: bool, [..., K]; others get weight 0.
        iterations: number of steps; the error falls with its square.
    """
    start = active / active.sum(-1, keepdim=True).clamp(min=1).to(curvature.dtype)
    return _accelerated(gradient, curvature, start, lambda point: project_to_simplex(point, active), iterations)


def minimise_above(gramian: Tensor, floor: Tensor, *, iterations: int = 2000) -> Tensor:
    """Minimiser of `vᵀAv` over v ≥ floor, by the same method.

    Args:
        gramian: A, positive definite, [..., K, K].
        floor: least value of each coefficient, [..., K].
        iterations: number of steps.
    """

    def gradient(v: Tensor) -> Tensor:
        return (gramian @ v.unsqueeze(-1)).squeeze(-1)

    return _accelerated(gradient, gramian, floor, lambda point: torch.maximum(point, floor), iterations)


def _accelerated(
    gradient: Callable[[Tensor], Tensor],
    curvature: Tensor,
    start: Tensor,
    project: Callable[[Tensor], Tensor],
    iterations: int,
) -> Tensor:
    """Nesterov's projected gradient from a feasible start, [..., K]."""
    step = 1 / curvature.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True).clamp(min=1e-30)
    weights = ahead = start
    for i in range(iterations):
        new = project(ahead - step * gradient(ahead))
        # Restarting where the momentum points uphill makes the method converge linearly on quadratics.
        uphill = ((ahead - new) * (new - weights)).sum(-1, keepdim=True) > 0
        ahead = torch.where(uphill, new, new + i / (i + 3) * (new - weights))
        weights = new
    return weights

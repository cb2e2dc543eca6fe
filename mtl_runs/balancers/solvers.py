"""Small problems on the probability simplex and its like, in float64 and batched over leading dimensions.

With up to `MAX_FACES_K` tasks the minimiser is the best of all faces of the simplex: it is the minimiser over the
affine hull of the one on whose inside it lies, so all 2^K - 1 are solved in one batched call. With more tasks it is
found by an interior-point method. Both work on cosines, in units of each task's own gradient, so that norms may differ
by a factor of 10^6. Accuracy of the mixture `g_w` of either: `g_kᵀg_w ≥ (1 - 1e-8) ‖g_w‖² - 1e-13 ‖g_k‖ Σ_j w_j ‖g_j‖`
for all k, the last term for rounding errors of the Gramian.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from mtl_runs.balancers.interior_point import minimise_quadratic

MAX_FACES_K = 7
"""Up to this many tasks all faces are enumerated (127 of them); beyond, solving them costs more than iterating."""

ROUNDING = 1e-6
"""Error of an inner product of gradients in float32, relative to the product of their norms, with some margin.

Sums of 10^4 numbers come out wrong by 5e-7, of 10^6 in one go by 2e-5, so those have to be summed in parts. What is
smaller than this in a Gramian is taken for zero.
"""

RIDGE = 1e-14
"""Added to the diagonal of a matrix of cosines: singular faces stay solvable, and move by no more than rounding."""


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


def face_inverses(cosines: Tensor) -> Tensor:
    """Inverse of a matrix of cosines restricted to each face, zero outside of the face.

    Args:
        cosines: positive semi-definite but for rounding errors, diagonal of at most 1, [..., K, K].

    Returns:
        [..., 2^K - 1, K, K].
    """
    mask = faces(cosines.shape[-1], cosines.device)
    outside = torch.diag_embed(1 - mask)
    inside = mask.unsqueeze(-1) * mask.unsqueeze(-2)
    ridge = RIDGE * torch.eye(cosines.shape[-1], dtype=cosines.dtype, device=cosines.device)
    restricted = (cosines + ridge).unsqueeze(-3) * inside + outside
    return torch.linalg.inv_ex(restricted).inverse * inside


def best_feasible(candidates: Tensor, values: Tensor, active: Tensor) -> Tensor:
    """The candidate of least value among those that are not negative and use active tasks only.

    Args:
        candidates: one per face, [..., F, K].
        values: objective at each, [..., F].
        active: bool, [..., K].

    Returns:
        [..., K]; 1 for all where no task is active.
    """
    # A minimiser with a number that is negative by rounding lies on a smaller face just as well.
    usable = torch.isfinite(candidates).all(-1) & torch.isfinite(values) & (candidates >= 0).all(-1)
    usable &= ~((candidates != 0) & ~active.unsqueeze(-2)).any(-1)
    best = values.where(usable, torch.inf).argmin(-1)
    index = best[..., None, None].expand(*best.shape, 1, candidates.shape[-1])
    return candidates.gather(-2, index).squeeze(-2).where(usable.any(-1, keepdim=True), 1.0)


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


def cosines_of(gramian: Tensor, norms: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """The Gramian in units of each task's own size, without what rounding made negative; and prices of these units.

    A mixture w is `y = w ∘ norms` in these units, up to a common factor, and w sums to 1 where `priceᵀy` does.

    Args:
        gramian: positive semi-definite but for rounding errors, [..., K, K].
        norms: sizes of the tasks, no smaller than the roots of the diagonal, positive for active tasks, [..., K].
        active: bool, [..., K]; others get rows and columns of the unit matrix, and price 0.

    Returns:
        Cosines [..., K, K], and prices in 0..1, 1 for the smallest task, [..., K].
    """
    norms = norms.where(active, 1.0)
    both = active.unsqueeze(-1) & active.unsqueeze(-2)
    unit = torch.eye(gramian.shape[-1], dtype=gramian.dtype, device=gramian.device)
    cosines = torch.where(both, gramian / norms.unsqueeze(-1) / norms.unsqueeze(-2), unit)
    smallest = norms.where(active, torch.inf).amin(-1, keepdim=True)
    # A Gramian of float32 gradients may have eigenvalues of -1e-7: a quadratic that is bounded nowhere.
    values, vectors = torch.linalg.eigh(cosines)
    clean = values[..., :1, None] >= -RIDGE * gramian.shape[-1]
    positive = (vectors * values.clamp(min=0).unsqueeze(-2)) @ vectors.mT
    return torch.where(clean, cosines, positive), torch.where(active, smallest / norms, 0.0)


def min_norm_point(gramian: Tensor, active: Tensor) -> Tensor:
    """Convex weights of the active tasks' gradients whose combination is shortest: argmin_{w∈Δ} wᵀAw.

    Args:
        gramian: positive semi-definite, [..., K, K].
        active: bool, [..., K]; others get weight 0.

    Returns:
        [..., K] on the simplex.
    """
    cosines, price = cosines_of(gramian, gramian.diagonal(dim1=-2, dim2=-1).sqrt(), active)
    if gramian.shape[-1] > MAX_FACES_K:
        return to_shares(minimise_quadratic(cosines, torch.zeros_like(price), active, price).point * price)
    # On a face the minimiser over the affine hull is C⁻¹a / aᵀC⁻¹a for prices a.
    points = (face_inverses(cosines) * price[..., None, None, :]).sum(-1)
    points = points / (points * price.unsqueeze(-2)).sum(-1, keepdim=True)
    values = torch.einsum("...fi,...ij,...fj->...f", points, cosines, points)
    return to_shares(best_feasible(points, values, active) * price)


def to_shares(weights: Tensor) -> Tensor:
    """Weights [..., K] that are not negative, divided by their sum where that is not zero."""
    total = weights.sum(-1, keepdim=True)
    return weights / total.where(total > 0, 1.0)


def minimise_above(cosines: Tensor, floor: Tensor, active: Tensor) -> Tensor:
    """Minimiser of `vᵀCv` over v ≥ floor, by the same interior-point method.

    Args:
        cosines: C, as from `cosines_of`, [..., K, K].
        floor: least value of each coefficient, not negative, 0 for inactive tasks, [..., K].
        active: bool, [..., K].
    """
    size = floor.amax(-1, keepdim=True)
    size = size.where(size > 0, 1.0)
    slope = torch.where(active, (cosines * (floor / size).unsqueeze(-2)).sum(-1), 0.0)
    return floor + size * minimise_quadratic(cosines, slope, active.expand(slope.shape), beside=1.0).point

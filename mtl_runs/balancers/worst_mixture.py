"""The mixture of tasks that gains least near a given direction: the inner problem of CAGrad and its relatives."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.interior_point import Solution, Stiffened, dot, minimise_quadratic, times
from mtl_runs.balancers.solvers import MAX_FACES_K, best_feasible, cosines_of, face_inverses, faces, to_shares

MAX_ROOTS = 30
"""Quadratic programs on the way to the root; three to six are usual."""

TOLERANCE = 1e-11
"""Relative error of the root."""

CANCELLED = 1e-8
"""A `‖g_w‖` below this share of the lengths that were added up for it is zero, as far as float64 Gramians tell."""


def worst_mixture(gramian: Tensor, dots: Tensor, radius: Tensor, active: Tensor, norms: Tensor | None = None) -> Tensor:
    """Minimiser over the simplex of `wᵀp + κ √(wᵀAw)`.

    With up to `MAX_FACES_K` tasks in closed form on every face; with more as the root of a function of one number, each
    value of which is a quadratic program. To the accuracy that `mtl_runs.balancers.solvers` states for `g_w`.

    Args:
        gramian: A, positive semi-definite but for rounding errors, [..., K, K].
        dots: p, [..., K].
        radius: κ ≥ 0, [..., 1].
        active: bool, [..., K]; others get weight 0.
        norms: sizes of the tasks, positive for active ones, where they are not the roots of A's diagonal, [..., K].

    Returns:
        [..., K] on the simplex.
    """
    norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt() if norms is None else norms
    cosines, price = cosines_of(gramian, norms, active)
    # In units of the smallest task: `yᵀq + κ √(yᵀCy)` over priceᵀy = 1.
    smallest = norms.where(active, torch.inf).amin(-1, keepdim=True)
    gains = torch.where(active, dots / smallest * price, 0.0)
    points = _on_faces if gramian.shape[-1] <= MAX_FACES_K else _by_root
    found = points(cosines, gains, price, radius, active)
    # Without the second term a single task is worst.
    single = torch.nn.functional.one_hot(dots.where(active, torch.inf).argmin(-1), dots.shape[-1]).to(price)
    return to_shares(torch.where(radius > 0, found * price, single))


def _on_faces(cosines: Tensor, gains: Tensor, price: Tensor, radius: Tensor, active: Tensor) -> Tensor:
    """The best stationary point of all faces.

    On a face with B = C restricted to it, stationarity reads `Cy = (‖g_w‖/κ)(μa - q)`, and with `aᵀy = 1` and
    `yᵀCy = ‖g_w‖²` the multiplier μ solves a quadratic: `y = (μ B⁻¹a - B⁻¹q) / √(b² - c(r - κ²))`, where `b = aᵀB⁻¹q`,
    `c = aᵀB⁻¹a`, `r = qᵀB⁻¹q`.
    """
    inverse = face_inverses(cosines)
    priced = (inverse * price[..., None, None, :]).sum(-1)
    solved = (inverse * gains[..., None, None, :]).sum(-1)
    worth = (priced * price.unsqueeze(-2)).sum(-1, keepdim=True)
    mixed = (solved * price.unsqueeze(-2)).sum(-1, keepdim=True)
    squared = (solved * gains.unsqueeze(-2)).sum(-1, keepdim=True)
    # NaN where the face has no stationary point.
    root = (mixed**2 - worth * (squared - radius.unsqueeze(-2) ** 2)).sqrt()
    points = ((mixed + root) / worth * priced - solved) / root
    # A single task needs no solving; and where the face is singular the total is not 1 to start with.
    mask = faces(cosines.shape[-1], cosines.device)
    points = torch.where(mask.sum(-1, keepdim=True) == 1, mask, points)
    points = points / (points * price.unsqueeze(-2)).sum(-1, keepdim=True)
    lengths = torch.einsum("...fi,...ij,...fj->...f", points, cosines, points).clamp(min=0).sqrt()
    return best_feasible(points, (points * gains.unsqueeze(-2)).sum(-1) + radius * lengths, active)


def _by_root(cosines: Tensor, gains: Tensor, price: Tensor, radius: Tensor, active: Tensor) -> Tensor:
    """The minimiser as that of `θ yᵀq + ½ yᵀCy` at the θ ≥ 0 where `‖g_w‖ = κθ`.

    `‖g_w‖/θ` falls as θ grows, so at most one θ > 0 is a root; without one, some mixture of zero is the minimiser, and
    θ goes to 0. As long as the same tasks have weight, y is linear in θ: the next θ is where that line has its root, if
    that is between what is known to be too small and too large.
    """
    radius = radius.where(radius > 0, 1.0)
    shortest = _length(cosines, minimise_quadratic(cosines, torch.zeros_like(gains), active, price).point)
    low, high = shortest / radius, torch.full_like(radius, torch.inf)
    # From above: at 0 there may be a second root, of a mixture that is not the best.
    dearest = gains.where(active, torch.inf) / price.where(active, 1.0)
    theta = 1 / (price.gather(-1, dearest.argmin(-1, keepdim=True)).clamp(min=torch.finfo(price.dtype).tiny) * radius)
    point = torch.zeros_like(gains)
    found = ~active.any(-1, keepdim=True)
    for _ in range(MAX_ROOTS):
        solution = minimise_quadratic(cosines, theta * gains, active & ~found, price * ~found)
        point = torch.where(found, point, solution.point)
        length = _length(cosines, point)
        miss = length - radius * theta
        found = found | (miss.abs() <= TOLERANCE * length) | (length <= CANCELLED * point.sum(-1, keepdim=True))
        if bool(found.all()):
            break
        low, high = torch.where(miss > 0, theta, low), torch.where(miss > 0, high, theta)
        ahead = _root_of_the_line(cosines, gains, price, active, solution, radius, theta)
        between = torch.where(low > 0, (low * high).sqrt(), 0.1 * theta)
        theta = torch.where((low <= ahead) & (ahead <= high), ahead, between.where(between < torch.inf, 10 * theta))
    return point


def _root_of_the_line(
    cosines: Tensor, gains: Tensor, price: Tensor, active: Tensor, solution: Solution, radius: Tensor, theta: Tensor
) -> Tensor:
    """Where `‖g_w‖ = κθ` if y goes on as it does at this θ; NaN where it never does."""
    point = torch.where(active & (solution.point > 0), solution.point, 1.0)
    inverse = Stiffened.of(cosines, torch.where(active, solution.slack / point, 0.0))
    priced, pulled = inverse(price), inverse(gains)
    change = priced * dot(price, pulled) / dot(price, priced) - pulled
    pull = times(cosines, solution.point)
    # ‖g_w‖² - κ²θ² after θ has grown by δ: constant + 2 linear δ + square δ².
    square = dot(change, times(cosines, change)) - radius**2
    linear = dot(change, pull) - radius**2 * theta
    constant = dot(solution.point, pull) - (radius * theta) ** 2
    return theta + constant / ((linear**2 - square * constant).sqrt() - linear)


def _length(cosines: Tensor, point: Tensor) -> Tensor:
    """`√(yᵀCy)`, [..., 1]."""
    return dot(point, times(cosines, point)).clamp(min=0).sqrt()

"""Direction-oriented multiple-gradient descent: the shortest mixture, drawn towards the mean gradient."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import CLIP, Balancer, Needs, State, shares_among, uniform_over
from mtl_runs.balancers.draws import Generators, uniform
from mtl_runs.balancers.solvers import min_norm_point, normalised, project_to_simplex

ITERATIONS, MOMENTUM = 20, 0.5
"""Of the inner loop, as published."""

Solver = Literal["exact", "paper_sgd"]


class SDMGrad(Balancer):
    """SDMGrad (Xiao, Ban & Ji, NeurIPS 2023, arXiv 2305.18409): `w = argmin_{w∈Δ} ½ ‖g_w + λ g_0‖²`.

    `d = (g_w + λ g_0) / (1 + λ)`: MGDA whose weights cannot fall below `λ / (K (1 + λ))`. λ = 0 is MGDA, large λ the
    mean gradient.

    `solver="exact"` solves the problem of one batch exactly, as the min-norm point of the vectors `g_k + λ g_0`.
    `solver="paper_sgd"` is the paper's Algorithm 1: the gradient of w, `A (w + λ b)` with `A = G(ξ) G(ξ')ᵀ` from two
    independent batches, is unbiased, and d is that of a third; w goes 20 steps of projected SGD with momentum ½ from
    where the previous step left it, on A divided by the square of the mean of `√A_kk`. The published code adds 1e-4
    below that root, and has a learning rate of 10, at which this does not converge even for two tasks and may end in
    conflict, as for the gradients (1, 0) and (-½, 1); hence 0.5 here. The exact solver is the
    default because it needs no learning rate, no state and a third of the data of a step, and never conflicts while no
    weight is at its floor.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count; its w stays. Opposed equal gradients (g, -g): d = 0 (for `paper_sgd` from equal w). K = 1: plain training.
    State: none, or for `paper_sgd` w.

    Args:
        regularisation: λ ≥ 0; 0.3 in the published supervised experiments.
        solver: how w is found.
        lr: learning rate of `paper_sgd`, above 0; other solvers do not read it.
    """

    needs = Needs.GRAMIAN
    scales_heads = False
    clip = CLIP

    def __init__(self, regularisation: float = 0.3, solver: Solver = "exact", lr: float = 0.5) -> None:
        if not regularisation >= 0:
            raise UsageError(f"regularisation must not be negative; found {regularisation}")
        if solver not in get_args(Solver):
            raise UsageError(f"solver must be one of {', '.join(get_args(Solver))}; found '{solver}'")
        if not lr > 0:
            raise UsageError(f"lr must be above 0; found {lr}")
        self.regularisation, self.solver, self.lr = regularisation, solver, lr
        if solver == "paper_sgd":
            self.needs = Needs.GRAMIAN | Needs.SEVERAL_BATCHES

    def init(self, n_tasks: int) -> State:
        """Equal w, where it is remembered."""
        return {} if self.solver == "exact" else {"share": torch.full((n_tasks,), 1 / n_tasks, dtype=torch.float64)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`(w + λ b) / (1 + λ)`."""
        mean = uniform_over(active)
        if self.solver == "exact":
            worst = self._solve(gramian, mean, active)
        else:
            worst = self._descend(state["share"], gramian, mean, active)
            # Scaled to the share that these tasks had, so that they do not gain on those that are out.
            total = torch.where(active, state["share"], 0.0).sum(-1, keepdim=True)
            state = {"share": torch.where(active, worst * total, state["share"])}
        return (worst + self.regularisation * mean) / (1 + self.regularisation), state

    def _solve(self, gramian: Tensor, mean: Tensor, active: Tensor) -> Tensor:
        """The minimiser w, [..., K]."""
        gramian, _ = normalised(gramian, active)
        dots = self.regularisation * (gramian @ mean.unsqueeze(-1)).squeeze(-1)
        squared = self.regularisation * (mean * dots).sum(-1)
        shifted = gramian + dots.unsqueeze(-1) + dots.unsqueeze(-2) + squared[..., None, None]
        return min_norm_point(shifted * (active.unsqueeze(-1) & active.unsqueeze(-2)), active)

    def _descend(self, share: Tensor, gramian: Tensor, mean: Tensor, active: Tensor) -> Tensor:
        """W after the paper's inner loop, [..., K]."""
        roots = gramian.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
        scale = (roots * mean).sum(-1)[..., None, None] ** 2
        # Where chance made all entries negative there is no scale, and w stays.
        gramian = torch.where(scale > 0, gramian / scale.where(scale > 0, 1.0), 0.0)
        share = shares_among(share, active)
        velocity = torch.zeros_like(share)
        for _ in range(ITERATIONS):
            slope = (gramian @ (share + self.regularisation * mean).unsqueeze(-1)).squeeze(-1)
            velocity = MOMENTUM * velocity + slope
            share = project_to_simplex(share - self.lr * velocity, active)
        return share


class SDMGradOS(SDMGrad):
    """SDMGrad with objective sampling (SDMGrad-OS, same paper): each step balances a random subset of the tasks.

    Every task is included with probability n/K, given that at least one is. SDMGrad is then solved among the sampled
    tasks; the others get weight 0. The published code keeps the others as zero gradients and multiplies by K/n; solved
    exactly, that puts all weight on the tasks left out. Both agree for large λ: the mean over the sample, whose
    expectation is the mean gradient. The trainer has all gradients at hand, so this has the method's noise,
    not its saving; heads of all tasks learn in every step.

    One number per task is drawn from the generator. `paper_sgd` moves the w of the sampled tasks only. Otherwise as
    SDMGrad.

    Args:
        n_sampled: n, the expected number of tasks before the condition, at least 1; K or more samples all.
        regularisation: λ ≥ 0.
        solver: how w is found.
        lr: learning rate of `paper_sgd`.
    """

    def __init__(
        self, n_sampled: float = 2, regularisation: float = 0.3, solver: Solver = "exact", lr: float = 0.5
    ) -> None:
        super().__init__(regularisation, solver, lr)
        if not n_sampled >= 1:
            raise UsageError(f"n_sampled must be at least 1; found {n_sampled}")
        self.n_sampled = n_sampled

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """SDMGrad's weights among the sampled tasks."""
        sampled = self._sample(active, generator)
        weights, state = super().weigh(
            state, losses, gramian * (sampled.unsqueeze(-1) & sampled.unsqueeze(-2)), sampled, generator
        )
        return weights * sampled, state

    def _sample(self, active: Tensor, generator: Generators) -> Tensor:
        """A random non-empty subset of the active tasks, bool [..., K]."""
        n_active = active.sum(-1, keepdim=True)
        rate = (self.n_sampled / n_active.clamp(min=1)).clamp(max=1).to(torch.float64)
        draws = uniform(active.shape, generator, active.device, torch.float64)
        # While none is in, the chance of the next is the chance that it is the first, given that there will be one.
        remaining = n_active - active.cumsum(-1) + 1
        first = rate / (1 - (1 - rate) ** remaining.clamp(min=1))
        sampled = torch.zeros_like(active)
        for k in range(active.shape[-1]):
            chance = torch.where(sampled.any(-1), rate[..., 0], first[..., k])
            sampled[..., k] = active[..., k] & (draws[..., k] < chance)
        return sampled

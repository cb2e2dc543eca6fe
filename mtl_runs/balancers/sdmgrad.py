"""Direction-oriented multiple-gradient descent: the shortest mixture, drawn towards the mean gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import uniform
from mtl_runs.balancers.solvers import min_norm_point, normalised


class SDMGrad(Balancer):
    """SDMGrad (Xiao, Ban & Ji, NeurIPS 2023, arXiv 2305.18409): `w = argmin_{w∈Δ} ½ ‖g_w + λ g_0‖²`.

    `d = (g_w + λ g_0) / (1 + λ)`: MGDA whose weights cannot fall below `λ / (K (1 + λ))`. λ = 0 is MGDA, large λ the
    mean gradient. Two deviations: the problem is solved exactly, as the min-norm point of the vectors `g_k + λ g_0`
    (the published inner loop, SGD at learning rate 10, does not converge even for two tasks and may end in conflict);
    and one batch serves for gradients and weights (the paper's three independent batches make the weights unbiased).

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed equal gradients (g, -g): d = 0. K = 1: plain training. No state.

    Args:
        regularisation: λ ≥ 0; 0.3 in the published supervised experiments.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(self, regularisation: float = 0.3) -> None:
        if not regularisation >= 0:
            raise UsageError(f"regularisation must not be negative; found {regularisation}")
        self.regularisation = regularisation

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, State]:
        """`(w + λ b) / (1 + λ)`."""
        gramian, _ = normalised(gramian, active)
        mean = uniform_over(active)
        dots = self.regularisation * (gramian @ mean.unsqueeze(-1)).squeeze(-1)
        squared = self.regularisation * (mean * dots).sum(-1)
        shifted = gramian + dots.unsqueeze(-1) + dots.unsqueeze(-2) + squared[..., None, None]
        shifted = shifted * (active.unsqueeze(-1) & active.unsqueeze(-2))
        worst = min_norm_point(shifted, active)
        return (worst + self.regularisation * mean) / (1 + self.regularisation), state


class SDMGradOS(SDMGrad):
    """SDMGrad with objective sampling (SDMGrad-OS, same paper): each step balances a random subset of the tasks.

    Every task is included with probability n/K, given that at least one is. SDMGrad is then solved among the sampled
    tasks; the others get weight 0. The published code keeps the others as zero gradients and multiplies by K/n; solved
    exactly, that puts all weight on the tasks left out. Both agree for large λ: the mean over the sample, whose
    expectation is the mean gradient. The trainer has all gradients at hand, so this has the method's noise,
    not its saving; heads of all tasks learn in every step.

    No state but the generator, from which one number per task is drawn. Otherwise as SDMGrad.

    Args:
        n_sampled: n, the expected number of tasks before the condition, at least 1; K or more samples all.
        regularisation: λ ≥ 0.
    """

    def __init__(self, n_sampled: float = 2, regularisation: float = 0.3) -> None:
        super().__init__(regularisation)
        if not n_sampled >= 1:
            raise UsageError(f"n_sampled must be at least 1; found {n_sampled}")
        self.n_sampled = n_sampled

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, State]:
        """SDMGrad's weights among the sampled tasks."""
        sampled = self._sample(active, generator)
        weights, state = super().weigh(
            state, losses, gramian * (sampled.unsqueeze(-1) & sampled.unsqueeze(-2)), sampled, generator
        )
        return weights * sampled, state

    def _sample(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
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

"""ConFIG on running means of the gradients, with an adaptive step."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.config import ConFIG
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.products import gramian_of

EPSILON = 1e-8
"""Added to the root of the second moment."""


class MConFIG(Balancer):
    """M-ConFIG (Liu, Chu & Thuerey 2024, arXiv 2408.11104, Algorithm 1): ConFIG of momenta, over a second moment.

    `m_k ← β₁ m_k + (1 - β₁) g_k` and `c = ConFIG(m̂_1 … m̂_K)`, corrected for the start at 0. No gradient of one batch
    belongs to c, so the second moment is that of the one that would have moved an ordinary momentum from its last value
    to c: with `n_t = (1 - β₁^t) c_t`, `v ← β₂ v + (1 - β₂) ((n_t - β₁ n_{t-1}) / (1 - β₁))²` and `d = c / (√v̂ + ε)`.
    The paper's point is that a step needs the gradient of one task only; here a step has all of them, which the
    authors' program allows as well.

    d is a normalised step, and plain gradient descent along it is the paper's method: train with `optimizer=sgd`,
    `momentum=0` and `clip=0`. The size of a loss has no influence on its length. Gradient method: heads are not scaled
    and follow the run's optimiser. A task with a zero, NaN or infinite gradient gets weight 0, does not count, and its
    momentum stays. Opposed equal gradients (g, -g): d = 0. K = 1: Adam. State, [K, P] each: the momenta, and the last n
    and v, of which every task that took part keeps a copy; and per task β₁^t, β₂^t and step of both.

    Args:
        beta1: β₁ in 0..1, excluding 1.
        beta2: β₂ in 0..1, excluding 1.
    """

    needs = Needs.JACOBIAN | Needs.GRAMIAN
    scales_heads = False

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999) -> None:
        if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
            raise UsageError(f"beta1 and beta2 must be at least 0 and below 1; found beta1={beta1}, beta2={beta2}")
        self.beta1, self.beta2 = beta1, beta2

    def init(self, n_tasks: int) -> State:
        """Moments of nothing."""
        large = {name: torch.zeros(n_tasks, 1, dtype=torch.float32) for name in ("mean", "joint", "square")}
        # Powers are carried along as products: `β ** t` is rounded differently in tensors of different shapes.
        powers = {name: torch.ones(n_tasks, dtype=torch.float64) for name in ("power", "joint_power", "square_power")}
        return {**large, **powers, "steps": torch.zeros(n_tasks, dtype=torch.float64)}

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The step of all tasks in the place of every gradient."""
        mean = state["mean"].to(jacobian).lerp(jacobian, 1 - self.beta1)
        power = state["power"] * self.beta1
        corrected = mean / (1 - power).to(jacobian).unsqueeze(-1)
        corrected = torch.where(active.unsqueeze(-1), corrected, 0.0)
        weights, _ = ConFIG().weigh({}, losses, gramian_of(corrected), active, generator)
        weights = weights * active.sum(-1, keepdim=True)  # the paper's sum, not the mean
        direction = (weights.to(jacobian).unsqueeze(-2) @ corrected).squeeze(-2)

        # What belongs to all tasks is in the copies of those that took part last.
        latest = state["steps"].argmax(-1, keepdim=True)

        def last(name: str) -> Tensor:
            value = state[name]
            if value.ndim == latest.ndim:
                return value.gather(-1, latest)
            value = value.to(jacobian)
            index = latest.to(value.device).unsqueeze(-1).expand(*latest.shape, value.shape[-1])
            return value.gather(-2, index).squeeze(-2)

        joint_power, square_power = last("joint_power") * self.beta1, last("square_power") * self.beta2
        joint = (1 - joint_power).to(jacobian) * direction
        pushed = (joint - self.beta1 * last("joint")) / (1 - self.beta1)
        square = self.beta2 * last("square") + (1 - self.beta2) * pushed.square()
        step = direction / ((square / (1 - square_power).to(jacobian)).sqrt() + EPSILON)
        new = {
            "mean": mean,
            "power": power,
            "joint": joint.unsqueeze(-2).expand_as(jacobian),
            "square": square.unsqueeze(-2).expand_as(jacobian),
            "joint_power": joint_power.expand_as(power),
            "square_power": square_power.expand_as(power),
            "steps": (last("steps") + 1).expand_as(power),
        }
        return step.unsqueeze(-2).expand_as(jacobian), new

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Equal weights: all rows are the step."""
        return uniform_over(active), state

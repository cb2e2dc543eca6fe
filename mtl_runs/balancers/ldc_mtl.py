"""Loss discrepancy control: weights are learned, and neighbouring weighted losses are pulled together."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators

Scale = Literal["none", "first", "log"]


class LDCMTL(Balancer):
    """LDC-MTL (Xiao et al. 2025, arXiv 2502.08585): `Σ_k σ_k ℓ_k / Σ_k σ_k + λ Σ_k |σ_k ℓ_k - σ_{k+1} ℓ_{k+1}|`.

    The bilevel problem (upper: discrepancy of the weighted losses, lower: their sum) as one penalised loss, whose
    derivatives move the network and the weights `σ = sigmoid(v)` at once; the normaliser `Σ σ` is held constant. The
    sum over neighbours is in the order of the tasks. ℓ are the losses as they are, over `L_k(1) / min_j L_j(1)` of the
    first step (`first`), or `log(L_k / L_k(1))` (`log`).

    This is the form of the authors' programs for CelebA (ℓ = L) and QM9 (`log`, there against the first step of each
    epoch), in which the router is a vector. Their router for Cityscapes and NYUv2 reads the network's features, which
    no balancer sees. v has an Adam of its own; theirs is in the network's. The weights of θ are the derivatives by the
    losses; they sum to 1 but for the second term, and may be negative where λ is large.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0, its neighbours are neighbours, and its state stays. K = 1: plain training (ℓ = L).
    State: v, first losses, Adam's moments and steps.

    Args:
        penalty: λ ≥ 0; 0.01 for CelebA, 0.05 for QM9 and NYUv2, 0.1 for Cityscapes.
        scale: which ℓ.
        lr: learning rate of v.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, penalty: float = 0.05, scale: Scale = "none", lr: float = 1e-3) -> None:
        if not penalty >= 0:
            raise UsageError(f"penalty must not be negative; found {penalty}")
        if scale not in get_args(Scale):
            raise UsageError(f"scale must be one of {', '.join(get_args(Scale))}; found '{scale}'")
        self.penalty, self.scale, self.lr = penalty, scale, lr

    def init(self, n_tasks: int) -> State:
        """V = 1, no first losses, Adam's state."""
        ones = torch.ones(n_tasks, dtype=torch.float64)
        return {"logit": ones, "first_loss": torch.zeros_like(ones), **adam_init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Derivatives by the losses, and one Adam step on v."""
        first = torch.where(state["steps"] == 0, losses, state["first_loss"])
        scaled, slope = self._scaled(losses, first, active)
        shares = torch.where(active, state["logit"].sigmoid(), 0.0)
        # d of the penalised loss by σ_k ℓ_k
        total = shares.sum(-1, keepdim=True)
        pull = 1 / total.where(total > 0, 1.0) + self.penalty * _signs(shares * scaled, active)
        step, moments = adam_step(state, pull * scaled * shares * (1 - shares))
        return pull * shares * slope, {"logit": state["logit"] - self.lr * step, "first_loss": first, **moments}

    def _scaled(self, losses: Tensor, first: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
        """ℓ, and its derivative by L."""
        if self.scale == "none":
            return losses, torch.ones_like(losses)
        first = first.clamp(min=SMALLEST_LOSS)
        if self.scale == "log":
            losses = losses.clamp(min=SMALLEST_LOSS)
            return (losses / first).log(), 1 / losses
        ratio = first / first.where(active, torch.inf).amin(-1, keepdim=True)
        ratio = torch.where(active, ratio, 1.0)
        return losses / ratio, 1 / ratio


def _signs(values: Tensor, active: Tensor) -> Tensor:
    """Derivatives of `Σ |x_k - x_{k+1}|` over neighbouring active tasks, [..., K]; 0 for others."""
    order = (~active).to(torch.int8).argsort(dim=-1, stable=True)  # the active ones first, in their order
    ordered, there = values.gather(-1, order), active.gather(-1, order)
    ahead = torch.where(there[..., 1:], (ordered[..., :-1] - ordered[..., 1:]).sign(), 0.0)
    none = torch.zeros_like(ordered[..., :1])
    signs = torch.cat([ahead, none], -1) - torch.cat([none, ahead], -1)
    return torch.zeros_like(values).scatter(-1, order, signs)

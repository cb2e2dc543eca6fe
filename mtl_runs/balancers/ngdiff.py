"""Sum of normalised gradients."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators


class NGDiff(Balancer):
    """NGDiff (Bu et al., NAACL 2025, arXiv 2410.22086) for tasks that are all minimised: `d = Σ_k g_k / ‖g_k‖`.

    The paper has one task to learn and one to unlearn, `g_R/‖g_R‖ - g_F/‖g_F‖`; give the second as a negated loss. With
    two tasks no task gets worse, to first order; with more that is not guaranteed, and d may vanish before
    the tasks are stationary. The sum is divided by K, as everywhere here. The size of a loss has no
    influence, and d keeps its length near the optimum: the learning rate has to fall. The paper's automatic learning
    rate is the trainer's, for any balancer: `RunConfig(auto_lr=10)`, see `mtl_runs.training.auto_lr`. The direction is
    that of inverse-norm weighting, but heads are not scaled and the length is the method's own.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed gradients: d = 0. K = 1: normalised gradient descent, `d = g / ‖g‖`. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`1 / ‖g_k‖`, divided by the number of active tasks."""
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt().where(active, 1.0)
        return 1 / (norms * active.sum(-1, keepdim=True).clamp(min=1)), state

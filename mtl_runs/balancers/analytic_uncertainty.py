"""Uncertainty weighting with its optimum in closed form: UW-O and UW-SO."""

from __future__ import annotations

from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators


class UWO(Balancer):
    """UW-O (Kirchdorfer et al., GCPR 2024, arXiv 2408.07985): `L = Σ_k L_k / sg[L_k]`, sg = no gradient through it.

    The weights that minimise the loss of uncertainty weighting over its log-variances, up to a constant; the direction
    is that of `Σ log L_k`. The sum is divided by K, as everywhere here. Losses must be positive; below 1e-8 they count
    as 1e-8. The size of a loss has no influence.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; without a finite
    loss a task gets weight 0 and the others keep theirs. K = 1: plain training of log L. No state.
    """

    needs = Needs.LOSSES
    scales_heads = True
    positive_losses = True

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`1 / (K L_k)`."""
        return 1 / (losses.shape[-1] * losses.clamp(min=SMALLEST_LOSS)), state


class UWSO(Balancer):
    """UW-SO (Kirchdorfer et al., GCPR 2024, arXiv 2408.07985): `w = softmax((1 / sg[L]) / T)`.

    The optimal uncertainty weights 1/L, through a softmax of temperature T: large T is equal weighting, small T puts
    all weight on the smallest loss. Unlike UW-O it depends on the units of each loss. Losses must be positive;
    below 1e-8 they count as 1e-8.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0 and does not count. K = 1: plain training. No state.

    Args:
        temperature: T > 0; the paper tunes it for each data set and network, there is no usual value.
    """

    needs = Needs.LOSSES
    scales_heads = True
    positive_losses = True

    def __init__(self, temperature: float = 1.0) -> None:
        if not temperature > 0:
            raise UsageError(f"temperature must be above 0; found {temperature}")
        self.temperature = temperature

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The softmax."""
        return softmax_over(1 / losses.clamp(min=SMALLEST_LOSS) / self.temperature, active), state

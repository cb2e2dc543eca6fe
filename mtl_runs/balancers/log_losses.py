"""Any gradient method on the logarithms of the losses."""

from __future__ import annotations

from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.wrapper import Wrapper


class LogLosses(Wrapper):
    """A gradient method on `log L_k` instead of `L_k`: it balances the gradients `g_k / L_k`.

    The programs of Nash-MTL's line have LOG-MGDA, LOG-CAGrad and LOG-IMTL-G. The direction then depends on the units of
    no loss, whatever the method. Losses must be positive; below 1e-8 they count as 1e-8. For methods that read losses
    themselves there is no such form; `uw_o` is that of equal weighting. d is on the inner method's scale for the
    gradients of the logarithms; the published LOG-MGDA also divides it by `Σ_k w_k / L_k`.

    Heads are scaled if the inner method scales them, and train on their losses as they are where it does not; the
    published LOG-CAGrad has the logarithm for them too. A task with a NaN or infinite loss, or a zero, NaN or infinite
    gradient, gets weight 0 and does not count. Opposed gradients: as the inner method has it. K = 1: the inner method
    on g / L. State: that of the inner method.

    Args:
        of: the method inside, one that reads gradients and no losses.
    """

    def __init__(self, of: Balancer) -> None:
        super().__init__(of)
        if Needs.LOSSES in of.needs:
            raise UsageError(
                f"only methods that read nothing but gradients, such as mgda or cagrad, have a form for the logarithms "
                f"of the losses; {type(of).__name__} reads losses"
            )
        self.positive_losses = True

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The inner method's rows for the gradients of the log-losses."""
        losses = losses.clamp(min=SMALLEST_LOSS)
        return super().rows(state, losses.log(), jacobian / losses.unsqueeze(-1), active, generator)

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The inner method's weights for the gradients of the log-losses, as weights of the gradients themselves."""
        losses = losses.clamp(min=SMALLEST_LOSS)
        if Needs.JACOBIAN in self.needs:  # the rows are those of the log-losses already
            return super().weigh(state, losses.log(), gramian, active, generator)
        gramian = gramian / (losses.unsqueeze(-1) * losses.unsqueeze(-2))
        weights, new_state = super().weigh(state, losses.log(), gramian, active, generator)
        return weights / losses, new_state

"""An automatic learning rate: GeN (Bu & Xu, ICLR 2025, arXiv 2407.02772), as NGDiff takes it (NAACL 2025, 2410.22086).

Along the step -ηd that the optimiser would take at the rate η, a parabola goes through the loss at θ + ηd, θ and
θ - ηd; its lowest point is `η* = (η/2) (L₊ - L₋) / (L₊ - 2L₀ + L₋)`, on a quadratic loss `gᵀd / dᵀHd`. It costs two
forward passes, and is done every `auto_lr` steps from the first one on, on the step's own batch. L is the sum of the
losses with the weights that the balancer gave in this step; NGDiff takes the one task that it does not unlearn.

As in the code of GeN's authors the new rate is `0.9 η + 0.1 η*`, where η* is taken for at most 2η and at least η/2, so
that a single batch, or a bend that is all rounding, does little. Where the parabola has no minimum ahead
(L₊ - 2L₀ + L₋ ≤ 0, η* ≤ 0, anything not finite) the rate stays.

The configured `lr` is where η starts; the schedule's factor multiplies η in every step, and is 1 throughout for
`constant`, which is the paper's method.

Their code does some things otherwise. It looks at another batch than that of the gradient, in steps n, 2n, … and not in
the first; its decay multiplies η* alone, `0.9 η + 0.1 s η*`, so that the rate follows a schedule slowly and keeps its
traces; the look ahead advances the optimiser's moments once more than the step does; and it halves the rate where the
fit fails. NGDiff's limits for the rate, 1e-7 and 1e-3, are left out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mtl_runs.training.population import Population

SMOOTHING = 0.9
FURTHEST = 2.0


class AutoRate:
    """The learning rates of a population whose configurations ask for it; remembers them in `population.memory`.

    Args:
        population: its parameters are moved to look at losses there, and put back exactly.
    """

    def __init__(self, population: Population) -> None:
        self.population = population
        configs = [member.spec.config for member in population.members]
        self._interval = torch.tensor([[config.auto_lr] for config in configs])
        self._start = torch.tensor([[config.lr] for config in configs], dtype=torch.float64)

    def rates(self, planned: Tensor, gradient: Tensor, here: Tensor, loss: Callable[[], Tensor]) -> Tensor:
        """The rates to use in this step; called once per step.

        Args:
            planned: learning rates by the configurations' own schedules, [R, 1].
            gradient: what the optimisers are about to be given, [R, P + H].
            here: total loss of the step's batch at the present parameters, float64 on the CPU, [R, 1].
            loss: computes it anew.
        """
        memory = self.population.memory
        scale, steps = memory["auto_lr.scale"], memory["auto_lr.steps"]
        memory["auto_lr.steps"] = steps + 1
        due = steps % self._interval == 0
        if due.any():
            rates = planned * scale.to(planned)
            ahead, behind = self._losses_around(gradient, rates, loss)
            found, usable = lowest(rates.cpu().double(), behind, here, ahead)
            # In units of the configured rate, like the scale: the schedule's factor has no part in what is remembered.
            bounded = torch.minimum(torch.maximum(found / self._start, scale / FURTHEST), scale * FURTHEST)
            smoothed = SMOOTHING * scale + (1 - SMOOTHING) * bounded
            memory["auto_lr.scale"] = scale = torch.where(due & usable, smoothed, scale)
        return planned * scale.to(planned)

    def _losses_around(self, gradient: Tensor, rates: Tensor, loss: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
        """The loss after a step of the optimisers, and after the opposite one, [R, 1] each."""
        parameters = self.population.parameters
        kept = parameters.clone()
        for part in self.population.optimizers:
            state = {name: value.clone() for name, value in part.state.items()}
            part.rule.step(parameters[part.rows], gradient[part.rows], state, rates[part.rows])
        ahead = loss()
        parameters.copy_(kept + (kept - parameters))
        behind = loss()
        parameters.copy_(kept)
        return ahead, behind


def lowest(rate: Tensor, behind: Tensor, here: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
    """Where the parabola through three losses is lowest.

    Args:
        rate: η, the distance of the outer two, > 0; all tensors have one shape.
        behind: L₊, at θ + ηd.
        here: L₀.
        ahead: L₋, at θ - ηd.

    Returns:
        η*, as a distance from θ along -d, and whether it can be used: a minimum that is ahead; else η* is 0.
    """
    bend = behind - 2 * here + ahead
    usable = bend > 0
    best = torch.where(usable, rate / 2 * (behind - ahead) / torch.where(usable, bend, 1.0), 0.0)
    usable = usable & best.isfinite() & (best > 0)
    return torch.where(usable, best, 0.0), usable

"""Adam on K numbers, for balancers that learn one number per task."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mtl_runs.balancers.powers import power

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def adam_init(n_tasks: int) -> dict[str, Tensor]:
    """Both moments and the number of steps, zero; each [K], because a task's clock stands while it is inactive."""
    return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in ("mean", "square", "steps")}


def adam_step(state: Mapping[str, Tensor], gradient: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """One step of Adam (Kingma & Ba, ICLR 2015).

    Args:
        state: has what `adam_init` returned.
        gradient: [..., K].

    Returns:
        What to subtract from the numbers, at learning rate 1; and the new moments and number of steps.
    """
    steps = state["steps"] + 1
    mean = BETA1 * state["mean"] + (1 - BETA1) * gradient
    square = BETA2 * state["square"] + (1 - BETA2) * gradient**2
    step = (mean / (1 - power(BETA1, steps))) / ((square / (1 - power(BETA2, steps))).sqrt() + EPSILON)
    return step, {"mean": mean, "square": square, "steps": steps}

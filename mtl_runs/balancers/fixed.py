"""Fixed scalarisation: constant loss weights, and the usual ways to choose them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators


class Fixed(Balancer):
    """Fixed scalarisation: `L = Σ_k w_k L_k` with constant w.

    Xin et al. (2022) and Kurin et al. (2022) found it hard to beat when w is searched for. The weights are divided by
    their sum, so that they lie on the simplex and w = 1/K is equal weighting; a change of their overall size is a
    change of the learning rate and belongs there. Loss weighting: heads are scaled. A task
    with a zero gradient changes nothing; one without a finite loss gets weight 0 and the others keep theirs. K = 1:
    plain training. No state.

    Args:
        weights: one per task, not negative, at least one positive; length K.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, weights: Sequence[float]) -> None:
        try:
            values = np.asarray(weights, dtype=float)
        except (TypeError, ValueError) as error:
            raise UsageError(f"weights must be numbers, one per task; found {weights!r}") from error
        if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
            raise UsageError(f"weights must be finite, not negative and not all zero; found {weights!r}")
        self.weights = values / values.sum()

    def init(self, n_tasks: int) -> State:
        """Nothing to remember; checks the number of weights."""
        if n_tasks != len(self.weights):
            raise UsageError(f"{len(self.weights)} fixed weights were given for {n_tasks} tasks; give one per task")
        return {}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The weights, whatever the losses."""
        return torch.from_numpy(self.weights).to(losses.device).expand(losses.shape), state


def simplex_grid(n_tasks: int, steps: int, *, faces: bool = False) -> NDArray[np.float64]:
    """All weights on the simplex that are multiples of 1/steps.

    Args:
        n_tasks: K.
        steps: number of steps from 0 to 1.
        faces: whether weights of zero are wanted too.

    Returns:
        [C(steps - 1, K - 1), K], or with faces [C(steps + K - 1, K - 1), K]; rows sum to 1.
    """
    total = steps + n_tasks if faces else steps
    chosen = list(combinations(range(1, total), n_tasks - 1))
    cuts = np.array(chosen, dtype=float).reshape(len(chosen), n_tasks - 1)
    edges = np.hstack([np.zeros((len(cuts), 1)), cuts, np.full((len(cuts), 1), total)])
    return (np.diff(edges, axis=1) - (1 if faces else 0)) / steps


def dirichlet_weights(
    n_tasks: int, generator: np.random.Generator, *, concentration: float = 1.0
) -> NDArray[np.float64]:
    """One draw of weights on the simplex; concentration 1 is uniform, smaller favours its corners."""
    return generator.dirichlet(np.full(n_tasks, concentration))


def log_uniform_weights(n_tasks: int, generator: np.random.Generator, *, decades: float = 2.0) -> NDArray[np.float64]:
    """One draw of weights that sum to 1 and whose ratios span up to this many decades, which no linear grid reaches."""
    weights = 10 ** generator.uniform(0, decades, n_tasks)
    return weights / weights.sum()

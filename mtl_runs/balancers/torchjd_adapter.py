"""Methods of the package torchjd as balancers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators, uniform

OWN = {
    "CRMOGM": "cr_mogm",
    "DWA": "dwa",
    "ExcessMTL": "excess_mtl",
    "FAMO": "famo",
    "GradVac": "gradvac",
    "IMTLL": "imtl_l",
    "MoDo": "modo",
    "NashMTL": "nash_mtl",
    "PCD": "pcd",
    "SDMGrad": "sdmgrad",
    "UW": "uncertainty",
}
"""The methods of torchjd 0.18 that have a memory, and the balancer to take instead."""

BASES = ("Aggregator", "GramianWeightedAggregator", "Scalarizer", "WeightedAggregator", "Weighting")
"""The abstract classes of its modules."""


class TorchJD(Balancer):
    """Any method of torchjd 0.18 (Quinton & Rey 2024, arXiv 2406.16232) that has no memory, as torchjd computes it.

    `torchjd.aggregation` has gradient methods: those that weigh by the Gramian get it in float64; of the others
    (ConFIG, GradDrop, TrimmedMean) the aggregated vector itself is d. `torchjd.scalarization` has loss weightings,
    whose weights are the derivatives of the scalar. d is on torchjd's own scale, which is that of a sum for
    PCGrad, ConFIG, GradDrop and Sum. Its thresholds are absolute: UPGrad, DualProj and CAGrad take gradients that are
    together shorter than 0.01 for zero. A population is gone through one run after the other, which is slow. So every
    method that this package has itself is better taken from here.

    Methods with a memory are refused: torchjd does not save it, so a training could not be resumed.

    Gradient method: heads are not scaled; loss weighting: they are. A task with a NaN or infinite loss, and for a
    gradient method with a zero, NaN or infinite gradient, gets weight 0, and torchjd does not see it; settings with one
    number per task lose that task's. Opposed gradients and K = 1: as torchjd has it. No state; for methods that draw,
    one number is drawn from the generator to seed torch's own.

    Args:
        name: the class, such as `UPGrad`; where both modules have it (Mean, Sum, Constant, Random) that of
            `aggregation`, unless it says `scalarization.Mean`.
        settings: its arguments; a sequence becomes a tensor.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(self, name: str, **settings: Any) -> None:
        try:
            from torchjd import aggregation, scalarization
        except ImportError as error:
            raise UsageError(
                "balancer 'torchjd' needs the package torchjd, which is not installed; install it with: "
                "pip install 'lcode[torchjd]'"
            ) from error
        self.name = name
        self.settings = {
            key: torch.tensor(value, dtype=torch.float64) if isinstance(value, list | tuple) else value
            for key, value in settings.items()
        }
        self.kind = _find(name, {"aggregation": aggregation, "scalarization": scalarization})
        method = self.kind.__name__.removesuffix("Weighting")
        if method in OWN:
            raise UsageError(
                f"torchjd's {name} has a memory that no checkpoint would hold; use balancer '{OWN[method]}'"
            )
        built = self._build()
        self.by_losses = isinstance(built, scalarization.Scalarizer)
        if self.by_losses:
            self.needs, self.scales_heads = Needs.LOSSES, True
        elif isinstance(built, aggregation.Aggregator):
            self.needs = Needs.GRAMIAN | Needs.JACOBIAN

    def init(self, n_tasks: int) -> State:
        """Nothing to remember; checks that the method takes so many tasks."""
        ones = torch.ones(n_tasks, dtype=torch.float64)
        with torch.random.fork_rng(devices=[]):
            self._call(ones if self.by_losses else torch.diag(ones), ones > 0)
        return {}

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The aggregated vector in the place of every gradient."""

        def vector(matrix: Tensor, mask: Tensor) -> Tensor:
            return self._call(matrix[mask], mask).expand(matrix.shape)

        return _run_by_run(vector, jacobian, active, generator), state

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The method's weights; where all rows are the aggregated vector, equal ones."""
        if Needs.JACOBIAN in self.needs:
            return uniform_over(active), state

        def weights(statistic: Tensor, mask: Tensor) -> Tensor:
            own = statistic[mask] if self.by_losses else statistic[mask][:, mask]
            return torch.zeros_like(mask, dtype=own.dtype).masked_scatter(mask, self._call(own, mask))

        return _run_by_run(weights, losses if self.by_losses else gramian, active, generator), state

    def _call(self, statistic: Tensor, active: Tensor) -> Tensor:
        """What the method makes of the active tasks' losses, Gramian or Jacobian: weights, or a vector."""
        if not bool(active.any()):
            return statistic.new_zeros(statistic.shape[-1])
        method = self._build(statistic, active)
        try:
            if not self.by_losses:
                result: Tensor = method(statistic)
                return result
            with torch.enable_grad():
                variable = statistic.clone().requires_grad_()
                (derivative,) = torch.autograd.grad(method(variable), variable)
                return derivative
        except ValueError as error:
            raise UsageError(f"torchjd's {self.name} cannot balance {len(statistic)} tasks: {error}") from error

    def _build(self, like: Tensor | None = None, active: Tensor | None = None) -> Any:
        """A new object of the method for the active tasks, in the precision and on the device of its input."""
        from torchjd.aggregation import GramianWeightedAggregator, WeightedAggregator

        settings = dict(self.settings)
        for key, value in self.settings.items():
            if isinstance(value, Tensor) and like is not None and active is not None:
                settings[key] = (value[active.cpu()] if len(value) == len(active) else value).to(like)
        try:
            built = self.kind(**settings)
        except (ImportError, TypeError, ValueError) as error:
            raise UsageError(f"torchjd's {self.name}: {error}") from error
        # An aggregator that weighs is asked for its weights only. Those that do so without the Gramian read no more of
        # a matrix than its number of rows.
        if isinstance(built, GramianWeightedAggregator):
            return built.gramian_weighting
        return built.weighting if isinstance(built, WeightedAggregator) else built


def _find(name: str, modules: Mapping[str, ModuleType]) -> type[Any]:
    """The class of this name, which may begin with that of its module."""
    place, _, bare = name.rpartition(".")
    for key, module in modules.items():
        if place in ("", key) and bare in module.__all__ and bare not in BASES:
            found: type[Any] = getattr(module, bare)
            return found
    names = {each.removesuffix("Weighting") for module in modules.values() for each in module.__all__}
    raise UsageError(f"torchjd has no method '{name}'; there are: {', '.join(sorted(names - {'', *OWN, *BASES}))}")


def _run_by_run(
    function: Callable[[Tensor, Tensor], Tensor], values: Tensor, active: Tensor, generator: Generators
) -> Tensor:
    """A function of one run's values [K, *] and active tasks [K], stacked over the runs.

    Args:
        function: returns [K] or [K, *].
        values: [..., K, *].
        active: bool, [..., K].
        generator: one number per run is drawn, with which torch's own generators are seeded for the time being.
    """
    lead = active.shape[:-1]
    seeds = uniform((*lead, 1), generator, torch.device("cpu"), torch.float64).flatten() * 2**53
    runs = zip(
        seeds.tolist(),
        values.reshape(-1, *values.shape[len(lead) :]),
        active.reshape(-1, active.shape[-1]),
        strict=True,
    )
    results = []
    with torch.random.fork_rng(devices=[values.device] if values.is_cuda else []):
        for seed, own, mask in runs:
            torch.manual_seed(int(seed))
            results.append(function(own, mask))
    return torch.stack(results).reshape(*lead, *results[0].shape)

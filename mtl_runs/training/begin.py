"""First weights that are not drawn: shared parameters that were trained before, on another problem."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.training.population import Population


def begin_with(population: Population, shared: Mapping[str, Tensor]) -> None:
    """Put these values in the place of the members' shared parameters; the tasks' own stay as they were drawn.

    Args:
        population: not trained yet; changed in place.
        shared: values [P] by run, in the order of `Population.parameters`; members that are not named keep theirs.

    Raises:
        UsageError: another number of values than a member has shared parameters.
    """
    block = population.groups[0]
    for row, member in enumerate(population.members):
        if member.spec.run not in shared:
            continue
        values = shared[member.spec.run]
        if tuple(values.shape) != (block.stop,):
            raise UsageError(
                f"run '{member.spec.run}': its first shared parameters must be a vector of {block.stop} values, as "
                f"many as {member.spec.config.arch} has; found {list(values.shape)}"
            )
        population.parameters[row, block] = values.to(population.parameters)

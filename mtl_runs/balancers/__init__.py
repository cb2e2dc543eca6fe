"""Balancers: rules that turn per-task losses and gradients into one weight per task."""

from __future__ import annotations

from inspect import signature
from typing import Any

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, TaskStatistics
from mtl_runs.balancers.cagrad import CAGrad
from mtl_runs.balancers.equal import Equal
from mtl_runs.balancers.fairgrad import FairGrad
from mtl_runs.balancers.fixed import Fixed, dirichlet_weights, log_uniform_weights, simplex_grid
from mtl_runs.balancers.inverse_norm import InverseNorm
from mtl_runs.balancers.mgda import MGDA
from mtl_runs.balancers.pcgrad import PCGrad
from mtl_runs.balancers.uncertainty import Uncertainty

BALANCERS: dict[str, type[Balancer]] = {
    "equal": Equal,
    "fixed": Fixed,
    "inverse_norm": InverseNorm,
    "uncertainty": Uncertainty,
    "pcgrad": PCGrad,
    "mgda": MGDA,
    "cagrad": CAGrad,
    "fairgrad": FairGrad,
}
"""Every balancer by the name that configurations and logs use."""


def make_balancer(name: str, **settings: Any) -> Balancer:
    """The balancer of this name with these settings.

    Raises:
        UsageError: no such balancer, or it has no such setting; the message lists what there is.
    """
    if name not in BALANCERS:
        raise UsageError(f"no balancer '{name}'; there are: {', '.join(BALANCERS)}")
    known = signature(BALANCERS[name]).parameters
    unknown = [key for key in settings if key not in known]
    if unknown:
        have = f"its settings are: {', '.join(known)}" if known else "it has no settings"
        raise UsageError(f"balancer '{name}' has no setting '{unknown[0]}'; {have}")
    missing = [key for key, value in known.items() if value.default is value.empty and key not in settings]
    if missing:
        raise UsageError(f"balancer '{name}' needs its setting '{missing[0]}'")
    return BALANCERS[name](**settings)


__all__ = [
    "BALANCERS",
    "MGDA",
    "Balancer",
    "CAGrad",
    "Equal",
    "FairGrad",
    "Fixed",
    "InverseNorm",
    "Needs",
    "PCGrad",
    "State",
    "TaskStatistics",
    "Uncertainty",
    "dirichlet_weights",
    "log_uniform_weights",
    "make_balancer",
    "simplex_grid",
]

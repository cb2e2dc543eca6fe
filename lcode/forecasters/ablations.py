"""The forecaster without one of its parts each, to measure what the part is worth; names for `lcode bench`.

Two groups. `lcode-…` is the whole forecaster, which starts from the shipped model, without something. (Up to 30
finished runs are only taken up, so that there the one without examples has an adapted network that the whole has not.)
`net` is the network alone, from scratch, without the regressors beside it, so that they do not make up for what it
lacks; `net-…` is the same without something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from lcode.ensemble.names import IN_CONTEXT, NETWORK, PRETRAINED, PROCESS, SURPRISES, VALUES
from lcode.ensemble.registry import PARTS
from lcode.forecast import Forecast
from lcode.forecasters import ForecasterFactory
from lcode.forecasters.base import At
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.table import RunTable

Change = Callable[[RunTable], RunTable]
"""What is taken from a table before it is learned from or forecast."""


class ChangedTable(LCGODEForecaster):
    """Learns from changed tables and forecasts them."""

    def __init__(self, change: Change, **options: Any) -> None:
        super().__init__(**options)
        self._change = change

    def fit(self, table: RunTable) -> Self:
        """Learn from the changed table."""
        return super().fit(self._change(table))

    def predict(self, table: RunTable, at: At = "horizon", *, context: RunTable | None = None) -> Forecast:
        """Forecast the changed table."""
        return super().predict(self._change(table), at, context=None if context is None else self._change(context))


def without_graphs(table: RunTable) -> RunTable:
    """Neither graphs nor their names."""
    return replace(table, graphs={}, runs=table.runs.assign(arch=None))


def with_shuffled_graphs(table: RunTable) -> RunTable:
    """Each architecture gets the graph of another one, always the same."""
    names = sorted(table.graphs)
    order = np.random.default_rng(0).permutation(len(names))
    return replace(table, graphs={name: table.graphs[names[i]] for name, i in zip(names, order, strict=True)})


def without_configuration(table: RunTable) -> RunTable:
    """No hyper-parameters, and no schedule that would give the learning rate away."""
    return replace(table, configs=table.configs.iloc[:, :0], schedules={})


def without_signals(table: RunTable) -> RunTable:
    """No gradient norms, cosines, training losses or balancer weights."""
    return replace(table, signals=table.signals.iloc[:0])


def without_schedules(table: RunTable) -> RunTable:
    """The planned learning rate is not known."""
    return replace(table, schedules={})


def curves_alone(table: RunTable) -> RunTable:
    """Nothing but the curves and the horizons."""
    return without_signals(without_graphs(without_configuration(table)))


class LatentODEForecaster(ChangedTable):
    """The plain latent ODE (Rubanova et al. 2019), one state per metric that hears of nothing but its own curve.

    From scratch and without the regressors; trained, anchored, averaged over members and calibrated as ours, so that
    the difference is what graph, configuration, schedule, signals and coupling add.

    Args:
        seed: see `LCGODEForecaster`.
        options: the same.
    """

    name: ClassVar[str] = "ode"

    def __init__(self, seed: int = 0, **options: Any) -> None:
        super().__init__(curves_alone, seed=seed, parts=(NETWORK,), coupled=False, controlled=False, **options)


def _whole(change: Change | None = None, **options: Any) -> ForecasterFactory:
    options = {"pretrained": SHIPPED, **options}
    if change is None:
        return lambda seed: LCGODEForecaster(seed=seed, **options)
    return lambda seed: ChangedTable(change, seed=seed, **options)


def _without(*parts: str) -> ForecasterFactory:
    return _whole(parts=[part for part in PARTS if part not in parts])


def _network(change: Change | None = None, **options: Any) -> ForecasterFactory:
    return _whole(change, pretrained=None, parts=(NETWORK,), **options)


ABLATIONS: dict[str, ForecasterFactory] = {
    "lcode-no-network": _without(NETWORK, SURPRISES, PRETRAINED),
    "lcode-no-examples": _without(IN_CONTEXT),
    "lcode-no-process": _without(PROCESS),
    "lcode-no-forests": _without(VALUES, SURPRISES),
    "lcode-no-surprises": _without(SURPRISES),
    "lcode-no-pretrained": _without(PRETRAINED),
    "lcode-network-only": _whole(parts=(NETWORK,)),
    "lcode-scratch": _whole(pretrained=None),
    "lcode-no-calibration": _whole(calibrated=False),
    "lcode-no-graph": _whole(without_graphs),
    "lcode-no-config": _whole(without_configuration),
    "lcode-no-signals": _whole(without_signals),
    "lcode-no-schedule": _whole(without_schedules),
    "net": _network(),
    "net-mlp": _network(solver="mlp"),
    "net-no-coupling": _network(coupled=False),
    "net-no-control": _network(controlled=False),
    "net-no-anchor": _network(anchored=False),
    "net-one-member": _network(members=1),
    "net-no-graph": _network(without_graphs),
    "net-shuffled-graph": _network(with_shuffled_graphs),
    "net-no-config": _network(without_configuration),
    "net-no-signals": _network(without_signals),
}
"""Name -> factory."""

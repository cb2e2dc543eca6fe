"""How exact the short fixed grid is on the field that a fit leaves, with torchdiffeq as the judge."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from lcode.curves.batch import CurveBatch
from lcode.ensemble.fitted import EnsembleModel
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.integrators import SOLVERS, solve_dopri5
from lcode.network.model import LCGODEConfig
from lcode.network.vector_field import VectorField
from lcode.table import RunTable

DEFAULT_NODES = LCGODEConfig(metrics=1).nodes
FINE = 80
"""Enough nodes that what lies between the half nodes, where the oracle interpolates, does not matter."""

Forecast = Callable[[int, str, bool], Tensor]


@pytest.fixture
def forecast(small: LCGODEForecaster, fresh: RunTable, monkeypatch: pytest.MonkeyPatch) -> Forecast:
    """Quantiles in model space, in double precision, by number of nodes, solver, and with or without the plan."""
    assert small.fitted is not None and isinstance(small.fitted.model, EnsembleModel)
    context = small.fitted.model.context
    assert context.adapted is not None
    monkeypatch.setitem(SOLVERS, "dopri5", lambda field, z, nodes: solve_dopri5(field, z, nodes, rtol=1e-8, atol=1e-9))
    model = copy.deepcopy(context.adapted).double()
    whole, graphs = context.preprocessor.tensors(fresh)
    double = {f.name: getattr(whole, f.name) for f in fields(whole)}
    runs = replace(whole, **{name: t.double() for name, t in double.items() if t.is_floating_point()})
    assert graphs is not None
    graphs = replace(graphs, x=graphs.x.double())
    task_of = torch.tensor(context.preprocessor.task_of)

    def call(nodes: int, solver: str, planned: bool) -> Tensor:
        assert isinstance(model.field, VectorField)
        model.config, model.field.solver = replace(model.config, nodes=nodes), solver
        seen = runs if planned else replace(runs, plan=torch.zeros_like(runs.plan))
        batch = CurveBatch(seen, torch.full((len(seen),), 2.0, dtype=torch.float64))
        with torch.no_grad():
            posterior, last = model.encode(batch, graphs, task_of)
            return model(posterior, last, batch, torch.arange(3.0, 17.0, dtype=torch.float64).expand(len(seen), -1))

    return call


def test_the_default_grid_is_exact_to_1e_5_where_the_field_is_smooth(forecast: Forecast) -> None:
    exact = forecast(FINE, "dopri5", False)
    assert (forecast(DEFAULT_NODES, "rk4", False) - exact).abs().max() < 1e-5
    assert (forecast(20, "rk4", False) - exact).abs().max() < 2e-6


def test_the_kinks_of_a_learning_rate_plan_cost_less_than_a_hundredth(forecast: Forecast) -> None:
    # Values are scaled to a deviation of 1; the plan is piecewise linear in 64 pieces, whatever the solver.
    exact = forecast(160, "rk4", True)
    errors = [float((forecast(nodes, "rk4", True) - exact).abs().max()) for nodes in (DEFAULT_NODES, 40)]
    assert errors[0] < 1e-2
    assert errors[1] < errors[0] / 4

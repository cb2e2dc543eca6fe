from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel
from lcode.evaluation.bench import entrants
from lcode.forecast import Q50, Q95
from lcode.forecasters import ablations, forecaster
from lcode.forecasters.ablations import ABLATIONS, ChangedTable, LatentODEForecaster
from lcode.forecasters.lcgode import LCGODEForecaster
from lcode.network.loop import FitSettings
from lcode.table import RunTable

pytestmark = pytest.mark.usefixtures("brief_searches")

SIZES: dict[str, Any] = {
    "hidden": 16,
    "latent": 4,
    "members": 3,
    "nodes": 4,
    "settings": FitSettings(steps=20, batch=16),
}


def context_of(model: LCGODEForecaster) -> Context:
    assert model.fitted is not None and isinstance(model.fitted.model, EnsembleModel)
    return model.fitted.model.context


def test_names_stand_for_forecasters_with_their_seed() -> None:
    for name, make in ABLATIONS.items():
        made = make(7)
        assert isinstance(made, LCGODEForecaster) and made.seed == 7, name
    assert [entrant.name for entrant in entrants(["net-mlp", "last"])] == ["net-mlp", "last"]


@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        (ablations.without_graphs, "graphs"),
        (ablations.without_configuration, "configs"),
        (ablations.without_signals, "signals"),
        (ablations.without_schedules, "schedules"),
    ],
)
def test_what_is_taken_away_makes_no_difference(
    history: RunTable, fresh: RunTable, change: Callable[[RunTable], RunTable], hidden: str
) -> None:
    model = ChangedTable(change, seed=0, **SIZES).fit(history)
    seen = fresh.prefix(4)
    gone = {
        "graphs": replace(seen, graphs={}),
        "configs": replace(seen, configs=seen.configs.iloc[:, :0]),
        "signals": replace(seen, signals=seen.signals.iloc[:0]),
        "schedules": replace(seen, schedules={}),
    }[hidden]
    np.testing.assert_array_equal(model.predict(seen).quantiles, model.predict(gone).quantiles)


def test_shuffled_graphs_are_the_same_graphs_under_other_names(history: RunTable) -> None:
    shuffled = ablations.with_shuffled_graphs(history)
    assert set(shuffled.graphs) == set(history.graphs)
    assert {id(graph) for graph in shuffled.graphs.values()} == {id(graph) for graph in history.graphs.values()}


def test_parts_that_are_left_out_have_no_weight(history: RunTable) -> None:
    alone = LCGODEForecaster(seed=0, parts=("lc-gode",), **SIZES).fit(history)
    without = LCGODEForecaster(seed=0, parts=("gaussian process", "forest of values"), **SIZES).fit(history)
    assert alone.mean_weights() == {"lc-gode": pytest.approx(1)}
    assert context_of(without).at(4).names == ("gaussian process", "forest of values")


def test_without_calibration_intervals_are_as_they_come(history: RunTable, fresh: RunTable) -> None:
    model, seen = LCGODEForecaster(seed=0, calibrated=False, **SIZES).fit(history), fresh.prefix(4)
    assert model.fitted is not None
    plain = model.predict(seen).quantiles
    model.fitted = replace(model.fitted, model=EnsembleModel(replace(context_of(model), calibrated=True)))
    usual = model.predict(seen).quantiles
    np.testing.assert_array_equal(plain[..., Q50], usual[..., Q50])
    assert (plain[..., Q95] != usual[..., Q95]).any()


def test_the_plain_latent_ode_hears_of_nothing_but_its_own_curve(history: RunTable, fresh: RunTable) -> None:
    made = forecaster("ode", seed=7)
    assert isinstance(made, LatentODEForecaster) and (made.seed, made.pretrained) == (7, None)
    model = LatentODEForecaster(**SIZES).fit(history)
    assert model.mean_weights() == {"lc-gode": pytest.approx(1)}
    seen = fresh.prefix(4)
    kept, changed = seen.metrics
    points = seen.points.copy()
    points.loc[points["metric"] == changed.key, "value"] *= 0.5
    configs = seen.configs.iloc[:, :0]
    other = replace(seen, points=points, configs=configs, graphs={}, schedules={}, signals=seen.signals.iloc[:0])
    mine = model.predict(seen), model.predict(other)
    assert mine[0].metrics[0] == kept
    np.testing.assert_allclose(mine[0].quantiles[:, 0], mine[1].quantiles[:, 0], rtol=1e-9)
    assert not np.array_equal(mine[0].quantiles[:, 1], mine[1].quantiles[:, 1])

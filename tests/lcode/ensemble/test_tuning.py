"""The in-context network tuned to finished runs: what each member may know, and what the tuning is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import lcode
from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel
from lcode.ensemble.history import History
from lcode.ensemble.in_context import InContext
from lcode.ensemble.names import IN_CONTEXT
from lcode.ensemble.problems import LEADS, Problem, batch_of, drawn, problems_of
from lcode.ensemble.registry import PARTS
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.tuning import STEPS, InContextMembers, steps_for, tune
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.network.in_context import InContextConfig, InContextNetwork
from lcode.network.losses import pinball
from lcode.table import Metric, RunTable
from lcode.threads import limited_threads

RUNS, HORIZON = 80, 12
FOLDS = np.arange(RUNS) % 4


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a fit: threads that wait for each other make these small products a hundred times slower."""
    with limited_threads(1):
        yield


@pytest.fixture
def network() -> InContextNetwork:
    return InContextNetwork(InContextConfig(width=16, layers=2, heads=2), torch.Generator().manual_seed(0))


def crossing(seed: int) -> RunTable:
    """Runs that end where the others began: nothing that a network would expect."""
    start = np.random.default_rng(seed).normal(0, 1, RUNS)
    values = start[:, None] * np.linspace(1, -1, HORIZON)
    points = pd.DataFrame(
        {
            "run": np.repeat([f"r{i:03d}" for i in range(RUNS)], HORIZON),
            "epoch": np.tile(np.arange(1, HORIZON + 1), RUNS),
            "metric": "reward",
            "value": values.ravel(),
        }
    )
    return RunTable.from_points(points, [Metric("main", "reward", "max")])


def problems(table: RunTable) -> list[Problem]:
    values = ValueScaler.fit(curve_arrays(table))
    return problems_of(table, values, PrefixReader(table, values))


def loss(network: InContextNetwork, found: list[Problem]) -> float:
    draw, lead = np.random.default_rng(0), len(LEADS) - 1
    *given, came = batch_of([drawn(one.at(lead), lead, 30, draw) for one in found])
    with torch.no_grad():
        return float(pinball(network(*given)[None], came).mean())


def test_it_learns_what_is_peculiar_to_a_problem(network: InContextNetwork) -> None:
    members = tune(network, problems(crossing(0)), FOLDS, seed=0)
    fresh = [one for one in problems(crossing(1)) if one.runs.shares.max() > 0]
    before = loss(network, fresh)
    assert len(members) == 4
    assert all(loss(member, fresh) < 0.8 * before for member in members)
    assert loss(InContextMembers(members, FOLDS).whole, fresh) < 0.8 * before


def test_a_member_knows_nothing_of_the_fold_that_it_left_out(network: InContextNetwork) -> None:
    known = problems(crossing(0))
    other = [replace(one, came=np.where((FOLDS[one.index] == 2)[:, None], -one.came, one.came)) for one in known]
    one, two = (tune(network, found, FOLDS, seed=0) for found in (known, other))
    same = [
        all(torch.equal(a, b) for a, b in zip(x.parameters(), y.parameters(), strict=True))
        for x, y in zip(one, two, strict=True)
    ]
    assert same == [False, False, True, False]


def test_a_run_is_forecast_by_the_member_that_left_it_out_and_others_by_the_mean() -> None:
    config = InContextConfig(width=8, layers=1, heads=1)
    networks = [InContextNetwork(config, torch.Generator().manual_seed(seed)) for seed in range(4)]
    members = InContextMembers(networks, FOLDS)
    assert members.without(np.int64(6)) is networks[2]
    for name, value in members.whole.state_dict().items():
        torch.testing.assert_close(value, torch.stack([one.state_dict()[name] for one in networks]).mean(0))
    alone = InContextMembers(networks[:1], FOLDS)
    assert alone.without(np.int64(6)) is alone.whole is networks[0]


def test_neither_the_network_nor_the_callers_draws_change(network: InContextNetwork) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    tune(network, problems(crossing(0)), FOLDS, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("folds", [FOLDS[:20], np.zeros(RUNS, dtype=np.int64)], ids=["few runs", "one fold"])
def test_with_few_runs_or_one_configuration_it_stays_as_it_is(network: InContextNetwork, folds: np.ndarray) -> None:
    table = crossing(0)
    found = problems(table.select(table.run_ids[: len(folds)]))
    assert tune(network, found, folds, seed=0) == []


def test_metrics_that_hardly_any_run_has_are_not_learned_from(network: InContextNetwork) -> None:
    found = [
        replace(one, came=np.where(np.arange(len(one))[:, None] < 5, one.came, np.nan)) for one in problems(crossing(0))
    ]
    assert tune(network, found, FOLDS, seed=0) == []


def test_steps_grow_with_what_there_is_to_learn_from() -> None:
    steps = [steps_for(runs) for runs in (10, 30, 60, 120, 300, 1200)]
    assert steps == [0, 0, STEPS // 2, STEPS, STEPS, 2 * STEPS]


def test_who_breaks_off_the_tuning_keeps_the_fit() -> None:
    told: list[tuple[int, float]] = []

    def break_off(step: int, steps: int, loss: float) -> None:
        assert step <= steps and (not told or step > told[-1][0])
        if told and told[-1] == (step - 1, loss):  # the network is adapted, and the tuning goes step by step
            raise KeyboardInterrupt
        told.append((step, loss))

    model = LCGODEForecaster.adapted(progress=break_off).fit(crossing(0))
    assert model.fitted is not None and model.fitted.report.interrupted
    assert isinstance(model.fitted.model, EnsembleModel) and not model.fitted.model.context.tuned
    assert model.predict(crossing(1).prefix(4)).quantiles.shape[0] == RUNS


def test_a_saved_model_forecasts_by_the_tuned_network(tmp_path: Path) -> None:
    model = LCGODEForecaster.adapted().fit(crossing(0))
    model.save(tmp_path / "model")
    again = LCGODEForecaster.load(tmp_path / "model")
    assert again.fitted is not None and isinstance(again.fitted.model, EnsembleModel)
    assert len(again.fitted.model.context.tuned) == SETTINGS.folds
    seen = crossing(1).prefix(4)
    np.testing.assert_array_equal(again.predict(seen).quantiles, model.predict(seen).quantiles)


def test_left_out_forecasts_are_those_of_the_member_that_left_the_run_out() -> None:
    table = crossing(0)
    values = ValueScaler.fit(curve_arrays(table))
    reader = PrefixReader(table, values)
    config = InContextConfig(width=8, layers=1, heads=1)
    networks = [InContextNetwork(config, torch.Generator().manual_seed(seed)) for seed in range(4)]
    history = History.of(table, curve_arrays(table), FOLDS, 4, values, reader)
    together = InContext(history, InContextMembers(networks, FOLDS)).out_of_fold()[:, :, history.judged]
    for fold, network in enumerate(networks):
        alone = InContext(history, InContextMembers([network], FOLDS)).out_of_fold()[:, :, history.judged]
        same = [np.allclose(together[part == FOLDS], alone[part == FOLDS]) for part in range(4)]
        assert same == [part == fold for part in range(4)]


def some(count: int) -> RunTable:
    whole = crossing(0)
    return whole.select(whole.run_ids[:count])


def context_of(model: LCGODEForecaster) -> Context:
    assert model.fitted is not None and isinstance(model.fitted.model, EnsembleModel)
    return model.fitted.model.context


def test_few_runs_are_taken_up_and_more_are_learned_from() -> None:
    few, more = (LCGODEForecaster.adapted().fit(some(runs)) for runs in (SETTINGS.few, SETTINGS.few + 1))
    assert context_of(few).adapted is None and not context_of(few).tuned
    assert context_of(more).adapted is not None
    seen = crossing(1).prefix(4)
    alike = lcode.load().in_context(some(SETTINGS.few)).predict(seen)
    np.testing.assert_array_equal(few.predict(seen).quantiles, alike.quantiles)


def test_what_few_runs_were_fitted_with_stays_when_epochs_are_finer() -> None:
    model = LCGODEForecaster(pretrained=SHIPPED, parts=PARTS[1:], calibrated=False, seed=3).fit(some(20))
    seen = crossing(1).prefix(4)
    points = seen.points.assign(epoch=seen.points["epoch"] * 1)
    finer = replace(seen, points=points, epoch_unit=0.5)
    model.predict(finer)
    context = context_of(model)
    assert (context.parts, context.calibrated, context.seed) == (PARTS[1:], False, 3)


def test_the_network_is_tuned_to_the_problems_own_runs_alone() -> None:
    others = crossing(1)
    few = LCGODEForecaster.adapted().fit_related(some(7), [others.select(others.run_ids[:40])])
    assert not context_of(few).tuned and context_of(few).adapted is None
    many = LCGODEForecaster.adapted().fit_related(some(36), [others.select(others.run_ids[:9])])
    assert len(context_of(many).tuned) == SETTINGS.folds and len(context_of(many).finished) == 36


def test_without_examples_nothing_is_tuned() -> None:
    parts = tuple(name for name in PARTS if name != IN_CONTEXT)
    assert not context_of(LCGODEForecaster(pretrained=SHIPPED, parts=parts).fit(some(40))).tuned

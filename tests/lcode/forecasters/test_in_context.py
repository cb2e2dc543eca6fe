"""The shipped model takes up finished runs without a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.ensemble.fitted import EnsembleModel
from lcode.ensemble.names import SURPRISES
from lcode.forecast import Q50
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.hooks import Monitor
from lcode.network.loop import FitSettings
from lcode.table import Metric, RunTable, Schedule, pooled

pytestmark = pytest.mark.usefixtures("brief_searches")

HORIZON = 20


@pytest.fixture(scope="module")
def shipped() -> LCGODEForecaster:
    return lcode.load(device="cpu")


def detectors(names: list[str], *, seen: int = HORIZON, seed: int = 0) -> RunTable:
    """Scores that are exactly 0 for six epochs and then rise to about .5."""
    generator = np.random.default_rng(seed)
    epochs = np.arange(1, seen + 1)
    frames = [
        pd.DataFrame(
            {
                "run": name,
                "epoch": epochs,
                "metric": "det/map",
                "value": np.maximum(0.5 * (1 - np.exp(-(epochs - 6) / 5)), 0) * generator.uniform(0.9, 1.1),
            }
        )
        for name in names
    ]
    runs = pd.DataFrame({"horizon": HORIZON}, index=pd.Index(names, dtype=object))
    return RunTable.from_points(pd.concat(frames), (Metric("det", "map", "max"),), runs=runs)


def test_finished_runs_that_began_at_zero_count(shipped: LCGODEForecaster) -> None:
    history, new = detectors([f"h{i}" for i in range(8)]), detectors(["new"], seen=4, seed=1)
    alone, knowing = (model.predict(new).quantiles[0, 0, 0] for model in (shipped, shipped.in_context(history)))
    assert knowing[Q50] > 0.3 > alone[Q50] and knowing[Q50] < 0.7


def test_the_monitor_counts_them_too(shipped: LCGODEForecaster) -> None:
    history, new = detectors([f"h{i}" for i in range(8)]), detectors(["new"], seen=5, seed=1)
    monitor = Monitor(shipped, history, delta=0.05, min_epochs=3, keep=0)
    values = new.points.sort_values("epoch")["value"]
    verdicts = [monitor.report("new", epoch, {"det/map": value}) for epoch, value in enumerate(values, start=1)]
    assert not any(verdict.stop for verdict in verdicts)


def contexts(finished: RunTable) -> dict[str, RunTable]:
    """Runs that may be known: enough finished ones to learn from, too few, none; more than four in progress each."""
    progress = {
        name: finished.prefix(dict.fromkeys(finished.run_ids[few:], 6)) for name, few in (("few", 3), ("none", 0))
    }
    return {"enough": finished, **progress}


@pytest.mark.parametrize("name", ["enough", "few", "none"])
def test_a_forecast_depends_on_the_run_and_the_context_alone(
    shipped: LCGODEForecaster, finished: RunTable, running: RunTable, name: str
) -> None:
    known = contexts(finished)[name]
    model = shipped.in_context(known)
    whole = model.predict(running).quantiles

    def close(quantiles: np.ndarray, expected: np.ndarray = whole) -> None:
        np.testing.assert_allclose(quantiles, expected, rtol=1e-4, atol=1e-6)

    close(shipped.predict(running.select(["running"]), context=known).quantiles, whole[[0]])
    for row, run in enumerate(running.run_ids):
        close(model.predict(running.select([run])).quantiles, whole[[row]])
    close(np.concatenate([block.quantiles for block in model.predict_in_blocks(running, runs=3)]))
    close(model.predict(running.select(running.run_ids[::-1])).quantiles[::-1])
    company = finished.prefix(dict.fromkeys(finished.run_ids, 5))
    close(model.predict(running.concat(company)).quantiles[: len(running)])
    # And the context does matter.
    other = shipped.predict(running, context=running).quantiles
    assert not np.allclose(other[0], whole[0], rtol=1e-3)


def test_the_same_in_one_table_or_with_the_known_runs_apart(
    shipped: LCGODEForecaster, finished: RunTable, running: RunTable
) -> None:
    for known in (finished, contexts(finished)["few"]):
        table = pooled([known, running.select(["running", "unseen"])])
        ours = table.run_ids[len(known) :]
        together = shipped.predict(table)
        apart = shipped.predict(table.select(ours), context=table)
        np.testing.assert_allclose(together.quantiles[-2:], apart.quantiles, rtol=1e-4, atol=1e-6)
    blocks = [block.quantiles for block in shipped.predict_in_blocks(table, runs=5)]
    np.testing.assert_allclose(np.concatenate(blocks), together.quantiles, rtol=1e-4, atol=1e-6)


def test_without_enough_finished_runs_a_run_is_compared_with_those_in_progress(
    shipped: LCGODEForecaster, finished: RunTable
) -> None:
    new = finished.select(["f0"]).prefix({"f0": 6})
    few = shipped.in_context(contexts(finished)["few"])
    assert few.known_metrics == () and few.fitted is shipped.fitted and shipped.company is None
    alone, compared = (model.predict(new).quantiles for model in (shipped, few))
    assert not np.allclose(alone, compared, rtol=1e-3)


def test_a_context_may_hold_other_metrics_in_another_order(shipped: LCGODEForecaster, finished: RunTable) -> None:
    known = contexts(finished)["none"]
    new, (first, second) = known.select(["f0", "f1"]), known.metrics
    turned = replace(known, metrics=(second, first))
    usual = shipped.predict(new, context=known)
    np.testing.assert_allclose(shipped.predict(new, context=turned).quantiles, usual.quantiles, rtol=1e-4, atol=1e-6)
    rows = new.points[new.points["metric"] == second.key].astype({"run": str, "metric": str})
    one = RunTable.from_points(rows, [second], runs=new.runs)
    assert shipped.predict(one, context=known).quantiles.shape[1] == 1
    # What the context does not know is forecast as in a table without one.
    rows = known.points[known.points["metric"] == second.key].astype({"run": str, "metric": str})
    less = shipped.predict(new, context=RunTable.from_points(rows, [second], runs=known.runs)).quantiles
    assert less.shape == usual.quantiles.shape and np.isfinite(less).all()
    nothing = shipped.predict(new, context=known.select([])).quantiles
    np.testing.assert_allclose(nothing, shipped.predict(new).quantiles, rtol=1e-4, atol=1e-6)


def test_epochs_of_a_context_in_another_unit(shipped: LCGODEForecaster, finished: RunTable) -> None:
    known = replace(contexts(finished)["none"], schedules={})  # a plan's steps are finer in finer epochs
    new = known.select(["f0", "f1"])
    usual = shipped.predict(new, context=known).quantiles
    np.testing.assert_allclose(shipped.predict(new.in_unit(0.5), context=known).quantiles, usual, rtol=1e-4)
    np.testing.assert_allclose(shipped.predict(new, context=known.in_unit(0.5)).quantiles, usual, rtol=1e-4)


def test_a_fit_of_its_own_is_not_changed(shipped: LCGODEForecaster, finished: RunTable) -> None:
    knowing = shipped.in_context(finished)
    assert knowing is not shipped and knowing.in_context(finished) is knowing
    assert shipped.known_metrics == () and knowing.known_metrics == finished.metrics


def test_it_can_be_saved(shipped: LCGODEForecaster, finished: RunTable, running: RunTable, tmp_path: Path) -> None:
    knowing = shipped.in_context(finished)
    knowing.save(tmp_path / "model")
    again = lcode.load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(again.predict(running).quantiles, knowing.predict(running).quantiles)


def test_it_tells_what_the_finished_runs_say_of_it(shipped: LCGODEForecaster, finished: RunTable) -> None:
    rows, _ = shipped.in_context(finished).trust()
    assert {row["metric"] for row in rows} == {"seg/err", "depth/miou"}


def test_finer_epochs_than_those_of_the_finished_runs(shipped: LCGODEForecaster) -> None:
    history, new = detectors([f"h{i}" for i in range(6)]), detectors(["new"], seen=8, seed=1)
    model = shipped.in_context(history)
    finer = new.in_unit(0.5)
    np.testing.assert_allclose(model.predict(finer).quantiles, model.predict(new).quantiles, rtol=1e-6)
    assert model.predict(new).quantiles[0, 0, 0, Q50] > 0.3


def test_surprises_are_forecast_from_what_they_were_learned_from(
    shipped: LCGODEForecaster, finished: RunTable, running: RunTable
) -> None:
    def surprises(model: LCGODEForecaster) -> np.ndarray:
        fitted = model.fitted
        assert fitted is not None and isinstance(fitted.model, EnsembleModel)
        alone = replace(fitted.model.context, parts=(SURPRISES,), calibrated=False)
        model.fitted = replace(fitted, model=EnsembleModel(alone))
        return model.predict(running.select(["running", "unseen"])).quantiles

    # At a quarter of the horizon they are counted from the pretrained network, with and without a fit.
    adapted = LCGODEForecaster(pretrained=SHIPPED, settings=FitSettings(steps=2)).fit(finished)
    np.testing.assert_allclose(surprises(adapted), surprises(shipped.in_context(finished)), rtol=1e-6)


def test_plans_of_finished_runs_count_only_where_runs_in_progress_have_one(
    shipped: LCGODEForecaster, finished: RunTable
) -> None:
    running = finished.prefix(dict.fromkeys(finished.run_ids[:4], 5))
    assert set(finished.run_ids) == set(running.schedules)

    def forecast(table: RunTable) -> np.ndarray:
        return shipped.predict(table).quantiles[:4]

    def up_to(epoch: int, runs: tuple[str, ...]) -> RunTable:
        cut = {run: Schedule(plan.epochs[:epoch], plan.rates[:epoch]) for run, plan in running.schedules.items()}
        return replace(running, schedules={**running.schedules, **{run: cut[run] for run in runs}})

    known = up_to(5, running.run_ids[:4])
    without = replace(known, schedules={run: known.schedules[run] for run in running.run_ids[:4]})
    np.testing.assert_array_equal(forecast(known), forecast(without))
    assert (forecast(running) != forecast(known)).any()

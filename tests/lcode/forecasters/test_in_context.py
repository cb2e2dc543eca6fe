"""The shipped model takes up finished runs without a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lcode
from lcode.fitting.calibration import Calibration
from lcode.fitting.loop import FitSettings
from lcode.fitting.stacking import Stacking
from lcode.forecast import Q50
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.hooks import Monitor
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
    monitor = Monitor(shipped, history, min_epochs=3, keep=0)
    values = new.points.sort_values("epoch")["value"]
    verdicts = [monitor.report("new", epoch, {"det/map": value}) for epoch, value in enumerate(values, start=1)]
    assert not any(verdict.stop for verdict in verdicts)


def test_the_same_in_one_table_or_with_the_finished_runs_apart(
    shipped: LCGODEForecaster, finished: RunTable, running: RunTable
) -> None:
    table = pooled([finished, running])
    known = [run for run in table.run_ids if table.runs.loc[run, "status"] != "finished"]
    together = shipped.predict(table)
    rows = [together.run_ids.index(run) for run in known]
    model = shipped.in_context(table)
    np.testing.assert_array_equal(together.quantiles[rows], model.predict(table.select(known)).quantiles)
    one = model.predict(table.select(known[:1])).quantiles
    np.testing.assert_allclose(together.quantiles[rows[:1]], one, rtol=1e-4)
    blocks = [block.quantiles for block in shipped.predict_in_blocks(table, runs=5)]
    np.testing.assert_allclose(together.quantiles, np.concatenate(blocks), rtol=1e-4)


def test_too_few_finished_runs_or_a_fit_of_its_own_change_nothing(
    shipped: LCGODEForecaster, finished: RunTable, running: RunTable
) -> None:
    assert shipped.in_context(finished.select(finished.run_ids[:3])) is shipped
    assert shipped.in_context(running) is shipped
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
        assert model.fitted is not None and model.fitted.stacking is not None
        names = model.fitted.stacking.parts
        row = tuple(float(name == "forest of surprises") for name in names)
        rows = tuple(row for _ in finished.metrics)
        alone = Stacking(names, (0.0,), ((rows, rows),))
        model.fitted = replace(model.fitted, stacking=alone, calibration=Calibration.none())
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

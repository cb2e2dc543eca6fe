from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import Suggestions, suggest
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
SEEN = {"done": 20, "sure": 10, "late": 18, "new": -1, "bad": 10}
STATUS = {"done": "finished", "sure": "stopped", "late": "running", "new": "running", "bad": "running"}


def forecast(medians: dict[str, float], widths: dict[str, float] | float = 0.05) -> Forecast:
    """Runs whose tasks are both as good as `medians`, uniform with half-width `widths`; horizon 20."""
    names = tuple(medians)
    centre = np.array(list(medians.values()))
    width = np.array([widths if isinstance(widths, float) else widths[name] for name in names])
    width[[SEEN[name] >= 20 for name in names]] = 0
    seg = centre[:, None] + np.outer(width, 2 * LEVELS - 1)
    depth = 1.5 - centre[:, None] + np.outer(width, 2 * LEVELS - 1)
    seen = np.array([SEEN[name] for name in names])
    return Forecast(
        run_ids=names,
        metrics=METRICS,
        epochs=np.full((len(names), 1), 20),
        quantiles=np.stack([seg, depth], axis=1)[:, :, None],
        status=np.where(seen >= 20, "finished", "ok")[:, None].repeat(2, axis=1),
        observed=seen[:, None].repeat(2, axis=1),
        horizons=np.full(len(names), 20),
    )


def table(names: list[str], **status: str) -> RunTable:
    rows = [
        (name, epoch, metric.key, 0.5) for name in names for epoch in range(1, SEEN[name] + 1) for metric in METRICS
    ]
    states = pd.DataFrame({"horizon": 20, "status": [(STATUS | status)[name] for name in names]}, index=names)
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS, runs=states)


MEDIANS = {"done": 0.6, "sure": 0.65, "late": 0.65, "new": 0.6, "bad": 0.3}


def suggested(budget: float | None = None, **status: str) -> Suggestions:
    return suggest(forecast(MEDIANS), table=table(list(MEDIANS), **status), baseline=BASELINE, budget=budget)


def test_who_is_nearest_to_its_end_is_the_cheapest_and_comes_first() -> None:
    found = suggested()
    assert found.incumbent == "done" and found.best == pytest.approx((20 + 10) / 2)
    steps = {step.run: step for step in found.steps}
    assert list(steps) == ["late", "sure", "new", "bad"]
    assert {run: step.step for run, step in steps.items()} == {
        "late": "go on",
        "sure": "go on",
        "new": "start",
        "bad": "go on",
    }
    assert [steps[run].to_end for run in ("late", "sure", "new")] == [2, 10, 20]
    # Both are expected 0.05 above the incumbent: Δm is 7.5 more.
    assert steps["late"].gain == pytest.approx(7.5, abs=0.3) == steps["sure"].gain
    assert steps["late"].price >= steps["late"].gain / 2 > steps["sure"].price
    assert steps["bad"].price == 0 and steps["bad"].granted == 0
    assert "P(beats done)" in steps["late"].reason and "has not begun" in steps["new"].reason


@pytest.mark.parametrize("status", ["failed", "finished"])
def test_what_is_over_is_not_suggested(status: str) -> None:
    assert "sure" not in [step.run for step in suggested(sure=status).steps]


def test_a_budget_goes_to_the_dearest_epochs() -> None:
    for budget in (1, 2, 5.5, 1000):
        found = suggested(budget)
        granted = {step.run: step.granted for step in found.steps}
        wanted = sum(step.to_end for step in found.steps if step.price > 0)
        assert sum(granted.values()) == pytest.approx(min(int(budget), wanted))
        assert granted["late"] == min(budget, 2) and granted["bad"] == 0
    assert suggested(2).steps[1].granted == 0


def test_without_a_finished_run_the_best_expected_one_is_to_be_beaten() -> None:
    names = ["sure", "new", "bad"]
    found = suggest(forecast({name: MEDIANS[name] for name in names}), table=table(names), baseline=BASELINE)
    assert found.incumbent == "sure" and found.steps[0].run == "sure" and found.steps[0].price > 0
    only_new = suggest(forecast({"new": 0.5}), baseline=BASELINE)
    assert only_new.incumbent == "new" and only_new.steps[0].step == "start"


def test_bounds_make_another_the_incumbent_and_take_the_gain() -> None:
    medians = {"done": 0.6, "sure": 0.65, "late": 0.55}
    found = suggest(forecast(medians), table=table(list(medians)), baseline=BASELINE, constraints=["seg/miou<=0.58"])
    assert found.incumbent == "late"
    assert {step.run for step in found.steps if step.price > 0} == {"late"}


def test_a_drop_is_told_as_one_and_changes_no_step() -> None:
    gain = suggested()
    drop = suggest(forecast(MEDIANS), "delta_m:drop", table=table(list(MEDIANS)), baseline=BASELINE)
    assert [step.run for step in drop.steps] == [step.run for step in gain.steps]
    assert drop.best == pytest.approx(-gain.best)
    for one, other in zip(drop.steps, gain.steps, strict=True):
        assert (one.price, one.gain) == (other.price, other.gain)
        assert one.score == pytest.approx(-other.score) and one.score_q05 <= one.score <= one.score_q95


def test_epochs_are_the_users_and_looks_are_evaluations() -> None:
    coarse = replace(forecast(MEDIANS), epoch_unit=0.5)
    half = suggest(coarse, baseline=BASELINE).steps
    whole = {step.run: step for step in suggest(forecast(MEDIANS), baseline=BASELINE).steps}
    for step in half:
        assert step.to_end == whole[step.run].to_end / 2 and step.price == pytest.approx(2 * whole[step.run].price)


@pytest.mark.parametrize("objective", ["mean_rank", "pareto", "hypervolume"])
def test_an_improvement_needs_a_score_of_its_own(objective: str) -> None:
    with pytest.raises(UsageError, match="choose delta_m, mean, worst or weights"):
        suggest(forecast(MEDIANS), objective)


@pytest.mark.parametrize("budget", [0, -3, float("nan"), float("inf"), True])
def test_a_budget_is_a_number_of_epochs(budget: float) -> None:
    with pytest.raises(UsageError, match="number of epochs above 0"):
        suggest(forecast(MEDIANS), baseline=BASELINE, budget=budget)


def test_as_a_table_and_as_json() -> None:
    found = suggested(3)
    frame, plain = found.to_frame(), found.to_json()
    assert frame["rank"].tolist() == [1, 2, 3, 4] and frame["granted"].sum() == 3
    assert [step["run"] for step in plain["suggestions"]] == frame["run"].tolist()
    assert plain["incumbent"] == "done" and plain["unit"] == "Δm %"

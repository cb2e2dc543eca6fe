"""Published forecasters: what each of them can say, and what makes it that method."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from lcode.forecasters import forecaster
from lcode.table import Direction, Metric, RunTable

EPOCHS = np.arange(1, 21)


@pytest.fixture(scope="module", autouse=True)
def short_training() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lcode.forecasters.dpl.STEPS", 600)
        patch.setattr("lcode.forecasters.vrnn.STEPS", 80)
        patch.setattr("lcode.forecasters.neural_sde.STEPS", 80)
        patch.setattr("lcode.forecasters.lc_bnn.BURN_IN", 150)
        patch.setattr("lcode.forecasters.lc_bnn.BETWEEN", 5)
        yield


def table_of(rates: dict[str, float], epochs: np.ndarray = EPOCHS, direction: Direction = "min") -> RunTable:
    """Curves 0.2 + 0.6 · rate + (0.5 - 0.4 · rate) / √t, or 1 less that, for runs by name."""
    frames = []
    for run, rate in rates.items():
        loss = 0.2 + 0.6 * rate + (0.5 - 0.4 * rate) * epochs**-0.5
        values = loss if direction == "min" else 1 - loss
        frames.append(pd.DataFrame({"run": run, "epoch": epochs, "metric": "value", "value": values}))
    configs = pd.DataFrame({"lr": rates})
    runs = pd.DataFrame({"horizon": int(epochs[-1])}, index=list(rates))
    return RunTable.from_points(pd.concat(frames), [Metric("main", "value", direction)], runs=runs, configs=configs)


KNOWN = {f"f{i:02}": i / 20 for i in range(21)}
NEW = {"new": 0.52}


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize(
    ("name", "error"), [("lkgp", 0.005), ("dpl", 0.15), ("lcbnn", 0.05), ("vrnn", 0.1), ("nsde", 0.25)]
)
def test_a_candidate_is_forecast_by_its_configuration(name: str, error: float, direction: Direction) -> None:
    model = forecaster(name).fit(table_of(KNOWN, direction=direction))
    whole = table_of(NEW, direction=direction)
    forecast = model.predict(whole.prefix({"new": 0}), "full")
    truth = whole.points["value"].to_numpy()
    np.testing.assert_allclose(forecast.quantile(0.5)[0, 0], truth, atol=error)


@pytest.mark.parametrize("name", ["lkgp", "egp", "dpl", "vrnn", "nsde"])
def test_a_runs_own_points_draw_the_forecast_to_them(name: str) -> None:
    model = forecaster(name).fit(table_of(KNOWN))
    whole = table_of(NEW)
    points = whole.points.assign(value=whole.points["value"] + 0.2)
    higher = RunTable(**{**vars(whole), "points": points}).prefix({"new": 6})
    usual = model.predict(whole.prefix({"new": 6})).quantile(0.5)
    assert model.predict(higher).quantile(0.5)[0, 0, 0] > usual[0, 0, 0] + 0.003


def test_lkgp_is_surer_of_what_is_near() -> None:
    model = forecaster("lkgp").fit(table_of(KNOWN))
    run = table_of(NEW)
    by_cutoff = [
        model.predict(run.prefix({"new": cutoff}), {"new": np.array([18])}).std().item() for cutoff in (0, 9, 16)
    ]
    assert by_cutoff[0] > by_cutoff[1] > by_cutoff[2] > 0


def test_lkgp_learns_from_the_largest_rectangle_of_runs_and_log_epochs() -> None:
    whole = table_of(KNOWN)
    early = dict.fromkeys(list(KNOWN)[::5], 2)
    cut = whole.prefix({run: early.get(run, 20) for run in KNOWN})
    runs = cut.runs.assign(horizon=cut.last_epochs, status="finished")
    mixed = RunTable(**{**vars(cut), "runs": runs})
    without = mixed.select([run for run in KNOWN if run not in early])
    new = table_of(NEW).prefix({"new": 5})
    together, alone = (forecaster("lkgp").fit(table).predict(new).quantile(0.5).item() for table in (mixed, without))
    assert together == pytest.approx(alone, abs=1e-3)


def test_lkgp_thins_long_curves() -> None:
    epochs = np.arange(1, 2001)
    model = forecaster("lkgp").fit(table_of(KNOWN, epochs))
    forecast = model.predict(table_of(NEW, epochs).prefix({"new": 900}))
    truth = 0.2 + 0.6 * 0.52 + (0.5 - 0.4 * 0.52) * 2000**-0.5
    assert forecast.quantile(0.5).item() == pytest.approx(truth, abs=0.005)


def test_dpl_extrapolates_by_a_power_law_beyond_the_finished_runs() -> None:
    model = forecaster("dpl").fit(table_of(KNOWN))
    path = model.predict(table_of(NEW, np.arange(1, 61)).prefix({"new": 10}), "full").quantile(0.5)[0, 0]
    assert np.isfinite(path).all() and (np.diff(path) < 0).all() and (np.diff(path, 2) > 0).all()


def test_dpl_depends_on_its_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lcode.forecasters.dpl.STEPS", 20)
    table, new = table_of(KNOWN), table_of(NEW).prefix({"new": 5})
    one, again, other = (forecaster("dpl", seed=seed).fit(table).predict(new).quantiles for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


STEPS = np.arange(1, 61)
RATES = {
    "constant": np.ones(60),
    "cosine": 0.55 + 0.45 * np.cos(np.pi * STEPS / 60),
    "two stages": np.where(STEPS <= 30, 1.0, 0.1),
}


def under_schedules(names: list[str]) -> RunTable:
    """Curves of the multi-power law, of one configuration and another, under these schedules."""
    frames, configs, plans = [], {}, {}
    for size, level in ((25, 0.3), (100, 0.2)):
        for name in names:
            rate, run = RATES[name], f"{size}/{name}"
            passed, falls = rate.cumsum(), -np.diff(rate, prepend=1.0)
            since = np.maximum(passed[:, None] - passed + rate, 0) * (STEPS[:, None] >= STEPS)
            gained = (falls * (1 - (1 + 0.2 * rate**-0.5 * since) ** -0.5)).sum(1)
            values = level + 0.9 * passed**-0.5 - 0.08 * gained
            frames.append(pd.DataFrame({"run": run, "epoch": STEPS, "metric": "loss", "value": values}))
            configs[run], plans[run] = {"size": size, "schedule": name}, rate
    table = pd.DataFrame.from_dict(configs, orient="index")
    return RunTable.from_points(pd.concat(frames), [Metric("main", "loss", "min")], configs=table, schedules=plans)


@pytest.mark.parametrize("seen", [1, 20])
def test_the_multi_power_law_forecasts_under_another_schedule(seen: int) -> None:
    model, whole = forecaster("mpl").fit(under_schedules(["constant", "cosine"])), under_schedules(["two stages"])
    forecast = model.predict(whole.prefix(seen), "full").quantile(0.5)[:, 0, : 60 - seen]
    truth = whole.points["value"].to_numpy().reshape(2, 60)[:, seen:]
    assert np.abs(forecast - truth).mean() < 0.01  # the drop alone is 0.05


def test_the_multi_power_law_of_all_serves_a_configuration_of_its_own() -> None:
    table = under_schedules(["constant", "cosine", "two stages"])
    known = table.select([run for run in table.run_ids if run.startswith("25/")])
    forecast = forecaster("mpl").fit(known).predict(table.select(["100/constant"]).prefix(20))
    assert 0.25 < forecast.quantile(0.5).item() < 0.45

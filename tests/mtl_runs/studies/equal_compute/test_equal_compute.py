"""The ways to search, replayed on what was trained: what they spend, whom they find, what the tables say of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lcode.table import Metric, RunTable
from mtl_runs.studies.equal_compute import __main__ as command
from mtl_runs.studies.equal_compute.plan import COUNTS, Plan, method_of
from mtl_runs.studies.equal_compute.populations import PBT
from mtl_runs.studies.equal_compute.report import (
    ELSEWHERE,
    at_budgets,
    curves,
    per_problem,
    same_runs,
    summary,
    with_best_single,
)
from mtl_runs.studies.equal_compute.table import Pool, train_pool
from mtl_runs.studies.equal_compute.ways import WAYS, Outcome, drawn, search

HORIZON = 9


def pool_of(**ends: float) -> Pool:
    """Runs whose error falls evenly to these ends; on the test split it is a tenth more."""
    rows = [
        (run.replace("_", "-"), epoch, "a/err", 1 + (end - 1) * epoch / HORIZON)
        for run, end in ends.items()
        for epoch in range(1, HORIZON + 1)
    ]
    table = RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        [Metric("a", "err", "min")],
        runs=pd.DataFrame({"status": "finished", "horizon": HORIZON}, index=sorted({row[0] for row in rows})),
    )
    gains = {run.replace("_", "-"): 100 * (0.5 - end) / 0.5 for run, end in ends.items()}
    return Pool("p", table, {"a/err": 0.5}, {"a/err": 0.5}, gains, {run: gain - 20 for run, gain in gains.items()})


def test_a_pool_has_every_method_at_rates_spread_over_the_range() -> None:
    specs = Plan().runs("waves?seed=3")
    assert len({spec.run for spec in specs}) == len(specs) == sum(COUNTS.values())
    rates = sorted(spec.config.lr for spec in specs if method_of(spec.run) == "inverse_norm")
    assert 3e-4 <= rates[0] < 4e-4 and 0.078 < rates[-1] <= 0.1
    assert [spec.config for spec in specs] == [spec.config for spec in Plan().runs("waves?seed=3")]
    fixed = {spec.config.balancer_settings.get("weights") for spec in specs if spec.config.balancer == "fixed"}
    assert len(fixed) == COUNTS["fixed"] and None not in fixed


def test_a_search_pays_for_what_it_trains_and_wins_by_validation_data() -> None:
    pool = pool_of(equal_0=0.5, equal_1=0.4, fixed_0=0.3, famo_0=0.45)
    tuned = search(pool, "equal weights, rate tuned", 0, 2)
    assert (tuned.spent, tuned.validation, tuned.test) == (2 * HORIZON, pytest.approx(20), pytest.approx(0))
    whole = search(pool, "random search over all", 0, 4)
    assert (whole.spent, whole.validation, whole.regret) == (4 * HORIZON, pytest.approx(40), 0.0)
    # At epoch 1 one of four goes on, at epoch 3 that one again.
    halved = search(pool, "halving from epoch 1 over all", 0, 4)
    assert (halved.spent, halved.validation) == (3 + HORIZON, pytest.approx(40))
    assert drawn(pool, None, 3)[:2] == drawn(pool, None, 3)[:2] != drawn(pool, None, 0)[:2]


def outcomes() -> pd.DataFrame:
    def row(problem: str, way: str, draw: int, runs: int, spent: float, test: float) -> Outcome:
        return Outcome(problem, way, draw, runs, spent, test, test)

    tuned, other, plain = "famo, rate tuned", "cagrad, rate tuned", "random search over all"
    return pd.DataFrame(
        [
            row(problem, way, draw, runs, HORIZON * runs, gain + draw + runs / 16)
            for problem, gains in (("p?seed=1", (1.0, 5.0, 2.0)), ("q", (4.0, 3.0, 1.0)), ("r", (0.0, 6.0, 1.0)))
            for way, gain in zip((tuned, other, plain), gains, strict=True)
            for draw in (0, 1)
            for runs in (4, 16)
        ]
    )


def test_who_would_take_the_balancer_that_is_best_elsewhere() -> None:
    own = with_best_single(outcomes())
    taken = own[(own["way"] == ELSEWHERE) & (own["runs"] == 16) & (own["draw"] == 0)].set_index("problem")["test"]
    assert taken.to_dict() == {"p?seed=1": 6.0, "q": 4.0, "r": 7.0}  # cagrad, which is not the best on q


def test_tables_hold_budgets_equal() -> None:
    rows = outcomes()
    paid = at_budgets(rows, HORIZON, (4, 15, 16))
    assert paid.groupby("budget")["runs"].unique().map(list).to_dict() == {4: [4], 15: [4], 16: [16]}
    text = summary(rows, HORIZON)
    assert "| random search over all | 2.08 ± 0.71 |  | 2.83 ± 0.71 |  |  |  |" in text
    each = per_problem(rows, HORIZON, 16)
    assert each.startswith("| | p | q | r |") and "| famo, rate tuned | 2.5 | **5.5** | 1.5 |" in each
    assert curves(rows)["random search over all"] == [
        (36, pytest.approx(2.0833, abs=1e-3)),
        (144, pytest.approx(2.8333, abs=1e-3)),
    ]


def test_stopping_is_compared_on_the_very_same_runs() -> None:
    rows = outcomes()
    halved = rows[(rows["way"] == "random search over all") & (rows["draw"] == 1)].assign(
        way="halving over all", spent=18.0, test=1.5, regret=0.05
    )
    text = same_runs(pd.concat([rows.fillna({"regret": 0.0}), halved]), HORIZON, 16)
    assert text.splitlines()[0].startswith("| 16 runs, draws 1 |")
    assert text.splitlines()[2:] == [
        "| halving over all | 2.0 | 3.33 | 1.50 | 0.0500 | 100% |",
        "| random search over all | 16.0 | 3.33 | 3.33 | 0.0000 | 0% |",
    ]


def test_a_study_trains_searches_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "clicks?seed=9"
    plan = Plan((problem,), (("equal", 2), ("famo", 2)), "mlp-4x1", horizon=5, batch_size=512)
    monkeypatch.setattr("mtl_runs.studies.equal_compute.plan.SINGLE_RATES", (1e-2,))
    monkeypatch.setattr(command, "WAYS", {"halving over all": replace(WAYS["halving over all"], sizes=(2, 4))})
    monkeypatch.setattr(command, "SIZES", (2,))
    train_pool(plan, problem, tmp_path)
    first = command.conduct(plan, tmp_path, draws=1, forecast_draws=1)
    assert first["way"].tolist() == ["halving over all"] * 2 + [PBT] and first["test"].notna().all()
    assert first["spent"].tolist() == [3 + 5, 3 * 3 + 5, 5 * (4 + 2)]  # the rung is at epoch 3, a third goes on
    monkeypatch.setattr(command, "train_population_of", lambda *_: pytest.fail("it was trained before"))
    again = command.conduct(plan, tmp_path, draws=2, forecast_draws=1)
    assert again.head(len(first)).equals(first) and len(again) == 5

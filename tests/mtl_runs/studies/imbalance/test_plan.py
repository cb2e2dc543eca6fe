from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_runs.studies.imbalance import STUDY, Plan, Setting, Trial
from mtl_runs.studies.imbalance.plan import EQUAL, INVERSE, LOG, SIMPLEX, SINGLE

PAIR, THREE, FIVE = (Setting(problem, "mlp-8x1") for problem in ("digits-pair", "tabular", "tabular-wide"))


def test_the_study_covers_two_to_five_tasks_on_registered_problems() -> None:
    others = [setting for setting in STUDY.settings if setting.problem != "fashion-ink"]  # which needs its files
    assert {len(setting.tasks) for setting in others} == {2, 3, 4, 5}
    assert len(set(STUDY.settings)) == len(STUDY.settings)


@pytest.mark.parametrize("setting", [PAIR, THREE, FIVE], ids=lambda setting: setting.problem)
def test_points_of_weights(setting: Setting) -> None:
    for points in (STUDY.simplex_points(setting), STUDY.log_points(setting)):
        assert len(points) == len(set(points)) == 36
        weights = np.array(points)
        assert weights.shape == (36, len(setting.tasks))
        assert (weights > 0).all()
        assert weights.sum(1) == pytest.approx(1, abs=1e-3)


def test_three_tasks_have_the_usual_grid_of_tenths() -> None:
    points = np.array(STUDY.simplex_points(THREE))
    assert points * 10 == pytest.approx(np.round(points * 10))


def test_log_points_reach_where_no_grid_does() -> None:
    points = np.array(STUDY.log_points(FIVE))
    assert (points.max(1) / points.min(1)).max() > 1000


def test_points_are_those_of_the_problem_and_the_seed() -> None:
    assert STUDY.log_points(THREE) == STUDY.log_points(replace(THREE, arch="mmoe-8x1e3"))
    assert STUDY.log_points(THREE) != replace(STUDY, seed=1).log_points(THREE)


def test_every_method_has_the_same_rates_to_choose_from() -> None:
    trials = list(STUDY.first_trials(THREE))
    by_method: dict[tuple[str, str], list[float]] = {}
    for trial in trials:
        by_method.setdefault((trial.method, trial.label), []).append(trial.lr)
    assert set(by_method) == {*((SINGLE, t) for t in THREE.tasks), *((m, "") for m in (EQUAL, *INVERSE))}
    assert all(rates == list(STUDY.rates) for rates in by_method.values())


def test_the_cost_of_a_grid_is_that_of_its_trials() -> None:
    grid = [trial for trial in STUDY.grid_trials(THREE, 0.01) if trial.method == LOG]
    others = list(STUDY.at_other_rates(grid[: STUDY.n_finalists]))
    assert {trial.lr for trial in others} == set(STUDY.rates) - {0.01}
    cost = STUDY.n_trainings
    assert cost[SIMPLEX] == cost[LOG] == len(STUDY.rates) + len(grid) + len(others)
    assert {cost[method] for method in (EQUAL, *INVERSE)} == {len(STUDY.rates)}


@given(seed=st.integers(0, 1000), other=st.integers(0, 1000))
def test_seeds_of_choices_and_of_reports_are_disjoint(seed: int, other: int) -> None:
    plan, elsewhere = replace(STUDY, seed=seed), replace(STUDY, seed=other)
    assert plan.select_seed not in plan.report_seeds
    assert len(set(plan.report_seeds)) == plan.n_report
    if seed != other:
        assert not {plan.select_seed, *plan.report_seeds} & {elsewhere.select_seed, *elsewhere.report_seeds}


def test_reports_repeat_what_was_chosen_with_new_seeds() -> None:
    chosen = next(iter(STUDY.grid_trials(THREE, 0.01)))
    reports = list(STUDY.reports([chosen]))
    assert [trial.seed for trial in reports] == list(STUDY.report_seeds)
    assert {trial.purpose for trial in reports} == {"report"}
    assert {replace(trial, seed=chosen.seed, purpose="select") for trial in reports} == {chosen}


def test_names_tell_all_trials_apart() -> None:
    first = list(STUDY.first_trials(THREE))
    grid = list(STUDY.grid_trials(THREE, 0.01))
    trials = [*first, *grid, *STUDY.at_other_rates(grid), *STUDY.reports([*first, *grid])]
    assert len({trial.run for trial in trials}) == len(trials)


def test_methods_differ_in_the_balancer_only() -> None:
    plan = Plan([THREE])

    def config(method: str, weights: tuple[float, ...] | None = None) -> tuple[str, dict[str, object]]:
        spec = plan.spec(Trial(THREE, method, "", 0.01, 7, "report", weights))
        assert (spec.seed, spec.horizon, spec.config.lr, spec.config.clip) == (7, plan.horizon, 0.01, 0.0)
        return spec.config.balancer, dict(spec.config.balancer_settings)

    assert config(EQUAL) == ("equal", {})
    assert config("sum_to_k") == ("inverse_norm", {"target": "sum_to_k"})
    assert config(LOG, (0.5, 0.3, 0.2)) == ("fixed", {"weights": (0.5, 0.3, 0.2)})
    alone = plan.spec(Trial(THREE, SINGLE, "flag", 0.01, 7, "report"))
    assert alone.config.tasks == ("flag",)

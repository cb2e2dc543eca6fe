from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lcode.report.importance import LEAST_RUNS, setting_importance


@pytest.fixture
def with_configs(sweep: Any) -> Any:
    """`with_configs(configs, runs=50)` -> settings of the sweep's runs in the order of the ranking."""

    def make(configs: dict[str, Any], runs: int = 50) -> Any:
        names = list(sweep.ranking.runs[:runs])
        frame = pd.DataFrame({name: list(values)[:runs] for name, values in configs.items()}, index=names)
        table = sweep.table.select(names)
        return setting_importance(dataclasses.replace(table, configs=frame), sweep.ranking)

    return make


def test_a_number_that_orders_the_runs_is_found_with_its_direction(with_configs: Any) -> None:
    chance = np.random.default_rng(0).random(50)
    first, second = with_configs({"noise": chance, "lr": np.arange(50) ** 3})
    assert first.name == "lr" and first.rho == pytest.approx(-1) and first.high < -0.9 and first.runs == 50
    assert second.name == "noise" and second.low < 0 < second.high


def test_the_interval_of_a_correlation() -> None:
    from scipy import stats

    x = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    y = x[[1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]]
    rho = stats.spearmanr(x, y).statistic
    half = 1.959964 * np.sqrt((1 + rho**2 / 2) / 9)
    from lcode.report.importance import _setting

    found = _setting("x", x.tolist(), y)
    assert found is not None and found.rho == pytest.approx(rho)
    assert (found.low, found.high) == pytest.approx(tuple(np.tanh(np.arctanh(rho) + np.array([-half, half]))))


def test_a_choice_has_means_best_first(with_configs: Any, sweep: Any) -> None:
    (setting,) = with_configs({"balancer": ["good"] * 25 + ["bad"] * 25})
    assert [level.value for level in setting.levels] == ["good", "bad"] and setting.rho is None
    assert setting.levels[0].mean == pytest.approx(sweep.ranking.score[:25].mean())
    assert setting.levels[0].low > setting.levels[1].high and setting.strength > 0.5


def test_little_is_not_told(with_configs: Any) -> None:
    assert with_configs({"lr": np.arange(50)}, runs=LEAST_RUNS - 1) == []
    assert with_configs({"name": [f"v{i}" for i in range(50)], "same": [1] * 50, "empty": [None] * 50}) == []

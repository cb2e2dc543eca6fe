from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lcode.decisions.budget import RegretBudget, seed_deviation
from lcode.errors import UsageError


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (0.5, RegretBudget(0.5)),
        ("0.5", RegretBudget(0.5)),
        ("0.1 spread", RegretBudget(0.1, "spread")),
        (" .5  sd ", RegretBudget(0.5, "sd")),
        (RegretBudget(2.0, "sd"), RegretBudget(2.0, "sd")),
    ],
)
def test_a_budget_is_said_in_one_of_three_units(spec: float | str | RegretBudget, told: RegretBudget) -> None:
    assert RegretBudget.parse(spec) == told


@pytest.mark.parametrize("spec", ["", "much", "0.5 points", "0", -1, float("nan"), True, None, "inf spread"])
def test_what_is_no_budget_is_told(spec: Any) -> None:
    with pytest.raises(UsageError, match=r"regret is .*write 0\.5"):
        RegretBudget.parse(spec)


def test_in_scores() -> None:
    assert RegretBudget(0.5).in_scores() == 0.5
    assert RegretBudget(0.5, "spread").in_scores(spread=4.0) == 2.0
    assert RegretBudget(0.5, "sd").in_scores(spread=4.0, deviation=0.2) == 0.1
    assert RegretBudget(0.5, "spread").in_scores() is None
    assert RegretBudget(0.5, "spread").in_scores(spread=0.0) is None  # all runs alike: nothing tells how far they go
    assert str(RegretBudget(0.03, "spread")) == "0.03 spread" and str(RegretBudget(0.5)) == "0.5"


def test_the_deviation_between_seeds_is_pooled_over_repeats() -> None:
    scores, groups = np.array([1.0, 3.0, 5.0, 5.0, 9.0, np.nan]), np.array([0, 0, 1, 1, 2, 0])
    assert seed_deviation(scores, groups) == pytest.approx(1.0)  # (1 + 1 + 0 + 0) over two degrees of freedom
    assert seed_deviation(scores, np.arange(6)) is None and seed_deviation(scores[:0], groups[:0]) is None

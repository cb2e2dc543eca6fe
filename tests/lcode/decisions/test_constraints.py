from __future__ import annotations

import numpy as np
import pytest

from lcode.decisions import Constrained, Constraint, make_objective
from lcode.errors import UsageError
from lcode.table import Metric

TWO = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
MAIN = (Metric("main", "acc", "max"),)
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depth/abs_err<=0.4", Constraint("depth/abs_err", True, 0.4)),
        (" seg/miou >= 5e-1 ", Constraint("seg/miou", False, 0.5)),
        ("depth/abs_err ≤ 0.4", Constraint("depth/abs_err", True, 0.4)),
        ("seg/miou>-1", Constraint("seg/miou", False, -1.0)),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, expected: Constraint) -> None:
    assert Constraint.parse(text).on(TWO) == expected
    assert Constraint.parse(str(expected)) == Constraint.parse(expected) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth/abs_err", "write METRIC<=NUMBER or METRIC>=NUMBER"),
        ("depth/abs_err=0.4", "write METRIC<=NUMBER"),
        ("<=0.4", "write METRIC<=NUMBER"),
        ("depth/abs_err<=low", "write METRIC<=NUMBER"),
        ("depth/abs_err<=nan", "write METRIC<=NUMBER"),
        (7, "write METRIC<=NUMBER"),
        ("depth/rmse<=0.4", "'depth/rmse', which is not measured; there are: seg/miou, depth/abs_err"),
    ],
)
def test_anything_else_says_how_to_write_it(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_objective("delta_m", TWO, baseline=BASELINE, constraints=[text])


def test_an_infeasible_run_is_worse_than_any_feasible_one() -> None:
    objective = make_objective("delta_m", TWO, baseline=BASELINE, constraints=["depth/abs_err<=0.4", "seg/miou>=0.2"])
    values = np.array([[0.5, 0.4], [0.9, 0.41], [0.1, 0.1], [np.nan, 0.3], [0.6, np.nan]])
    np.testing.assert_allclose(objective.score(values, TWO), [30.0, -np.inf, -np.inf, np.nan, np.nan])
    assert isinstance(objective, Constrained)
    scores, feasible = objective.parts(values, TWO)
    np.testing.assert_allclose(scores[:3], [30.0, (80 + 59) / 2, (-80 + 90) / 2])
    assert feasible.tolist() == [True, False, False, False, False]
    assert "depth/abs_err ≤ 0.4 and seg/miou ≥ 0.2" in objective.notes[-1]
    assert objective.unit == "Δm %" and objective.direction == "max"


def test_constraints_add_up() -> None:
    once = make_objective("delta_m", TWO, baseline=BASELINE, constraints=["depth/abs_err<=0.4"])
    both = make_objective(once, TWO, constraints=["seg/miou>=0.2"])
    assert isinstance(both, Constrained) and len(both.constraints) == 2 and not isinstance(both.objective, Constrained)


def test_the_metric_of_the_unnamed_task_goes_by_its_name() -> None:
    objective = make_objective(lambda values, metrics: values[..., 0], MAIN, constraints=["acc>=0.5"])
    assert objective.score(np.array([[0.4], [0.6]]), MAIN).tolist() == [-np.inf, 0.6]


def test_among_each_other_only_feasible_runs_are_compared() -> None:
    values = np.array([[0.9, 0.9], [0.5, 0.4], [0.4, 0.3]])
    ranks = make_objective("mean_rank", TWO, constraints=["depth/abs_err<=0.4"])
    assert ranks.score(values, TWO).tolist() == [-np.inf, -1.5, -1.5]
    front = make_objective("pareto", TWO, population=values, constraints=["depth/abs_err<=0.4"])
    assert front.score(values, TWO).tolist() == [-np.inf, 1.0, 1.0]

from __future__ import annotations

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.problems import PROBLEMS, Problem, Task, make_problem


@pytest.fixture(scope="module")
def digits() -> Problem:
    return make_problem("digits")


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_is_consistent(name: str) -> None:
    problem = make_problem(name)
    assert problem.name == name
    for split in (problem.train, problem.validation, problem.test):
        assert split.inputs.dtype == torch.float32
        assert split.inputs.shape[1:] == problem.input_shape
        assert torch.isfinite(split.inputs).all()
        for task in problem.tasks:
            targets = split.targets[task.name]
            assert len(targets) == len(split)
            if task.kind == "classification":
                assert targets.dtype == torch.int64
                assert targets.min() >= 0
                assert targets.max() < task.n_outputs
            else:
                assert targets.shape[1:] == (task.n_outputs,)
    again = make_problem(name)
    assert torch.equal(again.train.inputs, problem.train.inputs)


def test_digits_sizes_and_metrics(digits: Problem) -> None:
    assert [len(split) for split in (digits.train, digits.validation, digits.test)] == [2500, 1500, 1500]
    assert [metric.key for metric in digits.metrics] == ["left/err", "right/err", "sum/rmse"]
    assert all(metric.direction == "min" for metric in digits.metrics)


def test_digits_labels_are_right_where_they_are_clean(digits: Problem) -> None:
    targets = digits.validation.targets
    assert torch.equal(targets["left"] + targets["right"], targets["sum"].squeeze(-1).long())
    train = digits.train.targets
    wrong = (train["left"] + train["right"] != train["sum"].squeeze(-1).long()).float().mean()
    assert 0.05 < float(wrong) < 0.15


def test_digits_losses_have_different_scales(digits: Problem) -> None:
    left, _, total = digits.tasks
    targets = digits.train.targets
    n = len(digits.train)
    regression = float(total.loss(torch.zeros(n, 1), targets["sum"]))
    assert regression > 30 * float(left.loss(torch.zeros(n, 10), targets["left"]))


def test_metrics_by_hand() -> None:
    outputs = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [5.0, 1.0]])
    assert Task("a", "classification", 2).evaluate(outputs, torch.tensor([0, 1, 1, 1])) == {"a/err": 0.5}
    values = Task("b", "regression", 1).evaluate(torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [6.0]]))
    assert values == {"b/rmse": pytest.approx(12.5**0.5)}


def test_restriction(digits: Problem) -> None:
    assert [task.name for task in digits.restrict(("sum", "left")).tasks] == ["left", "sum"]
    with pytest.raises(UsageError, match="problem 'digits' has no task 'top'; it has: left, right, sum"):
        digits.restrict(("top",))


def test_unknown_problem() -> None:
    with pytest.raises(UsageError, match="no problem 'digit'; there are: digits"):
        make_problem("digit")

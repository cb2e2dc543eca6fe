"""A problem of the user's, from a file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from lcode.errors import UsageError
from mtl_runs.problems import Classification, OwnTask, Problem, Regression, Split, make_problem

FILE = """
import torch
from beside import SIZE
from mtl_runs.problems import Problem, Regression, Split

def split():
    inputs = torch.zeros(SIZE, 2)
    return Split(inputs, {"mass": inputs[:, :1]})

def make():
    return Problem("whatever", (Regression("mass", 1),), split(), split(), split())

def broken():
    nothing = None
    return nothing.shape

def other():
    return 1

def wrong():
    return Problem("wrong", (Regression("mass", 2),), split(), split(), split())
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("SIZE = 7\n")
    (tmp_path / "my.py").write_text(FILE)
    return tmp_path / "my.py"


def test_a_function_of_a_file_makes_a_problem(file: Path) -> None:
    before = list(sys.path)
    made = make_problem(f"{file}:make")
    assert made.name == f"{file}:make" and len(made.train) == 7 and made.network is None
    assert sys.path == before
    assert made.metrics == make_problem(f"{file}:make").metrics  # as in every worker process


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "my.py: there is no function 'nothing'; there are: split, make, broken, other, wrong"),
        ("broken", r"my.py, line 15: broken\(\) raised AttributeError: 'NoneType' object has no attribute 'shape'"),
        ("other", r"my.py: other\(\) returned a int; it must return a mtl_runs.problems.Problem"),
        ("wrong", r"my.py: wrong\(\): problem 'wrong', train split, task 'mass': targets are"),
    ],
)
def test_what_a_function_does_wrong_is_told_with_its_place(file: Path, function: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_problem(f"{file}:{function}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere", "my.py, line 1: the file raised ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1\ndef make(:\n", "my.py, line 2: the file raised SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "my.py").write_text(text)
    with pytest.raises(UsageError, match=message):
        make_problem(f"{tmp_path / 'my.py'}:make")


def test_a_wrong_name_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.py: there is no such file; .* FILE.py:FUNCTION, such as my.py:make"):
        make_problem(f"{tmp_path / 'no.py'}:make")
    with pytest.raises(UsageError, match=r"and for your own data .*, FILE.py:FUNCTION"):
        make_problem("my.py")


def test_a_task_of_ones_own_is_like_ours() -> None:
    draws = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(3, 10, 2, generator=draws), torch.randn(10, 2, generator=draws)
    own = OwnTask("mass", 2, functional.mse_loss, {"mse": ("min", functional.mse_loss), "top": ("max", lambda o, t: 1)})
    ours = Regression("mass", 2)
    stacked = targets.expand(3, 10, 2)
    torch.testing.assert_close(own.loss(outputs, stacked), ours.loss(outputs, stacked))
    # Over batches of unequal size the mean is that over all samples.
    tally = own.tally(outputs[:, :7], targets[:7]) + own.tally(outputs[:, 7:], targets[7:])
    measured = own.measure(tally)
    torch.testing.assert_close(measured["mass/mse"].float(), ours.loss(outputs, stacked))
    assert measured["mass/top"].tolist() == [1, 1, 1]
    assert [(metric.key, metric.direction) for metric in own.metrics] == [("mass/mse", "min"), ("mass/top", "max")]


def test_a_loss_or_metric_that_does_not_fit_is_told_with_its_task_and_shapes() -> None:
    outputs, targets = torch.zeros(1, 4, 2), torch.zeros(4)
    task = OwnTask("mass", 2, functional.cross_entropy, {"each": ("min", lambda o, t: o.sum(1))})
    with pytest.raises(
        UsageError, match=r"task 'mass': its loss of outputs \[4, 2\] and targets \[4\] raised RuntimeError"
    ):
        task.loss(outputs, targets.unsqueeze(0))
    with pytest.raises(
        UsageError, match=r"task 'mass': 'each' .* is a tensor of shape \[4\]; it must be a single number"
    ):
        task.tally(outputs, targets)


def test_a_loss_that_would_train_nothing_or_all_pairs_is_refused() -> None:
    outputs = torch.zeros(1, 4, 1, requires_grad=True)
    detached = OwnTask("mass", 1, lambda o, t: o.new_tensor(1.0), {})
    with pytest.raises(UsageError, match="task 'mass': its loss does not depend on the outputs"):
        detached.loss(outputs, torch.zeros(1, 4, 1))
    with pytest.raises(UsageError, match=r"outputs \[4, 1\] and targets \[4\] raised UserWarning: Using a target size"):
        OwnTask("mass", 1, functional.mse_loss, {}).loss(outputs, torch.zeros(1, 4))


def test_classes_that_there_are_not_are_refused() -> None:
    split = Split(torch.zeros(4, 3), {"kind": torch.tensor([0, 1, 5, 6])})
    with pytest.raises(UsageError, match="task 'kind': targets go from 0 to 6; classes are 0 to 1"):
        Problem("p", (Classification("kind", 2),), split, split, split)


def test_targets_of_a_task_of_ones_own_may_be_anything_but_too_few() -> None:
    inputs = torch.zeros(4, 3)
    task = OwnTask("boxes", 1, functional.l1_loss, {})
    good = Split(inputs, {"boxes": torch.zeros(4, 5, 6, dtype=torch.int32)})
    Problem("p", (task,), good, good, good)
    bad = Split(inputs, {"boxes": torch.zeros(3)})
    with pytest.raises(UsageError, match="train split, task 'boxes': there are 3 targets for 4 samples"):
        Problem("p", (task,), bad, good, good)
    with pytest.raises(UsageError, match="no targets"):
        Problem("p", (Classification("kind", 2),), good, good, good)

"""What holds for every problem, and for the registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.problems import (
    FOLDERS,
    PROBLEMS,
    Classification,
    Depth,
    Normals,
    Problem,
    Regression,
    Segmentation,
    Split,
    fashion,
    make_problem,
)

Maker = Callable[[str], Problem]


def splits(problem: Problem) -> tuple[Split, Split, Split]:
    return problem.train, problem.validation, problem.test


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_is_consistent(name: str, made: Maker) -> None:
    problem = made(name)
    assert problem.name == name
    assert len(problem.tasks) >= 2
    assert len({metric.key for metric in problem.metrics}) == len(problem.metrics)
    for split in splits(problem):
        assert split.inputs.dtype == torch.float32
        assert split.inputs.shape[1:] == problem.input_shape
        assert torch.isfinite(split.inputs).all()
        for task in problem.tasks:
            targets = split.targets[task.name]
            assert targets.dtype == task.target_dtype
            assert targets.shape == (len(split), *task.target_shape(problem.input_shape))
            if isinstance(task, Segmentation):
                assert targets.min() >= -1
                assert targets.unique().tolist()[-task.n_outputs :] == list(range(task.n_outputs))
            elif targets.dtype == torch.int64:
                assert targets.unique().tolist() == list(range(max(task.n_outputs, 2)))
            else:
                assert torch.isfinite(targets).all()
                assert targets.std() > 0
            if isinstance(task, Depth):
                assert targets.min() >= 0
            if isinstance(task, Normals):
                length = targets.norm(dim=1)
                assert ((length - 1).abs().lt(1e-5) | length.eq(0)).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_are_cheap(name: str, made: Maker) -> None:
    problem = made(name)
    assert 1000 <= len(problem.train) <= 2500
    assert min(len(problem.validation), len(problem.test)) >= 400
    shape = problem.input_shape
    assert (len(shape) == 1 and shape[0] <= 200) or (len(shape) == 3 and max(shape[1:]) <= 20)


@pytest.mark.parametrize("name", PROBLEMS)
def test_held_out_tells_more_than_a_constant(name: str, made: Maker) -> None:
    """No metric is undefined for a network that knows nothing, and none is perfect."""
    problem = made(name)
    split = problem.validation
    for task in problem.tasks:
        size = problem.input_shape[1:] if task.dense else ()
        constant = torch.full((1, len(split), task.n_outputs, *size), 0.1)
        values = task.measure(task.tally(constant, split.targets[task.name]))
        assert list(values) == [metric.key for metric in task.metrics]
        assert all(torch.isfinite(value).all() for value in values.values())


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_input_is_on_two_sides(name: str, made: Maker) -> None:
    problem = made(name)
    rows = torch.cat([split.inputs.flatten(1) for split in splits(problem)])
    assert len(rows.unique(dim=0)) == len(rows)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_same_seed_gives_the_same_data(
    name: str, made: Maker, garments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion, "INSTALLED", garments)
    again = make_problem(name)
    for ours, theirs in zip(splits(again), splits(made(name)), strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)
        assert all(torch.equal(ours.targets[task], theirs.targets[task]) for task in ours.targets)


@pytest.mark.parametrize("name", PROBLEMS)
def test_another_seed_gives_other_data(name: str, made: Maker, garments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "INSTALLED", garments)
    maker: Callable[..., Problem] = PROBLEMS[name]
    other = maker(seed=17)
    assert not torch.equal(other.train.inputs, made(name).train.inputs)
    assert other.input_shape == made(name).input_shape


def test_there_are_problems_of_every_shape(made: Maker) -> None:
    problems = [made(name) for name in PROBLEMS]
    assert len(problems) >= 12
    dense = [{task.dense for task in problem.tasks} for problem in problems]
    assert {True} in dense
    assert {False} in dense
    assert {True, False} in dense
    assert {len(problem.input_shape) for problem in problems} == {1, 3}


def test_restriction(made: Maker) -> None:
    digits = made("digits")
    assert [task.name for task in digits.restrict(("sum", "left")).tasks] == ["left", "sum"]
    with pytest.raises(UsageError, match="problem 'digits' has no task 'top'; it has: left, right, sum"):
        digits.restrict(("top",))


def test_targets_of_another_shape_are_refused() -> None:
    inputs = torch.zeros(3, 2)
    good = Split(inputs, {"a": torch.zeros(3, dtype=torch.int64), "b": torch.zeros(3, 1)})
    tasks = (Classification("a", 4), Regression("b", 1))
    Problem("p", tasks, good, good, good)
    with pytest.raises(UsageError, match=r"test split, task 'b': no targets; there are targets of: a"):
        Problem("p", tasks, good, good, Split(inputs, {"a": good.targets["a"]}))
    flat = Split(inputs, {"a": good.targets["a"], "b": torch.zeros(3)})
    with pytest.raises(UsageError, match=r"train split, task 'b': targets are .*\[3\], expected .*\[3, 1\]"):
        Problem("p", tasks, flat, good, good)


def test_unknown_problem() -> None:
    with pytest.raises(UsageError, match=r"no problem 'digit'; there are: digits, .*nyuv2:FOLDER"):
        make_problem("digit")


def test_a_problem_with_another_seed_of_its_data() -> None:
    usual, other = make_problem("waves"), make_problem("waves?seed=7")
    assert (usual.name, other.name) == ("waves", "waves?seed=7") and other.metrics == usual.metrics
    assert not torch.equal(usual.train.inputs, other.train.inputs)
    assert torch.equal(other.train.inputs, make_problem("waves?seed=7").train.inputs)
    with pytest.raises(UsageError, match="problem 'waves' has no option 'side'; it has: seed"):
        make_problem("waves?side=7")


@pytest.mark.parametrize("kind", FOLDERS)
def test_options_of_a_folder(kind: str) -> None:
    with pytest.raises(UsageError, match=f"problem '{kind}' has no option 'width'; it has: .*height, limit, seed"):
        make_problem(f"{kind}:/nowhere?width=3")
    with pytest.raises(UsageError, match=r"option 'limit' of problem .* must be a positive integer, not 'all'"):
        make_problem(f"{kind}:/nowhere?height=30&limit=all")

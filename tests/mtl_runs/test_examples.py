"""The examples of the trainer's public names run."""

from __future__ import annotations

import doctest
import inspect

import pytest

from mtl_runs import Balance
from mtl_runs.problems import OwnTask


@pytest.mark.parametrize("name", [Balance, OwnTask], ids=lambda name: name.__name__)
def test_the_example_of_a_public_name_runs(name: type[object]) -> None:
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(name) or "", {}, name.__name__, None, None)
    assert example.examples
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert result.failed == 0, "".join(told)

"""The examples in the docstrings of the tuners' hooks run."""

from __future__ import annotations

import doctest
import inspect
from typing import Any

import optuna
import pytest

import lcode.hooks.optuna
import lcode.hooks.optuna_stop
import lcode.hooks.ray_tune
import lcode.hooks.syne_tune


@pytest.mark.parametrize(
    "hook",
    [
        lcode.hooks.optuna.LcodePruner,
        lcode.hooks.optuna.LcodeTrial,
        lcode.hooks.optuna_stop.NothingToGain,
        lcode.hooks.ray_tune.LcodeScheduler,
        lcode.hooks.syne_tune.LcodeScheduler,
    ],
    ids=lambda hook: f"{hook.__module__}.{hook.__name__}",
)
def test_the_example_of_a_hook_runs(hook: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(hook) or "", {}, hook.__name__, None, None)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert example.examples and result.failed == 0, "".join(told)

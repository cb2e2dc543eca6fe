"""Multi-task problems: data in memory, tasks, losses and metrics."""

from __future__ import annotations

from collections.abc import Callable

from lcode.errors import UsageError
from mtl_runs.problems.base import Problem, Split, Task
from mtl_runs.problems.digits import overlapping_digits

PROBLEMS: dict[str, Callable[[], Problem]] = {"digits": overlapping_digits}
"""Makers of every problem, by name."""


def make_problem(name: str) -> Problem:
    """The problem of this name.

    Raises:
        UsageError: no such problem; the message lists what there is.
    """
    if name not in PROBLEMS:
        raise UsageError(f"no problem '{name}'; there are: {', '.join(PROBLEMS)}")
    return PROBLEMS[name]()


__all__ = ["PROBLEMS", "Problem", "Split", "Task", "make_problem", "overlapping_digits"]

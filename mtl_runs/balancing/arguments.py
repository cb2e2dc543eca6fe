"""What a `Balance` is given, in one form, or one clear error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from lcode.errors import UsageError

Shared = nn.Module | Tensor | Iterable[nn.Module | Tensor]


def names(tasks: Sequence[str]) -> tuple[str, ...]:
    """The names of the tasks, as many as there are tasks."""
    given = () if isinstance(tasks, str) or not isinstance(tasks, Iterable) else tuple(tasks)
    if not given or len(set(given)) < len(given) or not all(isinstance(task, str) for task in given):
        raise UsageError(f"tasks must be different names, such as ('seg', 'depth'); found {tasks!r}")
    return given


def parts(shared: Shared) -> list[nn.Module | Tensor]:
    """The modules and parameters that were given, at least one parameter in all."""
    whole = isinstance(shared, nn.Module | Tensor) or not isinstance(shared, Iterable)
    given: list[Any] = [shared] if whole else list(shared)  # type: ignore[arg-type]
    for part in given:
        if not isinstance(part, nn.Module | Tensor):
            raise UsageError(f"shared must be a module, parameters, or several of them; found a {type(part).__name__}")
    if not any(True for part in given for _ in (part.parameters() if isinstance(part, nn.Module) else (part,))):
        raise UsageError("`shared` has no parameters; give the module that all tasks use, or its parameters")
    return given


PER_TASK = ("weights", "reference")
"""Settings of balancers that have a number for each task."""


def by_task(settings: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, Any]:
    """The settings, with numbers that were given by the names of the tasks in the tasks' order.

    Raises:
        UsageError: a task has none, or a number no task.
    """
    ordered = dict(settings)
    for name in PER_TASK:
        given = settings.get(name)
        if not isinstance(given, Mapping):
            continue
        if set(given) != set(tasks):
            told = ", ".join(map(str, given)) or "no task"
            raise UsageError(f"{name} has numbers for {told}; the tasks are {', '.join(tasks)}")
        ordered[name] = tuple(given[task] for task in tasks)
    return ordered


def as_tensors(features: Tensor | Sequence[Tensor] | None) -> list[Tensor]:
    """The features that were given.

    Raises:
        UsageError: they come out of no computation that could be derived.
    """
    given = [] if features is None else [features] if isinstance(features, Tensor) else list(features)
    given = list({id(feature): feature for feature in given}.values())  # one that is given twice counts once
    for one in given:
        if one.grad_fn is None:
            raise UsageError(
                "features must be what the shared part puts out, with its graph; these are detached, or a leaf"
            )
    return given

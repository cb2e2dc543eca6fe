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


def by_task(weights: Mapping[str, float], tasks: Sequence[str]) -> tuple[float, ...]:
    """Weights that were given by the names of the tasks, in their order.

    Raises:
        UsageError: a task has none, or a weight no task.
    """
    if set(weights) != set(tasks):
        raise UsageError(f"weights are given for {', '.join(weights)}; the tasks are {', '.join(tasks)}")
    return tuple(weights[task] for task in tasks)


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

"""What a `Balance` saved, looked through before any of it is taken up."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import State
from mtl_runs.balancing.averages import Averages


@dataclass(frozen=True)
class Saved:
    """The parts of a state.

    Attributes:
        memory: what the balancer remembers, of one run.
        seen: what was seen since the last signals.
        steps: since then.
        generator: state of the balancer's generator.
        parameters: whose gradients are remembered, see `Known`; None where none are, or where nobody wrote it down.
    """

    memory: State
    seen: Averages
    steps: int
    generator: Tensor
    parameters: tuple[str, ...] | None


def saved_state(state: object, balancer: str, tasks: Sequence[str], memory: State) -> Saved:
    """A state that `Balance.state_dict` returned.

    Args:
        state: what was given.
        balancer: name of the balancer that is to go on with it.
        tasks: names of the K tasks.
        memory: what that balancer remembers now, of one run.

    Raises:
        UsageError: it is another balancer's or of other tasks, or not whole.
    """
    if not isinstance(state, Mapping):
        raise UsageError(f"the state is {state!r}; give what state_dict() returned")
    for name, own in (("balancer", balancer), ("tasks", list(tasks))):
        if state.get(name) != own:
            raise UsageError(f"the state is of the {name} {state.get(name)}, this balance has {own}")
    remembered, looked = _under(state, "state."), _under(state, "seen.")
    if set(remembered) != set(memory):
        raise UsageError(
            f"the state of balancer '{balancer}' has {', '.join(remembered) or 'nothing'}, expected "
            f"{', '.join(memory) or 'nothing'}; was it saved with other settings?"
        )
    seen, generator = Averages(), torch.Generator()
    try:
        for name, value in {**looked, **remembered}.items():
            dimensions = memory[name].ndim - 1 if name in remembered else value.ndim
            if value.ndim != dimensions or value.shape[0] != len(tasks):
                raise ValueError(f"'{name}' has the shape {list(value.shape)} with {len(tasks)} tasks")
        seen.load(looked)
        # A checkpoint may be loaded onto another device, `map_location="cuda"`; decisions are made on the CPU.
        generator.set_state(state["generator"].cpu())
        of_one_run = {name: value.detach().cpu().clone().unsqueeze(0) for name, value in remembered.items()}
        return Saved(of_one_run, seen, operator.index(state["steps"]), generator.get_state(), _labels(state))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"this is no whole state of a Balance ({type(error).__name__}: {error})") from error


def _labels(state: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Of the parameters whose gradients are remembered; states that older versions saved have none."""
    labels = state.get("parameters")
    if labels is not None and not (isinstance(labels, list | tuple) and all(isinstance(one, str) for one in labels)):
        raise ValueError(f"'parameters' is {labels!r}")
    return None if labels is None else tuple(labels)


def _under(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}

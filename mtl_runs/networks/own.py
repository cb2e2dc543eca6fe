"""A network of the user's in the trainer: a population of one, whose members' dimension is put on and taken off."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lcode.errors import UsageError
from lcode.graphs import ArchGraph, trace_graph
from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.problems.base import Problem

OWN = "own"
"""Name of the architecture that a problem brings."""


class OwnPart(nn.Module):
    """A module of the user's, shared part or head, with its parameters as those of a stack of one.

    Args:
        module: whose first parameters are taken over; those that require no gradient stay as they are.
        first: whether the inputs have the dimension of members.
        last: whether the outputs shall have it; features pass from part to part in any form.
    """

    def __init__(self, module: nn.Module, *, first: bool = False, last: bool = False) -> None:
        super().__init__()
        # In a list it is no part of this one: its parameters are templates, and only `values` are trained.
        self._module = [module]
        trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self._names = list(trained)
        self.values = nn.ParameterList(nn.Parameter(p.detach().unsqueeze(0)) for p in trained.values())
        self._first, self._last = first, last

    def forward(self, values: Any) -> Any:
        """What the module makes of the values, with the present parameters."""
        parameters = {name: value[0] for name, value in zip(self._names, self.values, strict=True)}
        result = functional_call(self._module[0], parameters, (values[0] if self._first else values,))
        return result.unsqueeze(0) if self._last else result

    def train(self, mode: bool = True) -> Self:
        """The module's mode as well."""
        self._module[0].train(mode)
        return super().train(mode)

    def own_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The module's buffers by name, such as running means."""
        return self._module[0].named_buffers()


class OwnNetwork(MultiTaskNetwork):
    """One network that a problem has made."""

    def own_buffers(self) -> dict[str, Tensor]:
        """All buffers by name."""
        parts = {"shared": self.shared, **dict(zip(self.tasks, self.heads, strict=True))}
        named: dict[str, Tensor] = {}
        for place, part in parts.items():
            assert isinstance(part, OwnPart)
            named |= {f"{place}.{name}": buffer for name, buffer in part.own_buffers()}
        return named


def own_network(problem: Problem, seed: int, device: str = "cpu") -> OwnNetwork:
    """The network that the problem brings.

    Args:
        problem: restricted to the tasks that are trained.
        seed: of its first weights.
        device: where it lives.

    Raises:
        UsageError: the problem brings none, or something that is no network for its tasks.
    """
    with own_randomness(seed):
        shared, heads = _made(problem)
    return OwnNetwork(
        OwnPart(shared.to(device), first=True),
        {task.name: OwnPart(heads[task.name].to(device), last=True) for task in problem.tasks},
    )


def own_graph(problem: Problem) -> ArchGraph:
    """The architecture graph of the network that the problem brings.

    Raises:
        UsageError: as `own_network`, or it does not run on the problem's inputs.
    """
    with own_randomness(0):
        shared, heads = _made(problem)
    whole = _Whole(shared, {task.name: heads[task.name] for task in problem.tasks})
    _check_outputs(whole, problem)
    with warnings.catch_warnings():
        # Where it cannot be traced a chain of its modules will do.
        warnings.filterwarnings("ignore", ".*cannot be traced", UserWarning)
        try:
            return trace_graph(whole, problem.train.inputs[:2])
        except UsageError as error:
            text = str(error).removeprefix(f"{_Whole.__name__} ").replace("example_input", "its inputs")
            raise UsageError(f"problem '{problem.name}': its network {text}") from error


def _check_outputs(whole: _Whole, problem: Problem) -> None:
    """Refuse heads that put out other numbers of values than their tasks take: losses would pair them with any target.

    What does not run at all is told where it is traced.
    """
    inputs = problem.train.inputs[:2]
    try:
        with torch.no_grad():
            outputs = copy.deepcopy(whole).eval()(inputs)
    except Exception:
        return
    for task in problem.tasks:
        expected, found = task.output_shape(inputs.shape[1:]), outputs[task.name]
        if expected is not None and isinstance(found, Tensor) and tuple(found.shape) != (len(inputs), *expected):
            raise UsageError(
                f"problem '{problem.name}': the head of task '{task.name}' puts out {list(found.shape)} for "
                f"{len(inputs)} inputs; expected {[len(inputs), *expected]}"
            )


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Within the block torch's global generators are seeded: layers of the user's draw from them, if from any."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


class _Whole(nn.Module):
    """Shared part and heads, for a graph."""

    def __init__(self, shared: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.shared = shared
        self.heads = nn.ModuleDict(heads)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Outputs by task."""
        features = self.shared(inputs)
        return {task: head(features) for task, head in self.heads.items()}


def _made(problem: Problem) -> tuple[nn.Module, Mapping[str, nn.Module]]:
    """What the problem's function has made, if that is a network for its tasks."""
    if problem.network is None:
        raise UsageError(
            f"problem '{problem.name}' brings no network of its own: choose another architecture, or let its function "
            "return Problem(…, network=…)"
        )
    made = problem.network()
    names = [task.name for task in problem.tasks]
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module)):
        raise UsageError(
            f"problem '{problem.name}': its network must be a pair, the module that all tasks share and the heads by "
            f"task; found a {type(made).__name__}"
        )
    shared, heads = made
    missing = [name for name in names if name not in heads] if isinstance(heads, Mapping | nn.ModuleDict) else names
    if missing:
        raise UsageError(f"problem '{problem.name}': its network has no head for the task '{missing[0]}'")
    for place, part in {"the shared part": shared, **{f"head '{name}'": heads[name] for name in names}}.items():
        types = {p.dtype for p in part.parameters() if p.requires_grad}
        if types != {torch.float32}:
            found = ", ".join(map(str, types)) or "none"
            raise UsageError(
                f"problem '{problem.name}': {place} of its network must have parameters to be trained, of float32; "
                f"found {found}"
            )
    return shared, heads

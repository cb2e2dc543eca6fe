"""What runs that are trained together remember between steps: parameters, optimisers, balancers and random generators.

R runs of one architecture and batch size are stacked: every parameter has a leading dimension of R, and one call
computes what R calls would. On the CPU a member gets the very numbers that it gets alone, whoever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mtl_runs.balancers import Balancer, State
from mtl_runs.balancers.base import READS_GRADIENTS
from mtl_runs.networks import OWN, MultiTaskNetwork, OwnNetwork, initialise, make_network, own_network
from mtl_runs.problems import Problem
from mtl_runs.training.config import RunConfig, RunSpec, check_config
from mtl_runs.training.optimizers import OPTIMIZERS, Optimizer

Rule = TypeVar("Rule", Balancer, Optimizer)


@dataclass
class Part(Generic[Rule]):
    """Neighbouring members that share a rule, which is then called once for all of them.

    Attributes:
        rule: a balancer or an optimiser.
        rows: which members.
        state: what the rule remembers of them, stacked: tensors [r, *].
    """

    rule: Rule
    rows: slice
    state: State


@dataclass
class Member:
    """One run of a population.

    Attributes:
        spec: what is trained.
        rates: planned learning rate of the epochs 1..horizon.
        epoch: last complete epoch.
        batches: generator of the order of its samples.
        draws: generator of its balancer, and of its teleports.
        teleported: epoch of its last teleport; there is at most one per epoch.
    """

    spec: RunSpec
    rates: Sequence[float]
    epoch: int
    batches: torch.Generator
    draws: torch.Generator
    teleported: int = 0


class Population:
    """R networks of one architecture in training.

    Args:
        problem: already restricted to the tasks that are trained, and on the device.
        specs: the runs, all with the same `RunConfig.stacking_key`, in any order; one only where they are not
            `RunConfig.is_stackable`.
        device: where the networks live; generators and balancers stay on the CPU.

    Attributes:
        members: the runs in the order of the leading dimension, which is that of their rules.
        network: its parameters are views of `parameters`.
        parameters: all parameters of a member as one row, the shared ones first, then task by task, [R, P + H]. One
            matrix makes a step of the optimiser a handful of calls, whatever the depth.
        groups: slice of each block of a row: the shared parameters, then each task's own.
        balancers: how the members are balanced.
        flat_balancers: how the part of their gradients that looks for flat minima is, by second instances; empty where
            there is none.
        optimizers: how they are moved.
        memory: what is remembered of a member beside that, by name, float64 [R, *] on the CPU.

    Raises:
        UsageError: an unknown architecture or balancer, wrong settings, or a wrong number of weights.
    """

    network: MultiTaskNetwork
    parameters: Tensor

    def __init__(self, problem: Problem, specs: Sequence[RunSpec], device: str) -> None:
        for spec in specs:
            check_config(spec.config, problem)
        specs = sorted(specs, key=lambda spec: (spec.config.optimizer, *spec.config.balancer_key))
        self.problem = problem
        self.members = [_member(spec) for spec in specs]
        # Drawn on the CPU, so that a seed starts from the same network on every device.
        network = self._network(device)
        initialise(network, [torch.Generator().manual_seed(3 * spec.seed) for spec in specs])
        blocks = [[p.detach().reshape(len(p), -1) for p in group.parameters()] for group in network.groups()]
        ends = torch.tensor([0, *(sum(p.shape[1] for p in block) for block in blocks)]).cumsum(0).tolist()
        self.groups = [slice(start, end) for start, end in pairwise(ends)]
        self._bind(network, torch.cat([values for block in blocks for values in block], 1).to(device))
        self.balancers = list(self._make_balancers())
        self.optimizers: list[Part[Optimizer]] = []
        for rows, config in self._runs_of(lambda config: config.optimizer):
            optimizer = OPTIMIZERS[config.optimizer]
            configs = [member.spec.config for member in self.members[rows]]
            self.optimizers.append(Part(optimizer, rows, optimizer.init(self.parameters[rows], configs)))
        self.needs = self.balancers[0].rule.needs
        for part in self.balancers:
            self.needs |= part.rule.needs
        config = specs[0].config
        self.flat_balancers = (
            list(self._make_balancers()) if config.flat_radius and self.needs & READS_GRADIENTS else []
        )
        self.memory: dict[str, Tensor] = {}
        if config.auto_lr:
            self.memory |= {"auto_lr.scale": self._column(1.0), "auto_lr.steps": self._column(0.0)}
        if config.teleport_from:
            self.memory["teleport.kept"] = self._column(1.0)
        if config.exchange is not None:
            numbers = [[float(m.spec.config.exchange.member)] for m in self.members if m.spec.config.exchange]
            self.memory |= {
                "exchange.weights": self._planned_weights(),
                "exchange.parent": torch.tensor(numbers, dtype=torch.float64),
                "exchange.copied_at": self._column(0.0),
            }

    def __len__(self) -> int:
        return len(self.members)

    def reads_gradients(self) -> bool:
        """Whether a balancer reads the tasks' own gradients in the next step."""
        parts = (*self.balancers, *self.flat_balancers)
        return any(READS_GRADIENTS & part.rule.reads(part.state) for part in parts)

    def per_member(self, value: Callable[[RunConfig], float]) -> Tensor:
        """A setting of every member as a column on the device, float32, [R, 1]."""
        values = [[value(member.spec.config)] for member in self.members]
        return torch.tensor(values, dtype=torch.float32, device=self.parameters.device)

    def loss_weights(self) -> Tensor:
        """The constant factors on the losses, on the device, float32, [R, K]; an exchange may have changed them."""
        weights = self.memory.get("exchange.weights", self._planned_weights())
        return weights.to(self.parameters.device, torch.float32)

    def exchanged(self, row: int) -> dict[str, float]:
        """Signals of a member that exchanges: its loss weights, and where its network came from.

        Returns:
            Per task `loss_weight`; `main/copied_at`, the epoch of the last exchange in which it took another's network
            (0 = never), and `main/parent`, the number of that member (or its own). Empty where there is no exchange.
        """
        if "exchange.weights" not in self.memory:
            return {}
        weights = self.memory["exchange.weights"][row].tolist()
        return {
            **{f"{task.name}/loss_weight": w for task, w in zip(self.problem.tasks, weights, strict=True)},
            **{f"main/{name}": self.memory[f"exchange.{name}"][row].item() for name in ("parent", "copied_at")},
        }

    @contextmanager
    def buffers_kept(self) -> Iterator[None]:
        """A further look at a batch within the block counts in no running mean."""
        kept = [(buffer, buffer.clone()) for buffer in self._buffers().values()]
        yield
        for buffer, value in kept:
            buffer.copy_(value)

    def blocks(self) -> list[list[nn.Parameter]]:
        """The parameters of each block, in the order of `groups`."""
        return [list(group.parameters()) for group in self.network.groups()]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these members only, in this order (compaction); R shrinks, memory with it.

        Args:
            rows: increasing positions of those that stay, at least one.
        """
        self.members = [self.members[row] for row in rows]
        arch = self.members[0].spec.config.arch
        network = make_network(arch, self.problem.input_shape, self.problem.tasks, len(rows))
        self._bind(network, self.parameters[list(rows)])
        self.balancers = list(_kept(self.balancers, rows))
        self.flat_balancers = list(_kept(self.flat_balancers, rows))
        self.optimizers = list(_kept(self.optimizers, rows))
        self.memory = {name: column[list(rows)] for name, column in self.memory.items()}

    def state_of(self, row: int) -> dict[str, Tensor]:
        """All that the next epochs of a member depend on, by name; views, on the CPU only where they already are."""
        member = self.members[row]
        tensors = {
            "parameters": self.parameters[row],
            "generator.batches": member.batches.get_state(),
            "generator.draws": member.draws.get_state(),
            **{f"memory.{name}": column[row] for name, column in self.memory.items()},
            **{f"buffer.{name}": buffer for name, buffer in self._buffers().items()},
        }
        for prefix, parts in self._parts():
            for part in parts:
                if part.rows.start <= row < part.rows.stop:
                    at = row - part.rows.start
                    tensors |= {f"{prefix}.{name}": value[at] for name, value in part.state.items()}
        return tensors

    def load_states(self, states: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Put what `state_of` returned of some members, perhaps in another population, back.

        Args:
            states: by row.
        """
        for row, tensors in states.items():
            self.parameters[row] = tensors["parameters"].to(self.parameters)
            self.members[row].batches.set_state(tensors["generator.batches"])
            self.members[row].draws.set_state(tensors["generator.draws"])
            for name, column in self.memory.items():
                column[row] = tensors[f"memory.{name}"]
            for name, buffer in self._buffers().items():
                buffer.copy_(tensors[f"buffer.{name}"])
        for prefix, parts in self._parts():
            for part in parts:
                for name, old in part.state.items():
                    rows = range(part.rows.start, part.rows.stop)
                    values = [
                        states[row][f"{prefix}.{name}"] if row in states else old[row - part.rows.start] for row in rows
                    ]
                    # Memory of the size of the Jacobian is [K, 1] before the first step. NumPy's is the same as
                    # torch's, which first imports sympy, for a second in every worker.
                    shape = np.broadcast_shapes(*(tuple(value.shape) for value in values))
                    stacked = torch.stack([value.expand(shape).to(old) for value in values])
                    part.state = {**part.state, name: stacked}

    def _buffers(self) -> dict[str, Tensor]:
        """What a network of the user's remembers beside its parameters, by name; the trainer's own have none."""
        return self.network.own_buffers() if isinstance(self.network, OwnNetwork) else {}

    def _network(self, device: str) -> MultiTaskNetwork:
        """A new network for all members, with first weights only if it is the user's."""
        config = self.members[0].spec.config
        if config.arch == OWN:
            return own_network(self.problem, 3 * self.members[0].spec.seed, device)
        return make_network(config.arch, self.problem.input_shape, self.problem.tasks, len(self))

    def _bind(self, network: MultiTaskNetwork, values: Tensor) -> None:
        """Make the network's parameters views of these values, [R, P + H]."""
        at = 0
        for group in network.groups():
            for module in group.modules():
                for name, old in list(module.named_parameters(recurse=False)):
                    size = old[0].numel()
                    setattr(module, name, nn.Parameter(values[:, at : at + size].view(old.shape)))
                    at += size
        self.network, self.parameters = network, values

    def _make_balancers(self) -> Iterator[Part[Balancer]]:
        for rows, config in self._runs_of(lambda config: config.balancer_key):
            balancer = config.make_balancer()
            one = balancer.init(len(self.problem.tasks))
            yield Part(balancer, rows, {n: v.expand(rows.stop - rows.start, *v.shape) for n, v in one.items()})

    def _parts(self) -> Iterator[tuple[str, Sequence[Part[Any]]]]:
        """All that has a state, by the first part of its names in a checkpoint."""
        yield "balancer", self.balancers
        yield "flat_balancer", self.flat_balancers
        yield "optimizer", self.optimizers

    def _column(self, value: float) -> Tensor:
        return torch.full((len(self), 1), value, dtype=torch.float64)

    def _planned_weights(self) -> Tensor:
        """The members' loss weights by their configurations, float64, [R, K]."""
        ones = [1.0] * len(self.problem.tasks)
        weights = [member.spec.config.loss_weights or ones for member in self.members]
        return torch.tensor(weights, dtype=torch.float64)

    def _runs_of(self, key: Callable[[RunConfig], Hashable]) -> Iterator[tuple[slice, RunConfig]]:
        """Stretches of members with an equal key: their rows, and one of their configurations."""
        start = 0
        for _, stretch in groupby(self.members, lambda member: key(member.spec.config)):
            members = list(stretch)
            yield slice(start, start + len(members)), members[0].spec.config
            start += len(members)


def _member(spec: RunSpec) -> Member:
    batches, draws = (torch.Generator().manual_seed(3 * spec.seed + i) for i in (1, 2))
    return Member(spec, spec.config.learning_rates(spec.horizon), 0, batches, draws)


def _kept(parts: Sequence[Part[Rule]], rows: Sequence[int]) -> Iterator[Part[Rule]]:
    """The parts with these members only; those without any are left out."""
    start = 0
    for part in parts:
        at = [row - part.rows.start for row in rows if part.rows.start <= row < part.rows.stop]
        if at:
            yield Part(part.rule, slice(start, start + len(at)), {n: v[at] for n, v in part.state.items()})
            start += len(at)

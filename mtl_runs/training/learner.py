"""What a training remembers between steps: parameters, optimiser, balancer and random generators."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lcode.errors import UsageError
from mtl_runs.balancers import Balancer, State, make_balancer
from mtl_runs.networks import HardSharing, initialise, make_network
from mtl_runs.problems import Problem
from mtl_runs.training.config import RunConfig
from mtl_runs.training.optimizers import SGD, Adam, Optimizer


@dataclass
class Learner:
    """One network in training.

    Attributes:
        network: its parameters are views of `parameters`.
        parameters: all parameters as one vector, the shared ones first, then head by head, [P + H]. One vector makes
            a step of the optimiser a handful of calls, whatever the depth.
        gradient: what the optimiser reads, [P + H].
        groups: slice of each block of that vector: the shared parameters, then the K heads.
        optimizer: moves `parameters`.
        optimizer_state: what it remembers.
        balancer: turns statistics into weights.
        balancer_state: what it remembers.
        batches: generator of the order of the samples.
        draws: generator of the balancer.
    """

    network: HardSharing
    parameters: Tensor
    gradient: Tensor
    groups: list[slice]
    optimizer: Optimizer
    optimizer_state: State
    balancer: Balancer
    balancer_state: State
    batches: torch.Generator
    draws: torch.Generator

    def group_parameters(self) -> list[list[nn.Parameter]]:
        """The parameters of each block, in the order of `groups`."""
        return [list(group.parameters()) for group in self.network.groups()]


def make_learner(problem: Problem, config: RunConfig, *, seed: int, device: str) -> Learner:
    """A learner before its first step.

    Args:
        problem: already restricted to the tasks that are trained.
        config: the hyper-parameters.
        seed: decides the first parameters, the order of the samples and the draws of the balancer.
        device: where the network lives; generators and balancer stay on the CPU.

    Raises:
        UsageError: an unknown architecture or balancer, wrong settings, or a wrong number of weights.
    """
    n_tasks = len(problem.tasks)
    if config.loss_weights is not None and len(config.loss_weights) != n_tasks:
        raise UsageError(f"{len(config.loss_weights)} loss weights were given for {n_tasks} tasks; give one per task")
    if config.batch_size > len(problem.train):
        raise UsageError(f"batch_size must be at most {len(problem.train)} here; found {config.batch_size}")
    balancer = make_balancer(config.balancer, **config.balancer_settings)
    balancer_state = balancer.init(n_tasks)
    # Drawn on the CPU, so that a seed starts from the same network on every device.
    network = make_network(config.arch, problem.input_shape, problem.tasks)
    start, batches, draws = (torch.Generator().manual_seed(3 * seed + i) for i in range(3))
    initialise(network, start)
    parameters, groups = _flatten(network, device)
    adam = config.optimizer == "adam"
    optimizer: Optimizer = Adam(config.weight_decay) if adam else SGD(config.momentum, config.weight_decay)
    return Learner(
        network=network,
        parameters=parameters,
        gradient=torch.zeros_like(parameters),
        groups=groups,
        optimizer=optimizer,
        optimizer_state=optimizer.init(parameters),
        balancer=balancer,
        balancer_state=balancer_state,
        batches=batches,
        draws=draws,
    )


def _flatten(network: HardSharing, device: str) -> tuple[Tensor, list[slice]]:
    """One vector with the values of all parameters, which become views of it; and the slice of each block."""
    blocks = [[p.detach().reshape(-1) for p in group.parameters()] for group in network.groups()]
    vector = torch.cat([values for block in blocks for values in block]).to(device)
    groups, start, at = [], 0, 0
    for group in network.groups():
        for module in group.modules():
            for name, old in list(module.named_parameters(recurse=False)):
                view = vector[at : at + old.numel()].view(old.shape)
                setattr(module, name, nn.Parameter(view))
                at += old.numel()
        groups.append(slice(start, at))
        start = at
    return vector, groups

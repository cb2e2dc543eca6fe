"""How much memory a population takes, estimated before it is made, so that none is made too large."""

from __future__ import annotations

import os

import torch

from mtl_runs.networks import architecture_graph, make_network
from mtl_runs.problems import Problem
from mtl_runs.training.config import RunConfig
from mtl_runs.training.measure import CHUNK

FLOAT = 4

GRAPH_COPIES = 5
"""Every value of the forward pass is kept once for the backward pass, and has gradients and temporaries beside it."""


def bytes_per_member(problem: Problem, config: RunConfig) -> int:
    """An upper estimate of what one more member of a population needs while it is trained.

    Args:
        problem: restricted to the tasks that are trained.
        config: its architecture, batch size and balancer count.
    """
    if not config.is_stackable:
        return 0  # trained alone, and never refused
    network = make_network(config.arch, problem.input_shape, problem.tasks)
    graph = architecture_graph(network, problem.input_shape)
    parameters = sum(p.numel() for p in network.parameters())
    values = sum(float(size) for size in graph.out_size)
    # Parameters, optimiser, gradient and the temporaries of their step; per task the gradient as autograd returns it,
    # in one row and in the stacked Jacobian, what a balancer makes of it and remembers. Measured, then rounded up.
    rows = 20 + (20 if config.flat_radius else 16) * len(problem.tasks)
    # A teleport compares losses at six places in one graph, one member at a time. Evaluation has larger batches, but
    # keeps no graph.
    graphs = GRAPH_COPIES * (2 if config.teleport_from else 1)
    samples = max(config.batch_size * graphs, CHUNK * 2)
    return int(FLOAT * (rows * parameters + samples * values))


def memory_of(device: str) -> int:
    """Bytes of memory of the machine, or of the GPU."""
    if device != "cpu":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

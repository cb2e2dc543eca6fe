"""The architecture graph of a network, by running it once."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from lcode.graphs.arch import TRUNK, ArchGraph
from mtl_runs.networks.base import HardSharing

OPS: dict[type[nn.Module], str] = {
    nn.Flatten: "flatten",
    nn.Linear: "linear",
    nn.Conv2d: "conv3x3",
    nn.ReLU: "relu",
}
"""Operation type of a module; a network made of anything else has to be added here."""


def architecture_graph(network: HardSharing, input_shape: tuple[int, ...]) -> ArchGraph:
    """One node per operation: the input, the chain of the trunk, then each head as a branch.

    Args:
        network: on any device; only shapes are looked at.
        input_shape: shape of one input, without the batch.
    """
    ops, edges, roles = ["input"], [], [TRUNK]
    params, sizes, flops = [0.0], [float(prod(input_shape))], [0.0]

    def append(module: nn.Module, before: Tensor, source: int, role: str) -> Tensor:
        after: Tensor = module(before)
        edges.append((source, len(ops)))
        ops.append(OPS[type(module)])
        roles.append(role)
        params.append(float(sum(p.numel() for p in module.parameters())))
        sizes.append(float(after[0].numel()))
        flops.append(_multiply_adds(module, after))
        return after

    device = next(network.parameters()).device
    with torch.no_grad():
        values = torch.zeros(1, *input_shape, device=device)
        for module in network.trunk:
            values = append(module, values, len(ops) - 1, TRUNK)
        features = len(ops) - 1
        for task, head in network.heads.items():
            append(head, values, features, f"head:{task}")
    return ArchGraph.build(ops, edges, params=params, out_size=sizes, flops=flops, roles=roles)


def _multiply_adds(module: nn.Module, after: Tensor) -> float:
    """Multiply-adds per sample; operations without weights count one per value they put out."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        return float(after[0].numel() * module.weight[0].numel())
    return 0.0 if isinstance(module, nn.Flatten) else float(after[0].numel())

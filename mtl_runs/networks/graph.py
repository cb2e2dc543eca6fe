"""The architecture graph of a network, by watching its layers once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Layer


def architecture_graph(network: MultiTaskNetwork, input_shape: Sequence[int]) -> ArchGraph:
    """One node per operation of one member: the input, then every layer (and copy of a layer) as it is called.

    Nodes of the shared part have the role `trunk`, those of a task's part `head:<task>`.

    Args:
        network: on any device; only shapes are looked at.
        input_shape: shape of one input, without the batch.
    """
    parameter = next(network.parameters())
    inputs = torch.zeros(len(parameter), 1, *input_shape, device=parameter.device)
    watch = _Watch(inputs)
    roles = [TRUNK, *(f"{HEAD}{task}" for task in network.tasks)]
    with torch.no_grad(), ExitStack() as hooks:
        for role, group in zip(roles, network.groups(), strict=True):
            for layer in group.modules():
                if isinstance(layer, Layer):
                    watch.roles[layer] = role
                    hooks.callback(layer.register_forward_hook(watch).remove)
        network(inputs)
    ops, params, sizes, flops, node_roles = zip(*watch.nodes, strict=True)
    return ArchGraph.build(ops, watch.edges, params=params, out_size=sizes, flops=flops, roles=node_roles)


class _Watch:
    """A forward hook that notes each call of a layer.

    Attributes:
        nodes: operation, parameters, values put out, multiply-adds and role of each node, per member and sample.
        edges: pairs of source and target.
        roles: of each layer.
    """

    def __init__(self, inputs: Tensor) -> None:
        self.members = len(inputs)
        self.nodes: list[tuple[str, float, float, float, str]] = [("input", 0.0, self._size(inputs), 0.0, TRUNK)]
        self.edges: list[tuple[int, int]] = []
        self.roles: dict[nn.Module, str] = {}
        # Where each tensor comes from, copy by copy. The tensors are kept, so that no other gets their identity.
        self._origins: dict[int, tuple[Tensor, list[int]]] = {id(inputs): (inputs, [0])}

    def __call__(self, layer: nn.Module, arguments: tuple[Any, ...], result: Tensor) -> None:
        assert isinstance(layer, Layer)
        wiring = layer.wiring(*(self._origins[id(argument)][1] for argument in arguments))
        if layer.op:
            params = sum(p.numel() for p in layer.parameters()) / self.members / len(wiring)
            size = self._size(result) / len(wiring)
            for sources in wiring:
                self.edges += [(source, len(self.nodes)) for source in sources]
                self.nodes.append((layer.op, params, size, size * layer.cost, self.roles[layer]))
            origin = list(range(len(self.nodes) - len(wiring), len(self.nodes)))
        else:
            origin = [node for sources in wiring for node in sources]
        self._origins[id(result)] = (result, origin)

    def _size(self, values: Tensor) -> float:
        return values.numel() / self.members

"""The modules of a network in a row: what is left when its data flow cannot be traced. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn

from lcode.errors import UsageError
from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from lcode.graphs.cost import count_parameters, module_op, multiply_adds, task_outputs, total_size


def module_chain(
    network: nn.Module, inputs: Mapping[str | int, torch.Tensor], tasks: Sequence[str] | None
) -> ArchGraph:
    """The inputs, then each leaf module after the one registered before it.

    A module belongs to a task's head if a part of its path is the name of the task. Modules that were not called have
    unknown sizes, and are left out if they hold no parameters.

    Args:
        network: a copy that may be changed, in evaluation mode.
        inputs: tensors by position (int) or by name.
        tasks: as in `trace_graph`.

    Raises:
        UsageError: the network does not run on the inputs, or `tasks` does not fit its outputs.
    """
    sizes: dict[nn.Module, tuple[int, int]] = {}

    def measure(module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        sizes.setdefault(module, (total_size(args[:1]), total_size(result)))

    parts = dict(_parts(network, ""))
    for module in parts:
        module.register_forward_hook(measure)
    try:
        result = network(
            *(tensor for name, tensor in inputs.items() if isinstance(name, int)),
            **{name: tensor for name, tensor in inputs.items() if isinstance(name, str)},
        )
    except Exception as error:  # a stranger's forward may raise anything
        raise UsageError(f"{type(network).__name__} does not run on example_input: {error}") from error
    outputs = task_outputs(result, tasks)
    n_samples = len(next(iter(inputs.values())))

    nodes: list[tuple[str, float, float, float, str]] = [
        ("input", 0, tensor.numel() / n_samples, 0, TRUNK) for tensor in inputs.values()
    ]
    seen: set[nn.Parameter] = set()
    for module, path in parts.items():
        own = count_parameters(module.parameters(recurse=_is_leaf(module)), seen)
        if not own and module not in sizes:
            continue
        in_size, out_size = (size / n_samples for size in sizes.get(module, (float("nan"), float("nan"))))
        task = next((name for name in path.split(".") if name in outputs and len(outputs) > 1), None)
        op = module_op(module)
        flops = multiply_adds(op, module, in_size, out_size)
        nodes.append((op, own, out_size, flops, TRUNK if task is None else HEAD + task))
    ops, params, out_sizes, flops_, roles = zip(*nodes, strict=True)
    first = len(inputs)
    edges = [(i, first) for i in range(first) if first < len(nodes)]
    edges += [(i, i + 1) for i in range(first, len(nodes) - 1)]
    return ArchGraph.build(ops, edges, params=params, out_size=out_sizes, flops=flops_, roles=roles)


def _is_leaf(module: nn.Module) -> bool:
    """Whether the module holds no others, or is one operation for symbolic tracing and not a mere container."""
    if not any(True for _ in module.children()):
        return True
    return fx.Tracer().is_leaf_module(module, "") and not isinstance(module, nn.ModuleList | nn.ModuleDict)


def _parts(module: nn.Module, path: str) -> Iterator[tuple[nn.Module, str]]:
    """Leaf modules, and others that hold parameters of their own, with their paths."""
    leaf = _is_leaf(module)
    if leaf or any(True for _ in module.parameters(recurse=False)):
        yield module, path
    if not leaf:
        for name, child in module.named_children():
            yield from _parts(child, f"{path}.{name}")

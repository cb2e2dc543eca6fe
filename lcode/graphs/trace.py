"""The graph of a torch module: symbolic tracing, and one forward pass for the sizes. Imports torch."""

from __future__ import annotations

import copy
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.utils._pytree import tree_leaves

from lcode.errors import UsageError
from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from lcode.graphs.chain import module_chain
from lcode.graphs.cost import count_parameters, module_op, multiply_adds, task_outputs, tensors_in, total_size
from lcode.graphs.ops import canonical_op

Example = torch.Tensor | Sequence[torch.Tensor] | Mapping[str, torch.Tensor]


def trace_graph(module: nn.Module, example_input: Example, *, tasks: Sequence[str] | None = None) -> ArchGraph:
    """Follow the data through a module: every input, and every call that puts out a tensor, is a node.

    The module is traced symbolically (`torch.fx`) in evaluation mode and run once on the example for the output
    sizes. Both happen on a copy, so the module's mode, parameters and buffers stay as they are, and so does the state
    of torch's random number generators. Where tracing fails, as it does when the control flow depends on the data,
    the graph is the chain of the leaf modules in the order of registration, and a `UserWarning` says so.

    If the module returns a mapping or a tuple, a node that leads to the output of exactly one of several tasks has
    the role `head:<task>`. Multiply-adds are known for linear layers, convolutions, normalisations, and operations
    that have none. A trainable parameter that is used several times counts where it is used first.

    Args:
        module: the network.
        example_input: what `forward` takes: a tensor, several by position, or several by name; axis 0 of the first
            is the batch.
        tasks: names of the outputs of a module that returns a tuple (default `0`, `1`, …), or those keys of a
            returned mapping that are tasks (default all).

    Raises:
        UsageError: the module cannot be copied or does not run on the example, or `tasks` does not fit its outputs.

    Examples:
        >>> import torch
        >>> import lcode
        >>> network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
        >>> lcode.trace_graph(network, torch.zeros(1, 4)).ops
        ('input', 'linear', 'relu', 'linear')
    """
    inputs = _named_inputs(example_input)
    cuda = {p.device.index for p in (*module.parameters(), *module.buffers(), *inputs.values()) if p.is_cuda}
    with torch.random.fork_rng(devices=sorted(cuda)), torch.no_grad():
        try:
            return _data_flow(_copy(module), _clones(inputs), tasks)
        except UsageError:
            raise
        except Exception as error:  # a stranger's forward may raise anything on a symbolic tensor
            reason = (str(error) or type(error).__name__).partition("\n")[0]
        graph = module_chain(_copy(module), _clones(inputs), tasks)
    warnings.warn(
        f"{type(module).__name__} cannot be traced ({reason}); its graph is the chain of its modules in the order of "
        "registration, without branches",
        UserWarning,
        stacklevel=2,
    )
    return graph


def _named_inputs(example: Example) -> dict[str | int, torch.Tensor]:
    """The example's tensors by name, or by position."""
    if isinstance(example, torch.Tensor):
        example = (example,)
    named = example.items() if isinstance(example, Mapping) else enumerate(example)
    inputs: dict[str | int, torch.Tensor] = dict(named)
    if not inputs or not all(isinstance(t, torch.Tensor) and t.ndim and len(t) for t in inputs.values()):
        raise UsageError("example_input must be one or more tensors, each with at least one sample on axis 0")
    return inputs


def _clones(inputs: Mapping[str | int, torch.Tensor]) -> dict[str | int, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in inputs.items()}


def _copy(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module).eval()
    except Exception as error:  # any attribute of the module may refuse
        raise UsageError(
            f"{type(module).__name__} cannot be copied ({error}), which tracing needs in order to leave it as it is; "
            "describe it by ArchGraph.build instead"
        ) from error


class _Call(nn.Module):
    """Calls a network with the inputs of the example, so that its other arguments keep their defaults."""

    def __init__(self, network: nn.Module, names: Sequence[str | int]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, inputs: Any) -> Any:
        by_position = [inputs[name] for name in self.names if isinstance(name, int)]
        return self.network(*by_position, **{name: inputs[name] for name in self.names if isinstance(name, str)})


def _data_flow(network: nn.Module, inputs: dict[str | int, torch.Tensor], tasks: Sequence[str] | None) -> ArchGraph:
    root = _Call(network, list(inputs))
    flow = fx.Tracer().trace(root)
    run = fx.Interpreter(root, garbage_collect_values=False, graph=flow)
    run.run(inputs)
    values: dict[fx.Node, Any] = run.env
    roles = _roles(flow, tasks)
    n_samples = len(next(iter(inputs.values())))

    seen: set[nn.Parameter] = set()
    batched: dict[fx.Node, bool] = {}
    nodes_of: dict[fx.Node, list[int]] = {}  # nodes of our graph that a node of fx stands for
    rows: list[dict[str, Any]] = []
    edges: list[tuple[int, int]] = []
    for node in flow.nodes:
        sources = list(dict.fromkeys(i for before in node.all_input_nodes for i in nodes_of[before]))
        # What does not come from the inputs (a positional embedding) is there once, not once per sample.
        batched[node] = node.op == "placeholder" or any(batched[before] for before in node.all_input_nodes)
        if not _is_operation(node, values):
            # A part of a tuple stands for the operation that made it; a shape is no data.
            nodes_of[node] = sources if _has_tensor(values.get(node)) else []
            continue
        called = root.get_submodule(str(node.target)) if node.op == "call_module" else None
        used = [values[before] for before in node.all_input_nodes if isinstance(values[before], nn.Parameter)]
        per = n_samples if batched[node] else 1
        out_size = total_size(values[node]) / per
        in_size = total_size(values[node.all_input_nodes[0]]) / per if node.all_input_nodes else 0.0
        op = _op(node, called)
        nodes_of[node] = [len(rows)]
        edges += [(source, len(rows)) for source in sources]
        rows.append(
            {
                "ops": op,
                "params": count_parameters([*used, *(called.parameters() if called is not None else ())], seen),
                "out_size": out_size,
                "flops": multiply_adds(op, called, in_size, out_size),
                "roles": roles[node],
            }
        )
    return ArchGraph.build(edges=edges, **{name: [row[name] for row in rows] for name in rows[0]})


def _is_input(node: fx.Node) -> bool:
    return node.target is operator.getitem and node.all_input_nodes[0].op == "placeholder"


def _is_operation(node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    """Whether a node puts out tensors of its own, rather than a shape, a parameter, or a part of a tuple."""
    if not node.op.startswith("call"):
        return False
    if node.target is operator.getitem and not _is_input(node):
        return isinstance(values[node.all_input_nodes[0]], torch.Tensor)
    return _has_tensor(values[node])


def _has_tensor(value: object) -> bool:
    return next(tensors_in(value), None) is not None


def _op(node: fx.Node, called: nn.Module | None) -> str:
    if called is not None:
        return module_op(called)
    if _is_input(node):
        return "input"
    return canonical_op(node.target if isinstance(node.target, str) else node.target.__name__)


def _roles(flow: fx.Graph, tasks: Sequence[str] | None) -> dict[fx.Node, str]:
    """Role of each node: which tasks' outputs it leads to, found by walking back from them."""
    leads_to: dict[fx.Node, set[str]] = {node: set() for node in flow.nodes}
    end = next(node for node in flow.nodes if node.op == "output")
    outputs = task_outputs(end.args[0], tasks)
    for task, result in outputs.items():
        for leaf in tree_leaves(result):
            if isinstance(leaf, fx.Node):
                leads_to[leaf].add(task)
    for node in reversed(flow.nodes):
        if node is not end:
            for before in node.all_input_nodes:
                leads_to[before] |= leads_to[node]
    several = len(outputs) > 1
    return {node: HEAD + min(found) if several and len(found) == 1 else TRUNK for node, found in leads_to.items()}

"""The graph of a multi-layer perceptron from its widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

from lcode.errors import UsageError
from lcode.graphs.arch import HEAD, TRUNK, ArchGraph


def mlp_graph(
    widths: Sequence[int],
    *,
    n_inputs: int,
    outputs: int | Mapping[str, int],
    activation: str = "relu",
    batchnorm: bool = False,
    dropout: bool = False,
) -> ArchGraph:
    """The chain input -> (linear -> batchnorm -> activation -> dropout) per width, then a linear layer per task.

    Args:
        widths: width of each hidden layer; none for a linear model.
        n_inputs: number of input features.
        outputs: outputs of the last layer, or of the head of each task.
        activation: operation after each hidden layer.
        batchnorm: whether each hidden layer is normalised before its activation.
        dropout: whether dropout follows each activation.

    Returns:
        A graph in which parameters (with biases), output sizes and multiply-adds are all known.

    Raises:
        UsageError: a width is not a whole number ≥ 1, or there is no output.
    """
    heads = {HEAD + task: size for task, size in outputs.items()} if isinstance(outputs, Mapping) else {TRUNK: outputs}
    if not heads:
        raise UsageError("outputs names no task; give at least one, such as {'left': 10}")
    for name, sizes in {"n_inputs": [n_inputs], "widths": widths, "outputs": heads.values()}.items():
        for size in sizes:
            if not isinstance(size, Integral) or size < 1:
                raise UsageError(f"{name}: found the size {size!r}, expected a whole number ≥ 1")
    # One row per node: operation, parameters, outputs, multiply-adds, role.
    nodes: list[tuple[str, int, int, int, str]] = [("input", 0, n_inputs, 0, TRUNK)]
    before = n_inputs
    for width in widths:
        nodes.append(("linear", (before + 1) * width, width, before * width, TRUNK))
        if batchnorm:
            nodes.append(("batchnorm", 2 * width, width, width, TRUNK))
        nodes.append((activation, 0, width, 0, TRUNK))
        if dropout:
            nodes.append(("dropout", 0, width, 0, TRUNK))
        before = width
    last = len(nodes) - 1
    nodes += [("linear", (before + 1) * size, size, before * size, role) for role, size in heads.items()]
    ops, params, out_size, flops, roles = zip(*nodes, strict=True)
    chain = [(i, i + 1) for i in range(last)]
    branches = [(last, head) for head in range(last + 1, len(nodes))]
    return ArchGraph.build(ops, chain + branches, params=params, out_size=out_size, flops=flops, roles=roles)

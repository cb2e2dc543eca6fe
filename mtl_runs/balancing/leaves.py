"""What losses depend on, read off their autograd graphs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

COMPILED = "CompiledFunctionBackward"
"""The node of a compiled part of a network."""

REENTRANT = "CheckpointFunctionBackward"
"""The node of a part that is computed again on the way back, and whose parameters the graph does not show."""

Edge = tuple[Any, int]
"""A node of the graph, and which of its outputs."""


@dataclass(frozen=True)
class Reach:
    """What some losses reach, each as a set of losses: bit k is set where loss k depends on it.

    Attributes:
        leaves: leaf tensors that require a gradient, in an order that depends on the graphs only.
        by_leaf: the losses that depend on each of them, on a way around the stops.
        by_stop: the losses that depend on each stop.
        opaque: whether a part of the graphs was compiled: all that goes in seems to reach all that comes out.
        hidden: whether there are parts whose parameters cannot be seen.
    """

    leaves: Sequence[Tensor]
    by_leaf: Sequence[int]
    by_stop: Sequence[int]
    opaque: bool
    hidden: bool


def reach(losses: Sequence[Tensor], stops: Sequence[Tensor] = ()) -> Reach:
    """What these losses depend on, in one walk over their graphs.

    Args:
        losses: K tensors; one without a graph reaches nothing.
        stops: tensors behind which nothing is looked at.
    """
    barrier = {_edge_of(stop): place for place, stop in enumerate(stops)}
    roots = [None if loss.grad_fn is None and not loss.requires_grad else _edge_of(loss) for loss in losses]
    order = _children_first([root[0] for root in roots if root is not None], barrier)
    masks: dict[Any, int] = defaultdict(int)
    for k, root in enumerate(roots):
        if root is not None:
            masks[root[0]] |= 1 << k
    by_stop = [0] * len(stops)
    leaves, by_leaf = [], []
    for node in reversed(order):
        mask = masks[node]
        if _is_leaf(node):
            leaves.append(node.variable)
            by_leaf.append(mask)
        for edge in _edges(node):
            if edge in barrier:
                by_stop[barrier[edge]] |= mask
            else:
                masks[edge[0]] |= mask
    kinds = {type(node).__name__ for node in order}
    return Reach(leaves, by_leaf, by_stop, COMPILED in kinds, REENTRANT in kinds)


def _children_first(roots: Sequence[Any], barrier: dict[Edge, int]) -> list[Any]:
    """The nodes that the roots lead to, every one after all that it leads to."""
    order: list[Any] = []
    seen: set[Any] = set()
    for root in roots:
        # Without recursion: graphs are deeper than Python's stack.
        stack: list[tuple[Any, Iterator[Edge]]] = []
        if root not in seen:
            seen.add(root)
            stack.append((root, _edges(root)))
        while stack:
            node, edges = stack[-1]
            for edge in edges:
                if edge[0] not in seen and edge not in barrier:
                    seen.add(edge[0])
                    stack.append((edge[0], _edges(edge[0])))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def _edges(node: Any) -> Iterator[Edge]:
    return (edge for edge in node.next_functions if edge[0] is not None)


def _edge_of(tensor: Tensor) -> Edge:
    """Where a tensor that requires a gradient comes from; for a leaf, where its gradient goes."""
    if tensor.grad_fn is not None:
        return tensor.grad_fn, tensor.output_nr
    # A view of the leaf knows the node in which the leaf's gradient is added up.
    return tensor.view_as(tensor).grad_fn.next_functions[0]  # type: ignore[union-attr]


def _is_leaf(node: Any) -> bool:
    return type(node).__name__ == "AccumulateGrad"

"""What makes a list of edges a directed acyclic graph, and how deep each node lies in it. Linear in nodes and edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.errors import UsageError

_SHOWN = 12
"""A longer cycle is cut in the message: a reader mends one edge of it, not all."""


def check_edges(n_nodes: int, edges: Sequence[Sequence[int]]) -> None:
    """Refuse what no data flow contains: an edge to nowhere, from a node to itself, or the same edge twice.

    Args:
        n_nodes: number of nodes N.
        edges: pairs (source, target) of node indices.

    Raises:
        UsageError: names the edge by its position and its two nodes.
    """
    seen: dict[tuple[int, int], int] = {}
    for i, (source, target) in enumerate(edges):
        if not (0 <= source < n_nodes and 0 <= target < n_nodes):
            missing = source if not 0 <= source < n_nodes else target
            raise UsageError(
                f"edge {i} [{source}, {target}] is dangling: there is no node {missing}, the {n_nodes} nodes are "
                f"numbered 0 to {n_nodes - 1}"
            )
        if source == target:
            raise UsageError(f"edge {i} [{source}, {target}] leads from a node to itself; remove it")
        first = seen.setdefault((source, target), i)
        if first != i:
            raise UsageError(f"edge [{source}, {target}] is there twice, as edge {first} and edge {i}; remove one")


def longest_paths(n_nodes: int, edges: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Number of edges on the longest path that ends in each node (Kahn's algorithm).

    Args:
        n_nodes: number of nodes N.
        edges: pairs (source, target) of node indices within 0..N-1.

    Returns:
        0 for a node without predecessors, shape [N].

    Raises:
        UsageError: the edges contain a cycle; the message names the nodes on it.
    """
    # Plain lists: on graphs of 10 to 100 nodes they are far quicker than arrays taken level by level.
    successors: list[list[int]] = [[] for _ in range(n_nodes)]
    waiting = [0] * n_nodes
    for source, target in edges:
        successors[source].append(target)
        waiting[target] += 1
    ready = [node for node in range(n_nodes) if not waiting[node]]
    depth = [0] * n_nodes
    for node in ready:
        for successor in successors[node]:
            depth[successor] = max(depth[successor], depth[node] + 1)
            waiting[successor] -= 1
            if not waiting[successor]:
                ready.append(successor)
    if len(ready) < n_nodes:
        cycle = _find_cycle(edges, [node for node in range(n_nodes) if waiting[node]])
        shown = [str(node) for node in cycle]
        if len(shown) > _SHOWN:
            shown = [*shown[:_SHOWN], "…"]
        raise UsageError(
            f"cycle {' -> '.join([*shown, str(cycle[0])])}: data must flow one way; remove one of these edges"
        )
    return np.asarray(depth, dtype=np.int64)


def _find_cycle(edges: Sequence[Sequence[int]], blocked: list[int]) -> list[int]:
    """A cycle among the blocked nodes, starting at its lowest node. Each of them has a blocked predecessor."""
    members = set(blocked)
    predecessor = {target: source for source, target in edges if source in members and target in members}
    position: dict[int, int] = {}
    node = blocked[0]
    while node not in position:
        position[node] = len(position)
        node = predecessor[node]
    cycle = [other for other, place in position.items() if place >= position[node]][::-1]
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]

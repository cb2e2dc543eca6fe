"""The architecture of a network as a graph of operations. Numpy only: torch is for those who encode or trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lcode.errors import UsageError
from lcode.graphs.dag import check_edges, longest_paths

TRUNK = "trunk"
"""Role of a node that every task shares. A node of task k has the role `head:<task>`."""

HEAD = "head:"
"""Beginning of the role of a node that serves one task only."""


@dataclass(frozen=True, eq=False)
class ArchGraph:
    """Operations and the data flow between them: a directed acyclic graph of N nodes and E edges.

    Attributes:
        ops: operation type of each node, a category such as `linear`; never a number. Length N.
        edges: pairs (source, target) of node indices, int, shape [E, 2].
        params: trainable parameters of each node; NaN = unknown. Shape [N].
        out_size: number of values a node puts out per sample; NaN = unknown. Shape [N].
        flops: multiply-adds of each node per sample; NaN = unknown. Shape [N].
        roles: `trunk`, or `head:<task>` for a node that serves one task only. Length N.

    Examples:
        >>> import lcode
        >>> graph = lcode.ArchGraph.build(["linear", "relu", "linear"], [(0, 1), (1, 2)], params=[1056, 0, 33])
        >>> graph.depths.tolist()
        [0, 1, 2]
    """

    ops: tuple[str, ...]
    edges: NDArray[np.int64]
    params: NDArray[np.float64]
    out_size: NDArray[np.float64]
    flops: NDArray[np.float64]
    roles: tuple[str, ...]

    @classmethod
    def build(
        cls,
        ops: Sequence[str],
        edges: Sequence[Sequence[int]],
        *,
        params: Sequence[float] | None = None,
        out_size: Sequence[float] | None = None,
        flops: Sequence[float] | None = None,
        roles: Sequence[str] | None = None,
    ) -> ArchGraph:
        """Make a graph from plain sequences; what is not given is unknown, and every node is in the trunk.

        Raises:
            UsageError: no nodes, a column whose length is not the number of nodes, a negative or infinite number, a
                role that is neither `trunk` nor `head:<task>`, or edges that are no directed acyclic graph.
        """
        if not ops:
            raise UsageError("the graph has no nodes; a network is at least one operation")

        def column(name: str, values: Sequence[float] | None) -> NDArray[np.float64]:
            numbers = np.full(len(ops), np.nan) if values is None else np.asarray(values, dtype=float)
            if numbers.shape != (len(ops),):
                raise UsageError(f"{name} has shape {list(numbers.shape)} for {len(ops)} nodes; give one number a node")
            bad = np.flatnonzero((numbers < 0) | np.isinf(numbers))
            if len(bad):
                found = f"{numbers[bad[0]]:g}"
                raise UsageError(f"node {bad[0]}: {name} is {found}; give a number ≥ 0, or nothing if it is unknown")
            return numbers

        roles = (TRUNK,) * len(ops) if roles is None else tuple(roles)
        if len(roles) != len(ops):
            raise UsageError(f"there are {len(roles)} roles for {len(ops)} nodes; give one a node")
        for i, role in enumerate(roles):
            if role != TRUNK and not (role.startswith(HEAD) and len(role) > len(HEAD)):
                raise UsageError(f"node {i}: role is '{role}'; it must be '{TRUNK}' or '{HEAD}<task>'")
        check_edges(len(ops), edges)
        graph = cls(
            ops=tuple(ops),
            edges=np.asarray(edges, dtype=np.int64).reshape(-1, 2),
            params=column("params", params),
            out_size=column("out_size", out_size),
            flops=column("flops", flops),
            roles=roles,
        )
        _ = graph.depths  # finds cycles, and encoding needs it anyway
        return graph

    @cached_property
    def depths(self) -> NDArray[np.int64]:
        """Number of edges on the longest path from an input to each node, shape [N]."""
        return longest_paths(len(self), self.edges.tolist())

    def __len__(self) -> int:
        return len(self.ops)

    def to_json(self) -> dict[str, list[dict[str, str | float]] | list[list[int]]]:
        """The graph in the form of the graphs file: `{"nodes": [{"op": …}], "edges": [[0, 1], …]}`."""
        nodes: list[dict[str, str | float]] = []
        for i, op in enumerate(self.ops):
            node: dict[str, str | float] = {"op": op}
            columns = {"params": self.params, "out_size": self.out_size, "flops": self.flops}
            node.update({name: float(column[i]) for name, column in columns.items() if np.isfinite(column[i])})
            if self.roles[i] != TRUNK:
                node["role"] = self.roles[i]
            nodes.append(node)
        return {"nodes": nodes, "edges": [[int(a), int(b)] for a, b in self.edges]}

    def digest(self) -> str:
        """Equal graphs (same nodes in the same order, same edges) have equal digests."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

"""The architecture of a network as a graph of operations. Numpy only: torch is for those who encode or trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRUNK = "trunk"
"""Role of a node that every task shares. A node of task k has the role `head:<task>`."""


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
        """Make a graph from plain sequences; what is not given is unknown, and every node is in the trunk."""

        def column(values: Sequence[float] | None) -> NDArray[np.float64]:
            return np.full(len(ops), np.nan) if values is None else np.asarray(values, dtype=float)

        return cls(
            ops=tuple(ops),
            edges=np.asarray(edges, dtype=np.int64).reshape(-1, 2),
            params=column(params),
            out_size=column(out_size),
            flops=column(flops),
            roles=tuple(roles) if roles is not None else (TRUNK,) * len(ops),
        )

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

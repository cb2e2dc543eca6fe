"""The architecture of a network as a graph. Importing this package loads neither torch nor pandas."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from lcode.graphs.cell import cell_graph
from lcode.graphs.encode import NODE_FEATURES, encode_graphs
from lcode.graphs.file import graph_from_json, read_graphs
from lcode.graphs.mlp import mlp_graph
from lcode.graphs.ops import Vocabulary, canonical_op, unknown_ops
from lcode.graphs.statistics import graph_statistics, statistics_frame

if TYPE_CHECKING:
    from lcode.graphs.trace import trace_graph

BUILDERS: dict[str, Callable[..., ArchGraph]] = {"cell": cell_graph, "mlp": mlp_graph}
"""Families of architectures that are described by plain values; `trace_graph` takes a torch module instead."""

__all__ = [
    "BUILDERS",
    "HEAD",
    "NODE_FEATURES",
    "TRUNK",
    "ArchGraph",
    "Vocabulary",
    "canonical_op",
    "cell_graph",
    "encode_graphs",
    "graph_from_json",
    "graph_statistics",
    "mlp_graph",
    "read_graphs",
    "statistics_frame",
    "trace_graph",
    "unknown_ops",
]


def __getattr__(name: str) -> Any:
    if name == "trace_graph":  # its module imports torch
        from lcode.graphs.trace import trace_graph

        return trace_graph
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")

"""Architecture graphs as one batch of tensors for message passing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lcode.graphs.arch import HEAD, TRUNK, ArchGraph
from lcode.graphs.ops import Vocabulary

if TYPE_CHECKING:
    from torch_geometric.data import Batch

NODE_FEATURES = (
    "log_params",
    "log_out_size",
    "log_flops",
    "params_known",
    "out_size_known",
    "flops_known",
    "log_in_degree",
    "log_out_degree",
    "depth",
)
"""Columns of `x`."""

LOG_SCALE = 10.0
"""Divisor of the logarithms: 0 to 5e8 parameters become 0 to 2, so that no branch is dead or saturated."""


def graph_arrays(
    graphs: Sequence[ArchGraph], vocabulary: Vocabulary, tasks: Sequence[str]
) -> dict[str, NDArray[np.float32 | np.int64]]:
    """What `encode_graphs` joins G graphs into, as arrays by name: `op`, `x`, `role`, `edge_index`, `batch`, `ptr`."""
    sizes = np.fromiter((len(graph) for graph in graphs), dtype=np.int64, count=len(graphs))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    edges = np.concatenate(
        [np.empty((0, 2), np.int64), *(graph.edges + start for graph, start in zip(graphs, starts, strict=False))]
    )
    depths = [graph.depths / max(int(graph.depths.max(initial=0)), 1) for graph in graphs]
    return {
        "op": vocabulary.indices([op for graph in graphs for op in graph.ops]),
        "x": _features(graphs, edges, _join(depths)),
        "role": _roles([role for graph in graphs for role in graph.roles], tasks),
        "edge_index": np.ascontiguousarray(edges.T),
        "batch": np.repeat(np.arange(len(graphs)), sizes),
        "ptr": starts,
    }


def encode_graphs(graphs: Sequence[ArchGraph], vocabulary: Vocabulary, tasks: Sequence[str]) -> Batch:
    """Join G graphs with N nodes and E edges in all into one disconnected graph, for torch-geometric's layers.

    Encode each distinct graph once and index the pooled result by run: a batch costs more than a pass over it. The
    batch is made at once rather than of G small objects, so pooling, `to(device)` and `num_graphs` work on it, but
    `to_data_list()` does not.

    Args:
        graphs: the G graphs.
        vocabulary: index of each operation; operations that it lacks share index 0.
        tasks: names of the T tasks, in the model's order.

    Returns:
        A `torch_geometric.data.Batch` on the CPU with
            `op`: index of the operation, 0 to len(vocabulary) - 1, long [N];
            `x`: numbers of about unit size, the columns `NODE_FEATURES`; 0 where unknown, float32 [N, F];
            `role`: 0 trunk, k + 1 head of `tasks[k]`, T + 1 head of a task that is not among them, long [N];
            `edge_index`: source and target of each edge, long [2, E];
            `batch`: graph of each node, long [N]; `ptr`: first node of each graph and N, long [G + 1].
    """
    import torch
    from torch_geometric.data import Batch

    return Batch(**{name: torch.from_numpy(array) for name, array in graph_arrays(graphs, vocabulary, tasks).items()})


def _features(
    graphs: Sequence[ArchGraph], edges: NDArray[np.int64], depths: NDArray[np.float64]
) -> NDArray[np.float32]:
    columns = (
        _join([graph.params for graph in graphs]),
        _join([graph.out_size for graph in graphs]),
        _join([graph.flops for graph in graphs]),
    )
    amounts = np.stack(columns, axis=1)
    degrees = np.stack([np.bincount(edges[:, end], minlength=len(depths)) for end in (1, 0)], axis=1)
    features = (np.log1p(np.nan_to_num(amounts)) / LOG_SCALE, ~np.isnan(amounts), np.log1p(degrees), depths[:, None])
    return np.concatenate(features, axis=1, dtype=np.float32)


def _roles(roles: Sequence[str], tasks: Sequence[str]) -> NDArray[np.int64]:
    index = {TRUNK: 0} | {HEAD + task: k for k, task in enumerate(tasks, start=1)}
    return np.fromiter((index.get(role, len(tasks) + 1) for role in roles), dtype=np.int64, count=len(roles))


def _join(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *columns])

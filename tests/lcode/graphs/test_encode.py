from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.graphs import NODE_FEATURES, ArchGraph, Vocabulary, encode_graphs, mlp_graph

# torch-geometric is imported where it is used: all processes that share the tests would load it, for seconds.

VOCABULARY = Vocabulary()


def column(batch: object, name: str) -> list[float]:
    return batch.x[:, NODE_FEATURES.index(name)].tolist()  # type: ignore[attr-defined]


def test_features_of_a_small_batch() -> None:
    diamond = ArchGraph.build(
        ["input", "linear", "relu", "what"],
        [[0, 1], [0, 2], [1, 3], [2, 3], [0, 3]],
        params=[0, 100, 0, math.nan],
        roles=["trunk", "head:b", "head:a", "head:c"],
    )
    one = ArchGraph.build(["linear"], [], flops=[7])
    batch = encode_graphs([diamond, one], VOCABULARY, ["a", "b"])
    assert batch.num_graphs == 2 and batch.num_nodes == 5 and batch.x.dtype == torch.float32
    assert batch.x.shape == (5, len(NODE_FEATURES))
    assert batch.batch.tolist() == [0, 0, 0, 0, 1] and batch.ptr.tolist() == [0, 4, 5]
    assert batch.edge_index.tolist() == [[0, 0, 1, 2, 0], [1, 2, 3, 3, 3]]
    assert batch.role.tolist() == [0, 2, 1, 3, 0]
    assert batch.op.tolist() == VOCABULARY.indices(["input", "linear", "relu", "?", "linear"]).tolist()
    assert batch.op[3] == 0
    assert column(batch, "log_params") == pytest.approx([0, math.log(101) / 10, 0, 0, 0])
    assert column(batch, "params_known") == [1, 1, 1, 0, 0]
    assert column(batch, "log_flops") == pytest.approx([0, 0, 0, 0, math.log(8) / 10])
    assert column(batch, "flops_known") == [0, 0, 0, 0, 1]
    assert column(batch, "log_in_degree") == pytest.approx(np.log1p([0, 1, 1, 3, 0]))
    assert column(batch, "log_out_degree") == pytest.approx(np.log1p([3, 1, 1, 0, 0]))
    assert column(batch, "depth") == [0, 0.5, 0.5, 1, 0]


def test_edges_of_the_second_graph_are_shifted() -> None:
    graph = ArchGraph.build(["a", "b"], [[0, 1]])
    assert encode_graphs([graph, graph], VOCABULARY, []).edge_index.tolist() == [[0, 2], [1, 3]]


def test_no_graphs_make_an_empty_batch() -> None:
    batch = encode_graphs([], VOCABULARY, ["a"])
    assert batch.num_graphs == 0 and batch.x.shape == (0, len(NODE_FEATURES)) and batch.edge_index.shape == (2, 0)


def test_message_passing_and_pooling_work_on_it() -> None:
    from torch_geometric.nn import GINConv, global_mean_pool

    one = ArchGraph.build(["linear"], [])
    graphs = [mlp_graph([8, 8], n_inputs=4, outputs={"a": 2, "b": 3}), one, mlp_graph([], n_inputs=2, outputs=1)]
    batch = encode_graphs(graphs, VOCABULARY, ["a", "b"]).to("cpu")
    conv = GINConv(torch.nn.Linear(len(NODE_FEATURES), 5))
    with torch.no_grad():
        pooled = global_mean_pool(conv(batch.x, batch.edge_index), batch.batch, batch.num_graphs)
        alone = [encode_graphs([graph], VOCABULARY, ["a", "b"]) for graph in graphs]
        apart = [conv(single.x, single.edge_index).mean(0) for single in alone]
    assert pooled.shape == (3, 5) and torch.isfinite(pooled).all()
    torch.testing.assert_close(pooled, torch.stack(apart))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_order_of_the_nodes_does_not_matter(data: st.DataObject) -> None:
    from torch_geometric.nn import GINConv, global_add_pool

    n = data.draw(st.integers(1, 8))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    ops = data.draw(st.lists(st.sampled_from(["linear", "relu", "odd"]), min_size=n, max_size=n))
    params = data.draw(st.lists(st.integers(0, 10**6), min_size=n, max_size=n))
    place = data.draw(st.permutations(range(n)))
    order = np.argsort(place)
    graph = ArchGraph.build(ops, edges, params=params)
    moved = ArchGraph.build(
        [ops[i] for i in order], [(place[a], place[b]) for a, b in edges], params=[params[i] for i in order]
    )
    batch = encode_graphs([graph, moved], VOCABULARY, [])
    conv = GINConv(torch.nn.Sequential(torch.nn.Linear(len(NODE_FEATURES), 4), torch.nn.ReLU()))
    table = torch.nn.Embedding(len(VOCABULARY), len(NODE_FEATURES))
    with torch.no_grad():
        first, second = global_add_pool(conv(batch.x + table(batch.op), batch.edge_index), batch.batch)
    torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)

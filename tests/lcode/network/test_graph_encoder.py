from __future__ import annotations

import torch

from lcode.graphs import Vocabulary, encode_graphs, mlp_graph
from lcode.network.graph_encoder import mean_by


def test_rows_of_one_index_are_averaged_and_none_make_zero() -> None:
    values = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 8.0]]])
    assert mean_by(torch.tensor([2, 0, 2]), values, 4).tolist() == [[[3, 4]], [[0, 0]], [[3, 5]], [[0, 0]]]


def test_messages_along_and_against_the_data_flow_are_those_of_torch_geometric() -> None:
    from torch_geometric.nn import SimpleConv  # here, as not every process that shares the tests needs to load it

    graphs = [mlp_graph([8, 8], n_inputs=4, outputs={"a": 2, "b": 3}), mlp_graph([], n_inputs=2, outputs=1)]
    batch = encode_graphs(graphs, Vocabulary(), ["a", "b"])
    source, target = batch.edge_index
    for flow, start, end in (("source_to_target", source, target), ("target_to_source", target, source)):
        expected = SimpleConv(aggr="mean", flow=flow)(batch.x, batch.edge_index)
        torch.testing.assert_close(mean_by(end, batch.x[start], len(batch.x)), expected)

from __future__ import annotations

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.networks import architecture_graph, initialise, make_network
from mtl_runs.problems import Task

TASKS = (Task("left", "classification", 10), Task("sum", "regression", 1))


@pytest.mark.parametrize("arch", ["mlp-8x1", "mlp-16x3", "cnn-4x1", "cnn-8x3"])
def test_outputs_and_graph_agree_with_the_network(arch: str) -> None:
    network = make_network(arch, (1, 11, 11), TASKS)
    assert [tuple(output.shape) for output in network(torch.zeros(5, 1, 11, 11))] == [(5, 10), (5, 1)]
    graph = architecture_graph(network, (1, 11, 11))
    assert graph.params.sum() == sum(p.numel() for p in network.parameters())
    assert graph.roles[-2:] == ("head:left", "head:sum")
    assert set(graph.roles[:-2]) == {"trunk"}


def test_graph_of_a_small_mlp_by_hand() -> None:
    graph = architecture_graph(make_network("mlp-5x1", (3,), TASKS), (3,))
    assert graph.ops == ("input", "flatten", "linear", "relu", "linear", "linear")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [3, 5]]
    assert graph.params.tolist() == [0, 0, 20, 0, 60, 6]
    assert graph.out_size.tolist() == [3, 3, 5, 5, 10, 1]
    assert graph.flops.tolist() == [0, 0, 15, 5, 50, 5]


def test_graph_of_a_small_cnn_by_hand() -> None:
    graph = architecture_graph(make_network("cnn-2x1", (1, 4, 4), TASKS), (1, 4, 4))
    assert graph.ops == ("input", "conv3x3", "relu", "flatten", "linear", "linear")
    assert graph.params.tolist() == [0, 20, 0, 0, 90, 9]
    assert graph.flops.tolist() == [0, 8 * 9, 8, 0, 80, 8]


def test_initialisation_uses_its_generator_only() -> None:
    torch_state = torch.get_rng_state()
    networks = []
    for _ in range(2):
        network = make_network("cnn-4x2", (1, 8, 8), TASKS)
        initialise(network, torch.Generator().manual_seed(3))
        networks.append(network)
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("arch", ["resnet-18x1", "mlp", "mlp-0x2", "mlp-64", "cnn-8x2x2"])
def test_unknown_architecture(arch: str) -> None:
    with pytest.raises(UsageError, match="write one of mlp-<width>x<depth>, cnn-<width>x<depth>"):
        make_network(arch, (1, 8, 8), TASKS)


def test_inputs_that_do_not_suit_a_cnn() -> None:
    with pytest.raises(UsageError, match=r"a cnn needs pictures .* inputs are \[12\]"):
        make_network("cnn-8x2", (12,), TASKS)
    with pytest.raises(UsageError, match="4×4 pixels cannot be halved 5 times"):
        make_network("cnn-8x5", (1, 4, 4), TASKS)

from __future__ import annotations

import pytest
import torch
from torch import nn

from lcode.errors import UsageError
from lcode.graphs.ops import OTHER, op_class
from mtl_runs.networks import FAMILIES, architecture_graph, initialise, make_network
from mtl_runs.networks.layers import Gain, Linear
from mtl_runs.problems import Classification, Regression
from mtl_runs.problems.base import Task
from mtl_runs.problems.dense_tasks import Normals, Segmentation

VECTOR: tuple[Task, ...] = (Classification("left", 10), Regression("sum", 1))
DENSE: tuple[Task, ...] = (Segmentation("parts", 4), Normals("normals"))
MIXED: tuple[Task, ...] = (Segmentation("parts", 4), Regression("sum", 2))

GAINS: tuple[Gain, ...] = ("relu", "linear", "linear")

ON_VECTORS = ["mlp-8x1", "mlp-16x3", "stitch-8x2", "mmoe-8x2e3"]
ON_PICTURES = ["cnn-4x1", "cnn-8x3", "resnet-4x1", "resnet-4x3", "stitchcnn-4x2", "mtan-4x1", "mtan-4x3"]
CASES = [(arch, tasks) for arch in ON_PICTURES for tasks in (VECTOR, DENSE, MIXED)]


def test_every_family_is_tested_here() -> None:
    assert {arch.split("-")[0] for arch in ON_VECTORS + ON_PICTURES} == set(FAMILIES)


@pytest.mark.parametrize(("arch", "tasks"), [(arch, VECTOR) for arch in ON_VECTORS] + CASES)
def test_outputs_groups_and_graph_agree(arch: str, tasks: tuple[Task, ...]) -> None:
    shape = (2, 9, 11)
    network = make_network(arch, shape, tasks, 3)
    expected = [(3, 5, task.n_outputs, 9, 11) if task.dense else (3, 5, task.n_outputs) for task in tasks]
    assert [tuple(output.shape) for output in network(torch.zeros(3, 5, *shape))] == expected
    grouped = [p for group in network.groups() for p in group.parameters()]
    assert {id(p) for p in grouped} == {id(p) for p in network.parameters()}
    assert len(grouped) == len(list(network.parameters()))
    assert all(len(p) == 3 for p in grouped)

    graph = architecture_graph(network, shape)
    assert graph.digest() == architecture_graph(make_network(arch, shape, tasks), shape).digest()
    for role, group in zip(["trunk", *(f"head:{t.name}" for t in tasks)], network.groups(), strict=True):
        counted = sum(params for params, r in zip(graph.params, graph.roles, strict=True) if r == role)
        assert counted == sum(p[0].numel() for p in group.parameters())
    assert OTHER not in {op_class(op) for op in graph.ops}
    # Data flows from the one input to the K outputs and nowhere else.
    sources, targets = (set(graph.edges[:, i].tolist()) for i in (0, 1))
    assert set(range(len(graph))) - targets == {0}
    ends = sorted(set(range(len(graph))) - sources)
    assert [graph.roles[end] for end in ends] == [f"head:{task.name}" for task in tasks]
    assert [graph.out_size[end] for end in ends] == [torch.Size(size[2:]).numel() for size in expected]


@pytest.mark.parametrize("arch", ON_VECTORS)
def test_vector_networks_take_inputs_of_any_shape_and_a_single_task(arch: str) -> None:
    network = make_network(arch, (7,), VECTOR[1:], 2)
    assert [tuple(output.shape) for output in network(torch.zeros(2, 5, 7))] == [(2, 5, 1)]


@pytest.mark.parametrize("arch", ON_PICTURES)
def test_the_features_of_a_picture_reach_every_pixel(arch: str) -> None:
    network = make_network(arch, (1, 12, 12), DENSE)
    initialise(network, [torch.Generator().manual_seed(0)])
    for output in network(torch.randn(1, 2, 1, 12, 12, generator=torch.Generator().manual_seed(1))):
        assert output.std((-1, -2)).min() > 1e-3


def test_first_weights_are_those_of_pytorch_s_initialisation() -> None:
    network = make_network("mlp-8x1", (5,), VECTOR, 2)
    initialise(network, [torch.Generator().manual_seed(seed) for seed in (3, 4)])
    for member, seed in enumerate((3, 4)):
        generator = torch.Generator().manual_seed(seed)
        linears = [module for module in network.modules() if isinstance(module, Linear)]
        for linear, nonlinearity in zip(linears, GAINS, strict=True):
            weight = torch.empty(linear.weight.shape[2], linear.weight.shape[1])
            nn.init.kaiming_uniform_(weight, nonlinearity=nonlinearity, generator=generator)
            assert torch.equal(linear.weight[member], weight.T)
            assert not linear.bias.any()


def test_initialisation_uses_its_generators_only() -> None:
    before = torch.get_rng_state()
    networks = [make_network("cnn-4x2", (1, 8, 8), VECTOR, 2) for _ in range(2)]
    for network in networks:
        initialise(network, [torch.Generator().manual_seed(seed) for seed in (3, 4)])
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "arch", ["vgg-18x1", "mlp", "mlp-0x2", "mlp-64", "cnn-8x2x2", "mmoe-8x2", "mlp-8x2e3", "mlp-8x100", "mlp-100000x1"]
)
def test_unknown_architecture(arch: str) -> None:
    with pytest.raises(UsageError, match=r"write one of mlp-<width>x<depth>, cnn-.* mmoe-<width>x<depth>e<experts>"):
        make_network(arch, (1, 8, 8), VECTOR)


@pytest.mark.parametrize("family", ["cnn", "resnet", "stitchcnn", "mtan"])
def test_inputs_that_are_no_pictures_or_too_small(family: str) -> None:
    with pytest.raises(UsageError, match=rf"a {family} needs pictures .* inputs are \[12\]"):
        make_network(f"{family}-8x2", (12,), VECTOR)
    with pytest.raises(UsageError, match="4×4 pixels cannot be halved 5 times"):
        make_network(f"{family}-8x5", (1, 4, 4), VECTOR)


@pytest.mark.parametrize("arch", ON_VECTORS)
def test_dense_tasks_need_a_network_on_pictures(arch: str) -> None:
    with pytest.raises(UsageError, match=r"'sum'|'parts' wants one per pixel; use cnn"):
        make_network(arch, (1, 8, 8), MIXED)

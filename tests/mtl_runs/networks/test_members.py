"""A member's numbers are the very bits that it gets alone, whatever the other members are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mtl_runs.networks import MultiTaskNetwork, initialise, make_network
from mtl_runs.problems import Classification, Regression
from mtl_runs.problems.base import Task
from mtl_runs.problems.dense_tasks import Depth, Segmentation

VECTOR: tuple[Task, ...] = (Classification("left", 10), Regression("sum", 1))
MIXED: tuple[Task, ...] = (Segmentation("parts", 3), Depth("depth"), Classification("left", 10))

MEMBERS = 5


def _stack(arch: str, shape: tuple[int, ...], tasks: tuple[Task, ...], seeds: list[int]) -> MultiTaskNetwork:
    """An initialised network whose parameters lie in one buffer, a row per member, as in training."""
    network = make_network(arch, shape, tasks, len(seeds))
    initialise(network, [torch.Generator().manual_seed(seed) for seed in seeds])
    buffer = torch.cat([p.detach().flatten(1) for p in network.parameters()], 1)
    at = 0
    for module in network.modules():
        for name, old in list(module.named_parameters(recurse=False)):
            size = old[0].numel()
            setattr(module, name, nn.Parameter(buffer[:, at : at + size].view(old.shape)))
            at += size
    return network


def _run(network: MultiTaskNetwork, inputs: Tensor, directions: list[Tensor]) -> list[Tensor]:
    """Outputs, and the gradient of each output along its direction: shared parameters, then those of the task."""
    shared, *heads = [list(group.parameters()) for group in network.groups()]
    outputs = network(inputs)
    results = [output.detach() for output in outputs]
    for output, direction, head in zip(outputs, directions, heads, strict=True):
        results += torch.autograd.grad((output * direction).sum(), [*shared, *head], retain_graph=True)
    return results


def _assert_members_alone(arch: str, shape: tuple[int, ...], tasks: tuple[Task, ...], batch: int) -> None:
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(MEMBERS, batch, *shape, generator=generator)
    network = _stack(arch, shape, tasks, list(range(MEMBERS)))
    directions = [torch.randn(output.shape, generator=generator) for output in network(inputs)]
    together = _run(network, inputs, directions)
    for member in range(MEMBERS):
        of = slice(member, member + 1)
        alone = _run(_stack(arch, shape, tasks, [member]), inputs[of].clone(), [d[of].clone() for d in directions])
        for one, other in zip(together, alone, strict=True):
            assert torch.equal(one[of], other)


@pytest.mark.parametrize("arch", ["mlp-16x2", "mlp-5x3", "stitch-8x2", "stitch-3x1", "mmoe-16x2e4", "mmoe-3x1e1"])
@pytest.mark.parametrize(("shape", "batch"), [((1, 11, 11), 32), ((7,), 33), ((1,), 1)])
def test_vector_networks(arch: str, shape: tuple[int, ...], batch: int) -> None:
    _assert_members_alone(arch, shape, VECTOR, batch)


@pytest.mark.parametrize("arch", ["cnn-4x2", "cnn-3x1", "resnet-4x2", "stitchcnn-3x2", "mtan-4x2", "mtan-3x1"])
@pytest.mark.parametrize(("shape", "batch"), [((1, 11, 11), 16), ((3, 9, 12), 7), ((2, 5, 6), 1)])
def test_picture_networks(arch: str, shape: tuple[int, ...], batch: int) -> None:
    _assert_members_alone(arch, shape, MIXED, batch)


@pytest.mark.parametrize("arch", ["mlp-3x2", "stitch-3x2", "stitchcnn-3x2", "mmoe-3x1e2", "mtan-3x1"])
def test_networks_with_a_single_task(arch: str) -> None:
    _assert_members_alone(arch, (1, 7, 7), VECTOR[1:], 9)


@settings(max_examples=15, deadline=None)
@given(
    arch=st.sampled_from(["mlp", "stitch", "cnn", "resnet", "stitchcnn", "mtan"]),
    width=st.integers(1, 20),
    depth=st.integers(1, 2),
    shape=st.tuples(st.integers(1, 3), st.integers(3, 12), st.integers(3, 12)),
    batch=st.integers(1, 40),
)
def test_any_size(arch: str, width: int, depth: int, shape: tuple[int, ...], batch: int) -> None:
    _assert_members_alone(f"{arch}-{width}x{depth}", shape, VECTOR, batch)

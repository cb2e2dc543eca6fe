"""How far tasks use different features: by hand, at its ends, and in the log."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import UsageError
from mtl_runs.networks import OWN, MultiTaskNetwork, initialise, make_network
from mtl_runs.networks.layers import Linear
from mtl_runs.problems import Problem, Regression, scenes
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.training import RunConfig, RunSpec, train_population
from mtl_runs.training.features import channel_importance, disentanglement, feature_signals

NUMBERS = st.lists(st.floats(0.01, 100), min_size=4, max_size=4)


def network_of(arch: str, problem: Problem, seeds: tuple[int, ...]) -> MultiTaskNetwork:
    network = make_network(arch, problem.input_shape, problem.tasks, len(seeds))
    initialise(network, [torch.Generator().manual_seed(seed) for seed in seeds])
    return network


def test_importance_is_the_products_of_values_and_gradients() -> None:
    tasks = (Regression("a", 1), Regression("b", 1))
    shared, heads = Linear(1, 1, 2, gain="linear"), {task.name: Linear(1, 2, 1, gain="linear") for task in tasks}
    network = MultiTaskNetwork(shared, heads)
    for layer, weights in ((shared, [[1.0, 2.0]]), (heads["a"], [[1.0], [3.0]]), (heads["b"], [[0.0], [-1.0]])):
        layer.weight.detach().copy_(torch.tensor(weights).view_as(layer.weight))
    # h = (1, 2) and (-1, -2); predictions of a are 7 and -7, of b -2 and 2.
    inputs, zero = torch.tensor([[[1.0], [-1.0]]]), torch.zeros(1, 2, 1)
    (importance,) = channel_importance(network, tasks, inputs, [zero, zero]).tolist()
    # By sample 2/B · y · (w_1 h_1, w_2 h_2), with B = 2.
    assert importance == [[7.0, 42.0], [0.0, 4.0]]
    apart = disentanglement(torch.tensor([importance], dtype=torch.float64))[0]
    assert apart.flatten().tolist() == pytest.approx([0, 1 / 7, 1 / 7, 0])


def test_alike_is_0_and_apart_is_1() -> None:
    importance = torch.tensor([[[1.0, 3.0, 0.0], [10.0, 30.0, 0.0], [0.0, 0.0, 5.0], [2.0, 0.0, 2.0]]])
    assert disentanglement(importance)[0].tolist() == [
        [0, 0, 1, 0.75],
        [0, 0, 1, 0.75],
        [1, 1, 0, 0.5],
        [0.75, 0.75, 0.5, 0],
    ]
    assert disentanglement(torch.tensor([[[1.0], [0.0]]]))[0, 0, 1].isnan()


@given(one=NUMBERS, other=NUMBERS, scale=st.floats(1e-6, 1e6))
def test_it_lies_between_and_knows_no_scale(one: list[float], other: list[float], scale: float) -> None:
    rows = torch.tensor([[one, other]], dtype=torch.float64)
    apart = disentanglement(rows)[0]
    assert 0 <= apart[0, 1] <= 1 and apart[0, 1] == apart[1, 0]
    scaled = disentanglement(rows * torch.tensor([[scale], [1.0]]))[0]
    assert scaled[0, 1] == pytest.approx(apart[0, 1].item(), abs=1e-12)


@pytest.mark.parametrize(
    ("arch", "channels"), [("mlp-4x2", 4), ("cnn-4x1", 4), ("cnn-4x2", 8), ("mmoe-4x1e3", 12), ("stitch-4x1", 8)]
)
def test_a_member_alone_is_as_far_apart_as_in_a_stack(tiny_problem: Problem, arch: str, channels: int) -> None:
    split, tasks = tiny_problem.train, tiny_problem.tasks
    together = feature_signals(network_of(arch, tiny_problem, (1, 2, 3)), tasks, split, 3)
    for seed, found in enumerate(together, start=1):
        network = network_of(arch, tiny_problem, (seed,))
        assert feature_signals(network, tasks, split, 1) == [found]
        targets = [split.targets[task.name].unsqueeze(0) for task in tasks]
        assert channel_importance(network, tasks, split.inputs.unsqueeze(0), targets).shape == (1, 2, channels)
        value = found["side|mass/disentanglement"]
        # Every task of a cross-stitched network reads a tower of its own.
        assert value == 1 if arch.startswith("stitch") else 0 < value < 1


@pytest.mark.parametrize(("arch", "channels"), [("cnn-3x2", 6), ("mtan-3x2", 12)])
def test_dense_tasks_have_the_channels_of_all_stages(arch: str, channels: int) -> None:
    problem = scenes(sizes=(4, 1, 1), side=8)
    network = network_of(arch, problem, (0,))
    targets = [problem.train.targets[task.name].unsqueeze(0) for task in problem.tasks]
    importance = channel_importance(network, problem.tasks, problem.train.inputs.unsqueeze(0), targets)
    assert importance.shape == (1, 3, channels) and importance.isfinite().all()


def test_it_is_logged_where_it_is_asked_for_and_changes_nothing(tiny_problem: Problem, tmp_path: Path) -> None:
    config = RunConfig("mlp-4x1", lr=1e-3, batch_size=32)
    logs = []
    for features in (False, True):
        folder = tmp_path / str(features)
        train_population(tiny_problem, [RunSpec("r", "tiny", config, 0, 2)], folder=folder, features=features)
        logs.append(epoch_lines(folder, "r"))
    plain, told = logs
    for epoch, line in told.items():
        assert 0 < line["signals"].pop("side|mass/disentanglement") < 1
        assert line["signals"] == plain[epoch]["signals"] and line["values"] == plain[epoch]["values"]


def test_a_network_of_ones_own_is_refused(tiny_problem: Problem, tmp_path: Path) -> None:
    spec = RunSpec("r", "tiny", RunConfig(OWN, batch_size=32), 0, 1)
    with pytest.raises(UsageError, match=r"leave features \(--features\) off"):
        train_population(tiny_problem, [spec], folder=tmp_path, features=True)

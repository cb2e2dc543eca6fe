from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lcode.errors import UsageError
from lcode.graphs import ArchGraph, graph_statistics, mlp_graph, trace_graph


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.classify = nn.Linear(8, 5)
        self.segment = nn.ConvTranspose2d(8, 2, 2, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.relu(self.norm(self.first(x)))
        h = h + self.second(nn.functional.dropout(h, 0.5, True))
        pooled = torch.flatten(nn.functional.adaptive_avg_pool2d(h, 1), 1)
        return self.classify(pooled), self.segment(h)


class Heads(nn.Module):
    """Two tasks on a recurrent trunk that also multiplies by a parameter and reads a shape."""

    def __init__(self, depends_on_data: bool = False) -> None:
        super().__init__()
        self.depends_on_data = depends_on_data
        self.trunk = nn.LSTM(5, 4, batch_first=True)
        self.scale = nn.Parameter(torch.ones(4))
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3)})

    def forward(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        if self.depends_on_data and x.sum() > 0:
            x = x + 1
        h, _ = self.trunk(x)
        h = (h[:, -1] * self.scale).view(x.size(0), -1)
        if mask is not None:
            h = h * mask
        return {task: head(h) for task, head in self.heads.items()}


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_an_mlp_gives_the_graph_of_its_widths() -> None:
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    assert trace_graph(module, torch.zeros(3, 6)).digest() == mlp_graph([8, 4], n_inputs=6, outputs=2).digest()


def test_a_residual_network_with_two_outputs() -> None:
    graph = trace_graph(Residual(), torch.zeros(4, 3, 6, 6), tasks=["cls", "seg"])
    assert graph.ops == (
        "input", "conv", "batchnorm", "relu", "dropout", "conv", "add", "global_pool", "flatten", "linear",
        "conv_transpose",
    )  # fmt: skip
    edges = [[0, 1], [1, 2], [2, 3], [3, 4], [3, 6], [4, 5], [5, 6], [6, 7], [7, 8], [8, 9], [6, 10]]
    assert sorted(graph.edges.tolist()) == sorted(edges)
    assert graph.params.tolist() == [0, 224, 16, 0, 0, 296, 0, 0, 0, 45, 66]
    assert graph.out_size.tolist() == [108, 288, 288, 288, 288, 288, 288, 8, 8, 5, 288]
    assert graph.flops.tolist() == [0, 288 * 27, 288, 0, 0, 288 * 36, 0, 0, 0, 40, 288 * 8]
    assert graph.roles == ("trunk",) * 7 + ("head:cls",) * 3 + ("head:seg",)


def test_a_mapping_of_heads_behind_a_recurrent_trunk() -> None:
    module = Heads()
    graph = trace_graph(module, torch.zeros(2, 3, 5))
    assert graph.ops == ("input", "lstm", "slice", "multiply", "reshape", "linear", "linear")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [4, 6]]
    assert graph.roles == ("trunk",) * 5 + ("head:a", "head:b")
    assert graph.params.sum() == n_parameters(module) and graph.params[3] == 4
    assert math.isnan(graph.flops[1])
    both = trace_graph(module, {"x": torch.zeros(2, 3, 5), "mask": torch.zeros(2, 4)})
    assert both.ops.count("input") == 2 and both.ops.count("multiply") == 2
    assert trace_graph(module, (torch.zeros(2, 3, 5), torch.zeros(2, 4))).digest() == both.digest()


def test_keys_that_are_no_tasks_do_not_count_as_outputs() -> None:
    class Extra(Heads):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
            return super().forward(x) | {"features": x * 2}

    graph = trace_graph(Extra(), torch.zeros(2, 3, 5), tasks=["a", "b"])
    assert set(graph.roles) == {"trunk", "head:a", "head:b"}


def test_shared_and_frozen_parameters() -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode = nn.Linear(3, 4)
            self.frozen = nn.Linear(4, 4).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.encode(x), self.frozen(self.encode(x + 1))], 1)

    graph = trace_graph(Siamese(), torch.zeros(2, 3))
    assert graph.ops == ("input", "linear", "add", "linear", "linear", "concat")
    assert graph.params.tolist() == [0, 16, 0, 0, 0, 0]


def test_one_layer_is_one_operation() -> None:
    graph = trace_graph(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.zeros(2, 3, 8))
    assert graph.ops == ("input", "transformer_layer") and graph.out_size.tolist() == [24, 24]


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.filterwarnings("ignore:.*cannot be traced")
@pytest.mark.parametrize("module", [Residual(), nn.Sequential(Residual(), nn.Identity())])
@pytest.mark.parametrize("training", [True, False])
def test_tracing_leaves_everything_as_it_is(module: nn.Module, training: bool) -> None:
    module = copy.deepcopy(module).train(training)
    next(module.children()).eval()
    modes = [part.training for part in module.modules()]
    before, example, rng = state(module), torch.randn(4, 3, 6, 6), torch.get_rng_state()
    kept = example.clone()
    trace_graph(module, example)
    assert torch.equal(torch.get_rng_state(), rng) and torch.equal(example, kept)
    assert same(before, state(module)) and [part.training for part in module.modules()] == modes
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


def test_control_flow_on_the_data_falls_back_to_the_modules() -> None:
    module = Heads(depends_on_data=True)
    rng = torch.get_rng_state()
    with pytest.warns(UserWarning, match=r"Heads cannot be traced \(.*control flow\); its graph is the chain"):
        graph = trace_graph(module, torch.ones(2, 3, 5))
    assert graph.ops == ("input", "heads", "lstm", "linear", "linear")
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert graph.roles == ("trunk",) * 3 + ("head:a", "head:b")
    assert graph.params.sum() == n_parameters(module)
    np.testing.assert_array_equal(graph.flops[3:], [8, 12])
    assert torch.equal(torch.get_rng_state(), rng)
    assert graph_statistics(graph)["heads"] == 2


@pytest.mark.filterwarnings("ignore:.*cannot be traced")
def test_what_cannot_be_described_is_refused() -> None:
    module, example = Residual(), torch.zeros(4, 3, 6, 6)
    with pytest.raises(UsageError, match=r"Residual does not run on example_input: .*3 channels"):
        trace_graph(module, torch.zeros(4, 2, 6, 6))
    with pytest.raises(UsageError, match=r"tasks names 1 outputs \(a\), but the module returns 2"):
        trace_graph(module, example, tasks=["a"])
    with pytest.raises(UsageError, match="there is no output 'c'; the module returns: a, b"):
        trace_graph(Heads(), torch.zeros(2, 3, 5), tasks=["a", "c"])
    with pytest.raises(UsageError, match="there is no output 'c'"):
        trace_graph(Heads(depends_on_data=True), torch.zeros(2, 3, 5), tasks=["a", "c"])
    with pytest.raises(UsageError, match="example_input must be"):
        trace_graph(module, [])
    module.steps = (step for step in range(3))  # type: ignore[assignment]
    with pytest.raises(UsageError, match="Residual cannot be copied"):
        trace_graph(module, example)


def test_graphs_of_traced_modules_are_valid() -> None:
    graph = trace_graph(Residual(), torch.zeros(1, 3, 4, 4))
    assert isinstance(graph, ArchGraph) and set(graph.roles) == {"trunk", "head:0", "head:1"}

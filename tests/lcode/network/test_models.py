from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from lcode.curves.batch import CurveBatch, GraphTensors, RunTensors
from lcode.curves.collate import Preprocessor
from lcode.errors import UsageError
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.network.stacked import StackedLinear, StackedMLP
from lcode.network.task_attention import TaskAttention
from lcode.network.vector_field import VectorField
from lcode.table import RunTable

MEMBERS, RUNS = 3, 6
Outputs = Callable[..., Tensor]


@pytest.fixture(scope="module")
def preprocessor(history: RunTable) -> Preprocessor:
    return Preprocessor.fit(history)


@pytest.fixture(scope="module")
def runs(preprocessor: Preprocessor, fresh: RunTable) -> RunTensors:
    return preprocessor.tensors(fresh)[0].rows(torch.arange(RUNS))


@pytest.fixture(scope="module")
def graphs(preprocessor: Preprocessor, fresh: RunTable) -> GraphTensors:
    tensors = preprocessor.tensors(fresh)[1]
    assert tensors is not None
    return tensors


@pytest.fixture(scope="module")
def model(preprocessor: Preprocessor, graphs: GraphTensors) -> LCGODE:
    return lcgode(preprocessor, graphs)


def lcgode(preprocessor: Preprocessor, graphs: GraphTensors, **changes: Any) -> LCGODE:
    """Untrained, with every parameter that starts at zero moved away from it."""
    assert preprocessor.ops is not None
    sizes = {
        "metrics": 2,
        "signals": len(preprocessor.signals),
        "config": preprocessor.config.width,
        "ops": len(preprocessor.ops),
        "node_features": graphs.x.shape[1],
        "tasks": 2,
        "members": MEMBERS,
        "latent": 4,
        "hidden": 12,
        "nodes": 4,
    }
    generator = torch.Generator().manual_seed(0)
    model = LCGODE(LCGODEConfig(**{**sizes, **changes}), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return model


def forecast(
    model: LCGODE,
    runs: RunTensors,
    graphs: GraphTensors | None,
    cutoff: float | Tensor = 4.0,
    at: tuple[float, ...] = (5.0, 9.0, 16.0),
    tasks: tuple[int, ...] = (0, 1),
) -> Tensor:
    """Quantiles [M, B, K, Q, 21] without noise."""
    batch = CurveBatch(runs, torch.as_tensor(cutoff).expand(len(runs)).float())
    posterior, last = model.encode(batch, graphs, torch.tensor(tasks))
    return model(posterior, last, batch, torch.tensor(at).expand(len(runs), -1))


def turned(runs: RunTensors, order: list[int]) -> RunTensors:
    """The same with the metrics in another order."""
    swapped = {name: getattr(runs, name)[:, order] for name in ("values", "present", "signals", "weights")}
    return replace(runs, **swapped, cosines=runs.cosines[:, order][:, :, order])


def test_the_order_of_the_runs_does_not_matter(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    torch.testing.assert_close(
        forecast(model, runs.rows(order), graphs), forecast(model, runs, graphs)[:, order], rtol=1e-4, atol=1e-5
    )


def test_a_run_is_forecast_by_itself(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    alone = forecast(model, runs.rows(torch.tensor([2])), graphs)
    torch.testing.assert_close(alone, forecast(model, runs, graphs)[:, [2]], rtol=1e-4, atol=1e-5)


def test_the_order_of_the_tasks_does_not_matter_to_what_is_not_theirs(
    preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    model = lcgode(preprocessor, graphs)
    with torch.no_grad():
        model.metric.zero_()
    swapped = forecast(model, turned(runs, [1, 0]), graphs, tasks=(1, 0))
    torch.testing.assert_close(swapped, forecast(model, runs, graphs)[:, :, [1, 0]], rtol=1e-4, atol=1e-5)


def test_tasks_hear_each_other_when_coupled_and_only_then(
    preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    values = runs.values.clone()
    values[:, 1] += 1
    for coupled in (True, False):
        model = lcgode(preprocessor, graphs, coupled=coupled)
        change = forecast(model, replace(runs, values=values), graphs) - forecast(model, runs, graphs)
        assert change[:, :, 1].abs().max() > 0.01
        assert (change[:, :, 0].abs().max() > 1e-4) == coupled


def test_with_one_task_coupling_changes_nothing(
    preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    one = turned(runs, [0])
    coupled = lcgode(preprocessor, graphs, metrics=1)
    alone = lcgode(preprocessor, graphs, metrics=1, coupled=False)
    alone.load_state_dict(coupled.state_dict(), strict=False)
    assert isinstance(coupled.field, VectorField)
    with torch.no_grad():  # what a task says when it hears nothing is a constant
        for layer in (coupled.heard, coupled.field.message):
            assert layer is not None
            layer.bias.zero_()
    expected = forecast(alone, one, graphs, tasks=(0,))
    torch.testing.assert_close(forecast(coupled, one, graphs, tasks=(0,)), expected)


def test_the_message_to_a_single_task_is_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    attention = TaskAttention(2, 4, 6, generator)
    bias = attention.bias(torch.ones(5, 1, 1), torch.ones(5, 1, dtype=torch.bool))
    assert (attention(torch.randn(2, 5, 1, 4, generator=generator), bias) == 0).all()


def test_a_task_of_which_nothing_is_known_is_not_listened_to() -> None:
    generator = torch.Generator().manual_seed(0)
    attention = TaskAttention(1, 4, 6, generator)
    states = torch.randn(1, 1, 3, 4, generator=generator)
    bias = attention.bias(torch.zeros(1, 3, 3), torch.tensor([[True, False, True]]))
    heard = attention(states, bias)
    louder = states.clone()
    louder[:, :, 1] += 10
    torch.testing.assert_close(attention(louder, bias)[:, :, [0, 2]], heard[:, :, [0, 2]])


def test_members_are_independent(preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors) -> None:
    model = lcgode(preprocessor, graphs)
    before = forecast(model, runs, graphs)
    before[1].sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            by_member = parameter.grad.movedim(model.member_axis(name), 0)
            assert (by_member[[0, 2]] == 0).all(), name
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            assert parameter.shape[model.member_axis(name)] == MEMBERS, name
            parameter.movedim(model.member_axis(name), 0)[1] += 0.1
    after = forecast(model, runs, graphs)
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])
    assert (after[1] != before[1]).any()


def test_a_member_that_does_without_a_configuration_does_not_disturb_the_others(
    model: LCGODE, runs: RunTensors, graphs: GraphTensors
) -> None:
    batch, task_of = CurveBatch(runs, torch.full((RUNS,), 4.0)), torch.tensor([0, 1])
    keep = torch.ones(MEMBERS, RUNS)
    keep[1, 3] = 0
    whole, partly = (model.encode(batch, graphs, task_of, kept)[0].mean for kept in (None, keep))
    changed = (whole != partly).flatten(2).any(-1)
    assert changed.nonzero().tolist() == [[1, 3]]
    without = replace(runs, config=torch.zeros_like(runs.config))
    blank, _ = model.encode(CurveBatch(without, batch.cutoffs), graphs, task_of)
    assert (blank.mean != whole).any()


def test_what_comes_after_the_cutoff_changes_nothing(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    for cutoff in (0.0, 1.0, 4.0):
        hidden = runs.epochs > cutoff
        generator = torch.Generator().manual_seed(1)
        other = replace(
            runs,
            values=torch.where(hidden[:, None], torch.randn(runs.values.shape, generator=generator), runs.values),
            signals=torch.where(hidden[:, None, :, None], 3.0, runs.signals),
            cosines=torch.where(hidden[:, None, None], 0.9, runs.cosines),
        )
        assert torch.equal(forecast(model, other, graphs, cutoff), forecast(model, runs, graphs, cutoff))


def test_values_below_all_that_was_learned_from_are_read_at_the_edge_and_kept_as_anchors(
    model: LCGODE, runs: RunTensors, graphs: GraphTensors
) -> None:
    low, lower = (forecast(model, replace(runs, values=runs.values + shift), graphs) for shift in (-20, -30))
    torch.testing.assert_close(lower + 10, low, rtol=1e-4, atol=1e-4)


def test_a_whole_run_cut_equals_the_run_as_it_was_then(
    model: LCGODE, preprocessor: Preprocessor, fresh: RunTable, runs: RunTensors, graphs: GraphTensors
) -> None:
    for cutoff in (1, 5, 15):
        then = preprocessor.tensors(fresh.prefix(cutoff))[0].rows(torch.arange(RUNS))
        torch.testing.assert_close(
            forecast(model, then, graphs, float(cutoff)), forecast(model, runs, graphs, float(cutoff))
        )


def test_the_planned_learning_rate_drives_the_field_when_it_is_to(
    preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    for controlled in (True, False):
        model = lcgode(preprocessor, graphs, controlled=controlled)
        change = forecast(model, replace(runs, plan=runs.plan * 0), graphs) - forecast(model, runs, graphs)
        assert (change.abs().max() > 1e-3) == controlled


@pytest.mark.parametrize(
    "changes", [{}, {"anchored": False}, {"coupled": False}, {"solver": "mlp"}, {"metrics": 0, "ops": 0, "config": 0}]
)
def test_nothing_seen_and_nothing_known_still_gives_a_forecast_and_gradients(
    changes: dict[str, Any], preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    bare = replace(
        runs,
        epochs=torch.zeros(RUNS, 1),
        values=torch.zeros(RUNS, 2, 1),
        present=torch.zeros(RUNS, 2, 1, dtype=torch.bool),
        signals=torch.zeros(RUNS, 2, 1, runs.signals.shape[-1]),
        cosines=torch.zeros(RUNS, 2, 2, 1),
        graph_index=torch.full((RUNS,), -1),
    )
    if "config" in changes:
        bare = replace(bare, config=torch.zeros(RUNS, 0))
    model = lcgode(preprocessor, graphs, **changes)
    quantiles = forecast(model, bare, graphs, 0.0)
    assert torch.isfinite(quantiles).all() and (quantiles.diff(dim=-1) > 0).all()
    quantiles.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name


def test_a_missing_metric_gives_finite_gradients(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    present = runs.present.clone()
    present[:, 1] = False
    model.zero_grad()
    forecast(model, replace(runs, present=present, values=runs.values * present), graphs)[:, :, 0].sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_run_without_a_graph_among_runs_with_one(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    index = runs.graph_index.clone()
    index[2] = -1
    without = forecast(model, replace(runs, graph_index=index), graphs)
    whole = forecast(model, runs, graphs)
    others = [0, 1, 3, 4, 5]
    torch.testing.assert_close(without[:, others], whole[:, others])
    assert (without[:, 2] != whole[:, 2]).any()
    none = forecast(model, replace(runs, graph_index=torch.full((RUNS,), -1)), None)
    torch.testing.assert_close(none[:, 2], without[:, 2])


def test_the_names_of_the_nodes_do_not_matter(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    # Nodes of a graph stay together, in reverse order within it.
    order = torch.cat([(graphs.batch == g).nonzero()[:, 0].flip(0) for g in range(graphs.size)])
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    relabelled = GraphTensors(
        graphs.op[order],
        graphs.x[order],
        graphs.role[order],
        place[graphs.edge_index],
        graphs.batch[order],
        graphs.size,
    )
    torch.testing.assert_close(forecast(model, runs, relabelled), forecast(model, runs, graphs))


def test_an_edge_has_a_direction_and_an_operation_a_meaning(
    model: LCGODE, runs: RunTensors, graphs: GraphTensors
) -> None:
    base = forecast(model, runs, graphs)
    assert not torch.allclose(forecast(model, runs, replace(graphs, edge_index=graphs.edge_index.flip(0))), base)
    assert not torch.allclose(forecast(model, runs, replace(graphs, op=graphs.op.flip(0))), base)


def test_the_architecture_is_learned_from(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    model.zero_grad()
    forecast(model, runs, graphs).square().sum().backward()
    grad = model.get_parameter("graphs.op").grad
    assert grad is not None
    used = torch.zeros(grad.shape[0], dtype=torch.bool)
    used[graphs.op] = True
    assert (grad.abs().sum((1, 2)) > 0).tolist() == used.tolist()


def test_the_posterior_is_a_normal_with_the_right_divergence(
    model: LCGODE, runs: RunTensors, graphs: GraphTensors
) -> None:
    batch = CurveBatch(runs, torch.full((RUNS,), 4.0))
    posterior, last = model.encode(batch, graphs, torch.tensor([0, 1]))
    assert posterior.mean.shape == (MEMBERS, RUNS, 2, 4)
    reference = torch.distributions.kl_divergence(
        torch.distributions.Normal(posterior.mean, posterior.log_std.exp()), torch.distributions.Normal(0.0, 1.0)
    ).sum(-1)
    torch.testing.assert_close(posterior.kl(), reference)
    torch.testing.assert_close(last, runs.values[:, :, 3])
    assert torch.equal(posterior.sample(None), posterior.mean)
    drawn = posterior.sample(torch.ones_like(posterior.mean))
    torch.testing.assert_close(drawn, posterior.mean + posterior.log_std.exp())


def test_the_field_is_bounded(model: LCGODE, runs: RunTensors, graphs: GraphTensors) -> None:
    wild = replace(runs, config=1e6 * torch.ones_like(runs.config), values=1e4 * runs.values)
    assert torch.isfinite(forecast(model, wild, graphs)).all()


def test_adaptive_and_fixed_steps_give_the_same_forecasts(
    preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    fixed, adaptive = (lcgode(preprocessor, graphs, nodes=12, solver=solver) for solver in ("rk4", "dopri5"))
    with torch.no_grad():
        torch.testing.assert_close(forecast(adaptive, runs, graphs), forecast(fixed, runs, graphs), rtol=0, atol=0.01)


def test_an_unknown_solver_is_refused_with_the_known_ones(preprocessor: Preprocessor, graphs: GraphTensors) -> None:
    with pytest.raises(UsageError, match=r"'euler'.*rk4, dopri5 and mlp"):
        lcgode(preprocessor, graphs, solver="euler")


@pytest.mark.parametrize("solver", ["rk4", "mlp"])
def test_a_member_alone_forecasts_as_it_does_among_the_others_and_follows_them(
    solver: str, preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors
) -> None:
    model = lcgode(preprocessor, graphs, solver=solver)
    alone = model.member(1)
    for _ in range(2):
        torch.testing.assert_close(
            forecast(alone, runs, graphs), forecast(model, runs, graphs)[[1]], rtol=1e-4, atol=1e-5
        )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1)


def test_stacked_layers_are_the_members_own_layers() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = StackedLinear(3, 4, 2, generator)
    x = torch.randn(3, 5, 6, 4, generator=generator)
    expected = torch.stack([x[m] @ layer.weight[m] + layer.bias[m] for m in range(3)])
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.columns(x), expected.movedim(-1, 1))
    assert StackedMLP(3, (4, 7, 2), generator)(x).shape == (3, 5, 6, 2)


def test_the_generator_decides_the_initial_values(preprocessor: Preprocessor, graphs: GraphTensors) -> None:
    before = torch.get_rng_state()
    one, other = (lcgode(preprocessor, graphs) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_field_of_the_runs_may_move_to_a_device(runs: RunTensors) -> None:
    moved = runs.to("cpu")
    assert all(torch.equal(getattr(moved, f.name), getattr(runs, f.name)) for f in fields(RunTensors))

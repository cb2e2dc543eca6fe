"""What every balancer promises, whatever its formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import BALANCERS, Balancer, Needs, State, TaskStatistics, make_balancer

READ_GRADIENTS = [name for name, kind in BALANCERS.items() if Needs.GRAMIAN in kind.needs]
READ_LOSSES_ONLY = [name for name, kind in BALANCERS.items() if not kind.needs & (Needs.GRAMIAN | Needs.JACOBIAN)]
RANDOM = ("pcgrad", "gradvac", "rlw", "rgw", "sdmgrad_os", "graddrop")
DETERMINISTIC = [name for name in BALANCERS if name not in (*RANDOM, "fixed")]
DEGREE = {"adatask": 0.0, "ngdiff": 0.0, "moco": 0.0, "fairgrad": -1 / 3}
"""d(cG) = c^degree d(G); 1 for the others."""
DO_NOT_CANCEL = ("rgw", "graddrop")
ONE_TASK = {"uncertainty": 0.5, "cagrad": 1.4 / 1.16, "imgrad": 1.8 / 1.64, "fairgrad": 5 ** (-4 / 3), "ngdiff": 0.2}
"""Weight of a single task of loss 1 and gradient norm 5; 1 for the others."""


def build(name: str, n_tasks: int) -> Balancer:
    arguments: dict[str, Any] = {"weights": [k + 1.0 for k in range(n_tasks)]} if name == "fixed" else {}
    return make_balancer(name, **arguments)


def fresh() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def step(
    balancer: Balancer, state: State, losses: Tensor, jacobian: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, State]:
    """Direction, weights and new state, as a trainer gets them."""
    rows, state = balancer.transform(state, losses, jacobian, generator)
    weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.mT), generator)
    rows = torch.where(weights.unsqueeze(-1) == 0, 0.0, rows)
    return (weights.unsqueeze(-1) * rows).sum(-2), weights, state


def first_step(name: str, jacobian: Tensor, losses: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Direction and weights of the first step."""
    losses = torch.ones(len(jacobian), dtype=torch.float64) if losses is None else losses
    balancer = build(name, len(jacobian))
    direction, weights, _ = step(balancer, balancer.init(len(jacobian)), losses, jacobian, fresh())
    return direction, weights


def random_jacobian(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


def size(name: str, jacobian: Tensor) -> float:
    """How long the direction is where gradients do not cancel, roughly."""
    return float(jacobian.norm()) ** DEGREE.get(name, 1.0)


jacobians = st.builds(
    random_jacobian,
    st.integers(0, 10**6),
    st.integers(2, 5),
    st.integers(1, 5),
    st.sampled_from([1e-6, 1e-2, 1.0, 1e4]),
)


@pytest.mark.parametrize("name", BALANCERS)
def test_shapes_precision_and_purity(name: str) -> None:
    balancer = build(name, 3)
    state = balancer.init(3)
    assert all(value.shape[0] == 3 for value in state.values())
    before = {key: value.clone() for key, value in state.items()}
    _, weights, new_state = step(balancer, state, torch.tensor([1.0, 2.0, 3.0]), torch.eye(3), fresh())
    assert weights.shape == (3,)
    assert weights.dtype == torch.float64
    assert new_state.keys() == state.keys()
    closed = balancer.end_epoch(balancer.after_step(new_state, torch.ones(3), torch.ones(3)))
    assert closed.keys() == state.keys()
    assert all(torch.equal(state[key], before[key]) for key in before)
    assert isinstance(balancer.scales_heads, bool)


@pytest.mark.parametrize("name", BALANCERS)
def test_a_population_equals_its_members_one_by_one(name: str) -> None:
    balancer = build(name, 3)
    generator = torch.Generator().manual_seed(1)
    jacobian = torch.randn(4, 2, 3, 6, generator=generator, dtype=torch.float64)
    jacobian[1, 0, 2] = 0
    jacobian[2, 1, 0] = torch.nan
    losses = torch.rand(2, 4, 2, 3, generator=generator, dtype=torch.float64) + 0.1
    start = balancer.init(3)
    state: State = {key: value.expand(4, 2, *value.shape) for key, value in start.items()}
    draws = fresh()
    together, weights, state = step(balancer, state, losses[0], jacobian, draws)
    state = balancer.end_epoch(balancer.after_step(state, losses[0], losses[1]))
    draws = fresh()
    for i in range(4):
        for j in range(2):
            alone, own_weights, own = step(balancer, start, losses[0, i, j], jacobian[i, j], draws)
            own = balancer.end_epoch(balancer.after_step(own, losses[0, i, j], losses[1, i, j]))
            torch.testing.assert_close(weights[i, j], own_weights, rtol=1e-6, atol=1e-9)
            # A loss method lets a NaN gradient through.
            torch.testing.assert_close(together[i, j], alone, rtol=1e-6, atol=1e-9, equal_nan=True)
            for key, value in own.items():
                torch.testing.assert_close(state[key][i, j], value.expand(state[key][i, j].shape), check_dtype=False)


@pytest.mark.parametrize("name", DETERMINISTIC)
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians, seed=st.integers(0, 1000))
def test_permuting_the_tasks_permutes_the_weights(name: str, jacobian: Tensor, seed: int) -> None:
    order = torch.randperm(len(jacobian), generator=torch.Generator().manual_seed(seed))
    losses = torch.linspace(0.5, 3, len(jacobian), dtype=torch.float64)
    direction, _ = first_step(name, jacobian, losses)
    permuted, _ = first_step(name, jacobian[order], losses[order])
    # The weights of dependent gradients are not unique; the direction is.
    torch.testing.assert_close(permuted, direction, rtol=1e-4, atol=1e-4 * size(name, jacobian))


# AdaTask's ε, as Adam's, is not small beside gradients of 1e-6.
@pytest.mark.parametrize("name", [name for name in BALANCERS if name != "adatask"])
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians)
def test_directions_scale_with_the_gradients(name: str, jacobian: Tensor) -> None:
    direction, _ = first_step(name, jacobian)
    scaled, _ = first_step(name, 1e3 * jacobian)
    factor = 1e3 ** DEGREE.get(name, 1.0)
    torch.testing.assert_close(scaled / factor, direction, rtol=1e-4, atol=1e-4 * size(name, jacobian))


@pytest.mark.parametrize("name", BALANCERS)
def test_a_task_that_is_not_a_number_has_no_weight_and_keeps_its_state(name: str) -> None:
    balancer = build(name, 3)
    good = torch.tensor([[1.0, 0.0], [0.3, 1.0], [0.5, 1.0]], dtype=torch.float64)
    bad = good.clone()
    bad[1, 0] = torch.nan
    state, generator = balancer.init(3), fresh()
    _, _, state = step(balancer, state, torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64), good, generator)
    losses = torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64)
    _, weights, new_state = step(balancer, state, losses, bad, generator)
    new_state = balancer.after_step(new_state, losses, losses)
    assert weights[1] == 0
    assert torch.isfinite(weights).all()
    if name != "sdmgrad_os":
        assert (weights[[0, 2]] > 0).all()
    for key, value in new_state.items():
        assert torch.equal(value[1], state[key][1])
        assert torch.isfinite(value).all()


@pytest.mark.parametrize("name", [name for name in READ_GRADIENTS if name not in ("rgw", "sdmgrad_os")])
def test_a_zero_gradient_leaves_the_others_as_if_they_were_alone(name: str) -> None:
    jacobian = torch.tensor([[1.0, 0.2], [-0.5, 1.0]], dtype=torch.float64)
    padded = torch.cat([jacobian[:1], torch.zeros(1, 2, dtype=torch.float64), jacobian[1:]])
    direction, weights = first_step(name, padded)
    alone, weights_alone = first_step(name, jacobian)
    torch.testing.assert_close(weights[[0, 2]], weights_alone)
    torch.testing.assert_close(direction, alone)
    assert weights[1] == 0


@pytest.mark.parametrize("name", READ_GRADIENTS)
def test_all_gradients_zero_or_nan_give_no_weight(name: str) -> None:
    balancer = build(name, 3)
    for value in (0.0, torch.nan, torch.inf):
        jacobian = torch.full((3, 4), value, dtype=torch.float64)
        state = balancer.init(3)
        direction, weights, new_state = step(balancer, state, torch.ones(3, dtype=torch.float64), jacobian, fresh())
        assert (weights == 0).all()
        assert (direction == 0).all()
        for key, kept in new_state.items():
            torch.testing.assert_close(kept, state[key].expand(kept.shape), check_dtype=False)


@pytest.mark.parametrize("name", [name for name in READ_GRADIENTS if name not in DO_NOT_CANCEL])
def test_opposed_equal_gradients_cancel(name: str) -> None:
    jacobian = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    direction, weights = first_step(name, jacobian)
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(direction, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", BALANCERS)
def test_one_task_is_plain_training(name: str) -> None:
    _, weights = first_step(name, torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    assert weights.tolist() == pytest.approx([ONE_TASK.get(name, 1.0)], rel=1e-7)


@pytest.mark.parametrize("name", READ_LOSSES_ONLY)
def test_loss_weighting_does_not_look_at_gradients(name: str) -> None:
    losses = torch.tensor([1.0, 2.0])
    balancer = build(name, 2)
    with_nan = balancer.update(balancer.init(2), TaskStatistics(losses, torch.full((2, 2), torch.nan)), fresh())
    without = balancer.update(balancer.init(2), TaskStatistics(losses, torch.eye(2)), fresh())
    torch.testing.assert_close(with_nan, without)


@pytest.mark.parametrize("name", BALANCERS)
def test_saved_and_reloaded_goes_on_as_if_nothing_had_happened(name: str, tmp_path: Path) -> None:
    balancer = build(name, 3)
    data = torch.Generator().manual_seed(5)
    jacobians = torch.randn(9, 3, 7, generator=data)
    losses = torch.rand(10, 3, generator=data) + 0.2

    def run(state: State, generator: torch.Generator, first: int, last: int) -> tuple[list[Tensor], State]:
        directions = []
        for t in range(first, last):
            direction, _, state = step(balancer, state, losses[t], jacobians[t], generator)
            state = balancer.after_step(state, losses[t], losses[t + 1])
            directions.append(direction)
            if t % 2:
                state = balancer.end_epoch(state)
        return directions, state

    whole, end = run(balancer.init(3), fresh(), 0, 9)
    generator = fresh()
    _, middle = run(balancer.init(3), generator, 0, 5)
    save_file({key: value.clone() for key, value in middle.items()}, tmp_path / "state.safetensors")
    restored = torch.Generator()
    restored.set_state(generator.get_state())
    rest, end_again = run(load_file(tmp_path / "state.safetensors"), restored, 5, 9)
    assert all(torch.equal(a, b) for a, b in zip(whole[5:], rest, strict=True))
    assert all(torch.equal(end[key], end_again[key]) for key in end)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no balancer 'mdga'; there are: equal, fixed"):
        make_balancer("mdga")
    with pytest.raises(UsageError, match="'cagrad' has no setting 'alpha'; its settings are: c, rescale"):
        make_balancer("cagrad", alpha=1)
    with pytest.raises(UsageError, match="'mgda' has no setting 'c'; it has no settings"):
        make_balancer("mgda", c=1)
    with pytest.raises(UsageError, match="'fixed' needs its setting 'weights'"):
        make_balancer("fixed")

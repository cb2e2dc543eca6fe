"""Tasks whose gradient is zero or not a number, and balancers that look at none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from mtl_runs.balancers import Needs, TaskStatistics

if TYPE_CHECKING:
    from tests.mtl_runs.balancers.promises.conftest import Case


def fresh(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_task_that_is_not_a_number_has_no_weight_and_keeps_its_state(case: Case) -> None:
    balancer = case.build(3)
    good = torch.tensor([[1.0, 0.0], [0.3, 1.0], [0.5, 1.0]], dtype=torch.float64)
    bad = good.clone()
    bad[1, 0] = torch.nan
    state, generator = balancer.init(3), fresh()
    _, _, state = case.step(balancer, state, torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64), good, generator)
    losses = torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64)
    _, weights, new_state = case.step(balancer, state, losses, bad, generator)
    new_state = balancer.after_step(new_state, losses, losses)
    assert weights[1] == 0
    assert torch.isfinite(weights).all()
    if not (case.samples_tasks or case.updates_one_group or case.name == "pcd"):
        assert (weights[[0, 2]] > 0).all()
    for key, value in new_state.items():
        assert torch.equal(value[1], state[key][1])
        assert torch.isfinite(value).all()


@pytest.mark.cases(lambda case: case.reads_gradients and case.name != "rgw" and not case.samples_tasks)
def test_a_zero_gradient_leaves_the_others_as_if_they_were_alone(case: Case) -> None:
    jacobian = torch.tensor([[1.0, 0.2], [-0.5, 1.0]], dtype=torch.float64)
    padded = torch.cat([jacobian[:1], torch.zeros(1, 2, dtype=torch.float64), jacobian[1:]])
    direction, weights = case.first_step(padded)
    alone, weights_alone = case.first_step(jacobian)
    if case.counts_all:
        torch.testing.assert_close(direction, alone * 2 / 3)
        return
    torch.testing.assert_close(weights[[0, 2]], weights_alone)
    torch.testing.assert_close(direction, alone)
    assert weights[1] == 0


@pytest.mark.cases(lambda case: case.reads_gradients)
def test_all_gradients_zero_or_nan_give_no_weight(case: Case) -> None:
    balancer = case.build(3)
    for value in (0.0, torch.nan, torch.inf):
        jacobian = torch.full((3, 4), value, dtype=torch.float64)
        state = balancer.init(3)
        direction, weights, new_state = case.step(
            balancer, state, torch.ones(3, dtype=torch.float64), jacobian, fresh()
        )
        assert (weights == 0).all() or case.counts_all
        assert (direction == 0).all()
        for key, kept in new_state.items():
            torch.testing.assert_close(kept, state[key].expand(kept.shape), check_dtype=False)


@pytest.mark.cases(lambda case: Needs.SEVERAL_BATCHES in case.needs)
def test_chance_may_turn_a_product_of_two_batches(case: Case) -> None:
    balancer = case.build(3, **({"n_sampled": 3} if case.samples_tasks else {}))
    products = torch.tensor([[1.0, 0.2, 0.0], [-0.1, -0.3, 0.0], [0.5, 0.0, 0.0]], dtype=torch.float64)
    weights, _ = balancer.update(balancer.init(3), TaskStatistics(torch.ones(3), products), fresh())
    assert (weights[:2] > 0).all()
    assert weights[2] == 0
    state = balancer.init(2)
    weights, after = balancer.update(state, TaskStatistics(torch.ones(2), -torch.eye(2).double()), fresh())
    assert torch.isfinite(weights).all()
    assert float(weights.sum()) == pytest.approx(1)
    assert torch.isfinite(after["share"]).all()


@pytest.mark.cases(lambda case: not case.reads_gradients)
def test_losses_alone_make_loss_weights(case: Case) -> None:
    assert case.build(2).scales_heads


@pytest.mark.cases(lambda case: not case.reads_gradients)
def test_loss_weighting_does_not_look_at_gradients(case: Case) -> None:
    losses = torch.tensor([1.0, 2.0])
    balancer = case.build(2)
    with_nan = balancer.update(balancer.init(2), TaskStatistics(losses, torch.full((2, 2), torch.nan)), fresh())
    without = balancer.update(balancer.init(2), TaskStatistics(losses, torch.eye(2)), fresh())
    torch.testing.assert_close(with_nan, without)

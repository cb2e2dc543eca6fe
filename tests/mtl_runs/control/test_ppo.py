"""What a policy learns from: targets, advantages and losses of a small episode, by hand."""

from __future__ import annotations

import pytest
import torch

from mtl_runs.control import Episode
from mtl_runs.control.policy import Policy, log_density
from mtl_runs.control.ppo import DISCOUNT, NEAR, OF_VALUES, TRACE, Batch, batch_of, losses


def made() -> tuple[Policy, Episode]:
    """Two steps of two tasks, one environment each, with a critic that expects nothing."""
    policy = Policy(2, 3, 1, seed=0)
    with torch.no_grad():
        policy.last.weight[-1] = 0
    generator = torch.Generator().manual_seed(0)
    observations, actions = torch.randn(3, 2, 1, 3, generator=generator), torch.randn(2, 2, 1, 1, generator=generator)
    rewards = torch.tensor([[[1.0], [3.0]], [[2.0], [0.0]]])
    return policy, Episode(observations, actions, rewards, torch.zeros(2, 1, dtype=torch.bool))


def test_targets_and_advantages_of_two_steps() -> None:
    policy, episode = made()
    batch = batch_of(episode, policy, torch.tensor([1.0, 10.0]), 1)
    ahead, unit = DISCOUNT * TRACE, 1 - DISCOUNT
    targets = unit * torch.tensor([[1 + ahead * 2, 2], [10 * 3, 0.0]])
    torch.testing.assert_close(batch.targets, targets)
    centred = targets - targets.mean(1, keepdim=True)
    # One deviation for all tasks: the second one's rewards are ten times as large, and its advantages stay larger.
    torch.testing.assert_close(batch.advantages, centred / centred.std())


def test_before_the_first_step_the_gain_is_nothing_and_the_loss_is_the_critics() -> None:
    policy, episode = made()
    batch = batch_of(episode, policy, torch.ones(2), 1)
    found = torch.stack(losses(policy, batch))
    torch.testing.assert_close(found, OF_VALUES * batch.targets.square().mean(1))


@pytest.mark.parametrize(
    ("moved", "advantage", "counts"), [(0.5, 1.0, 1 + NEAR), (-0.5, -1.0, NEAR - 1), (0.1, 1.0, None)]
)
def test_what_has_moved_far_enough_counts_no_more(moved: float, advantage: float, counts: float | None) -> None:
    policy, episode = made()
    batch = batch_of(episode, policy, torch.ones(2), 1)
    changed = Batch(
        batch.told, batch.actions, batch.densities - moved, torch.full_like(batch.targets, advantage), batch.targets
    )
    loss = losses(policy, changed)[0] - OF_VALUES * batch.targets[0].square().mean()
    expected = torch.tensor(moved).exp() * advantage if counts is None else torch.tensor(counts)
    torch.testing.assert_close(loss, -expected)
    gradient = torch.autograd.grad(loss, policy.last.weight, allow_unused=True)[0]
    assert bool((gradient[:-1] == 0).all()) == (counts is not None)


def test_a_loss_hangs_on_its_own_task_alone() -> None:
    policy, episode = made()
    batch = batch_of(episode, policy, torch.ones(2), 1)
    one, other = torch.autograd.grad(losses(policy, batch)[0], next(policy.trunk.parameters()))[0][:, -2:].abs().sum(0)
    assert float(one) > 0 and float(other) == 0


def test_parts_are_the_whole_in_another_order() -> None:
    policy, episode = made()
    batch = batch_of(episode, policy, torch.ones(2), 1)
    parts = list(batch.parts(torch.Generator().manual_seed(1)))
    together = torch.cat([part.targets for part in parts], 1)
    assert len(parts) == 2 and torch.equal(together.sort(1).values, batch.targets.sort(1).values)


def test_density_of_a_normal_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    actions, means, logs = (torch.randn(4, 2, generator=generator) for _ in range(3))
    expected = torch.distributions.Normal(means, logs.exp()).log_prob(actions).sum(-1)
    found = log_density(actions, means, logs)
    torch.testing.assert_close(found - expected, torch.full_like(found, torch.pi * 2).log())

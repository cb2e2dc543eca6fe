"""Worlds: what an episode is, on what it hangs and on what it does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.control import Episode, World, make_world
from mtl_runs.control.family import DEEDS, STEPS, Family
from mtl_runs.control.worlds import BUILT_IN


def still(seen: Tensor) -> Tensor:
    return torch.zeros(*seen.shape[:2], 2)


def episode(world: World, seed: int = 0) -> Episode:
    return world.episode(still, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_episode_of_every_built_in_world(name: str) -> None:
    world = make_world(name)
    found = episode(world)
    n_tasks, n = len(world.tasks), world.n_learning + world.n_held_out
    assert found.observations.shape == (STEPS + 1, n_tasks, n, world.n_observed)
    assert found.actions.shape == (STEPS, n_tasks, n, world.n_actions)
    assert found.rewards.shape == (STEPS, n_tasks, n) and found.success.shape == (n_tasks, n)
    # What is measured is in 0..1 whatever the policy is to make of it.
    assert float(found.rewards.min()) >= 0 and float(found.rewards.max()) <= 1
    assert 3 <= n_tasks <= 10 and len(world.scales) == n_tasks


def test_learning_environments_begin_by_the_generator_and_held_out_ones_always_alike() -> None:
    world = make_world("control-3")
    first, again, other = (episode(world, seed).observations for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    held_out = slice(world.n_learning, None)
    assert torch.equal(first[:, :, held_out], other[:, :, held_out])


def test_what_is_measured_of_a_task_does_not_hang_on_its_neighbours() -> None:
    together, alone = make_world("control-10-scaled"), make_world("control-10-scaled", ["cart-follow"])
    row, held_out = together.tasks.index("cart-follow"), slice(together.n_learning, None)
    rewards = [episode(world).rewards[:, :, held_out] for world in (together, alone)]
    assert torch.equal(rewards[0][:, row], rewards[1][:, 0])
    assert float(alone.scales) == float(together.scales[row])


def test_actions_beyond_the_bounds_are_cut_off() -> None:
    world = Family("one", ["arm-reach"], [1.0], n_learning=1, n_held_out=1)

    def pushed(by: float) -> Episode:
        return world.episode(lambda seen: by + still(seen), torch.Generator().manual_seed(0))

    assert torch.equal(pushed(9.0).rewards, pushed(1.0).rewards) and float(pushed(9.0).actions.max()) == 9.0


def test_returns_and_success_are_means_over_the_environments_from_one_on() -> None:
    rewards = torch.tensor([[[0.0, 0.5, 1.0]], [[0.0, 0.1, 0.4]]])
    one = Episode(torch.zeros(3, 1, 3, 8), torch.zeros(2, 1, 3, 2), rewards, torch.tensor([[True, False, True]]))
    assert one.measure(["a"], 1) == pytest.approx({"a/return": 0.5, "a/success": 0.5})


def test_a_deed_done_well_is_worth_1() -> None:
    best = {
        "point-reach": [0.3, 0.4, 0, 0, 0.3, 0.4],
        "point-circle": [0.0, 1.0, -2.0, 0.0, 0, 0],
        "pendulum-swingup": [0.0, 0.0],
        "pendulum-spin": [1.0, 6.0],
        "cart-balance": [0.0, 0, 0, 0, 1.0],
        "cart-follow": [0.7, 0, 0, 0, 0.7],
        "arm-lift": [0.0, torch.pi / 2, 0, 0, 0.5, 0.5],
    }
    for task, state in best.items():
        assert float(DEEDS[task].reward(torch.tensor(state))) == pytest.approx(1.0), task
    assert float(DEEDS["point-circle"].reward(torch.tensor([0.0, 1.0, 2.0, 0.0, 0, 0]))) < 0.1


@pytest.mark.parametrize(
    ("name", "tasks", "words"),
    [
        ("mars", None, "control-3, control-10"),
        ("control-3", ["arm-lift"], "it has: point-reach"),
        ("control-3", [], "it has"),
    ],
)
def test_a_wrong_name_lists_the_right_ones(name: str, tasks: list[str] | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_world(name, tasks)

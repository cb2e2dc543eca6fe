"""A member of a population, and a run that was saved and read again, go on as a run alone does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import State

if TYPE_CHECKING:
    from tests.mtl_runs.balancers.promises.conftest import Case


def fresh(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_population_equals_its_members_one_by_one(case: Case) -> None:
    balancer = case.build(3)
    generator = torch.Generator().manual_seed(1)
    jacobian = torch.randn(4, 2, 3, 6, generator=generator, dtype=torch.float64)
    jacobian[1, 0, 2] = 0
    jacobian[2, 1, 0] = torch.nan
    losses = torch.rand(2, 4, 2, 3, generator=generator, dtype=torch.float64) + 0.1
    start = balancer.init(3)
    state: State = {key: value.expand(4, 2, *value.shape) for key, value in start.items()}
    draws = fresh()
    together, weights, state = case.step(balancer, state, losses[0], jacobian, draws)
    state = balancer.end_epoch(balancer.after_step(state, losses[0], losses[1]))
    draws = fresh()
    for i in range(4):
        for j in range(2):
            alone, own_weights, own = case.step(balancer, start, losses[0, i, j], jacobian[i, j], draws)
            own = balancer.end_epoch(balancer.after_step(own, losses[0, i, j], losses[1, i, j]))
            torch.testing.assert_close(weights[i, j], own_weights, rtol=1e-6, atol=1e-9)
            # A loss method lets a NaN gradient through.
            torch.testing.assert_close(together[i, j], alone, rtol=1e-6, atol=1e-9, equal_nan=True)
            for key, value in own.items():
                torch.testing.assert_close(state[key][i, j], value.expand(state[key][i, j].shape), check_dtype=False)


def test_a_population_with_a_generator_each_equals_its_members(case: Case) -> None:
    balancer = case.build(3)
    data = fresh(2)
    jacobian = torch.randn(2, 4, 3, 6, generator=data, dtype=torch.float64)
    losses = torch.rand(2, 4, 3, generator=data, dtype=torch.float64) + 0.1
    start = balancer.init(3)
    together: State = {key: value.expand(4, *value.shape) for key, value in start.items()}
    generators = [fresh(10 + r) for r in range(4)]
    alone, own_generators = [start] * 4, [fresh(10 + r) for r in range(4)]
    for t in range(2):
        directions, _, together = case.step(balancer, together, losses[t], jacobian[t], generators)
        for r in range(4):
            own, _, alone[r] = case.step(balancer, alone[r], losses[t, r], jacobian[t, r], own_generators[r])
            torch.testing.assert_close(directions[r], own, rtol=1e-6, atol=1e-9)
    # A generator each is for a population; for one run it makes no sense.
    if case.random:
        with pytest.raises(UsageError, match="3 generators were given for numbers of shape"):
            case.step(balancer, together, losses[0], jacobian[0], generators[:3])


def test_saved_and_reloaded_goes_on_as_if_nothing_had_happened(case: Case, tmp_path: Path) -> None:
    balancer = case.build(3)
    data = torch.Generator().manual_seed(5)
    jacobians = torch.randn(9, 3, 7, generator=data)
    losses = torch.rand(10, 3, generator=data) + 0.2

    def run(state: State, generator: torch.Generator, first: int, last: int) -> tuple[list[Tensor], State]:
        directions = []
        for t in range(first, last):
            direction, _, state = case.step(balancer, state, losses[t], jacobians[t], generator)
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

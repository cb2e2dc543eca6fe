"""What all balancers promise, whatever they compute."""

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
from mtl_runs.balancers import BALANCERS, Balancer, Generators, Needs, State, TaskStatistics, make_balancer

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in BALANCERS},
    "torchjd": ("torchjd", {"name": "Mean"}),
    "log": ("log", {"of": "cagrad"}),
    "log, a Jacobian method": ("log", {"of": "graddrop"}),
    "cr_mogm": ("cr_mogm", {"of": "mgda"}),
    "cr_mogm of famo": ("cr_mogm", {"of": "famo"}),
    "cr_mogm of db_mtl": ("cr_mogm", {"of": "db_mtl"}),
    "sel_update in groups": ("sel_update", {"warmup": 1, "decay": 0.5}),
    "ldc_mtl of logarithms": ("ldc_mtl", {"scale": "log"}),
    "ldc_mtl of first losses": ("ldc_mtl", {"scale": "first"}),
    "torchjd, a vector": ("torchjd", {"name": "TrimmedMean", "trim_number": 0}),
    "torchjd, of losses": ("torchjd", {"name": "GeometricMean"}),
    "sdmgrad by sgd": ("sdmgrad", {"solver": "paper_sgd"}),
    "sdmgrad_os by sgd": ("sdmgrad_os", {"solver": "paper_sgd"}),
    "stch with warm-up": ("stch", {"warmup": 2}),
    "excess_mtl with warm-up": ("excess_mtl", {"warmup": 2}),
}
"""Every balancer, and settings that make another method of one."""


def build(case: str, n_tasks: int, **more: Any) -> Balancer:
    name, arguments = CASES[case]
    needed = {"fixed": {"weights": [k + 1.0 for k in range(n_tasks)]}, "pivrg": {"reference": [1.5] * n_tasks}}
    if name == "torchjd":
        pytest.importorskip("torchjd")
    return make_balancer(name, **{**needed.get(name, {}), **arguments, **more})


def needs(case: str) -> Needs:
    if CASES[case][0] == "torchjd":
        return Needs.LOSSES if "losses" in case else Needs.GRAMIAN
    return build(case, 3).needs


READ_GRADIENTS = [case for case in CASES if needs(case) & (Needs.GRAMIAN | Needs.JACOBIAN)]
READ_LOSSES_ONLY = [case for case in CASES if case not in READ_GRADIENTS]
SAMPLE_TASKS = ("sdmgrad_os", "sdmgrad_os by sgd")
DROPS = "log, a Jacobian method"
ONE_GROUP = ("sel_update", "sel_update in groups")
RANDOM = ("pcgrad", "gradvac", "rlw", "rgw", "graddrop", DROPS, *SAMPLE_TASKS, *ONE_GROUP)
ORDERED = ("fixed", "pcd", *(case for case in CASES if case.startswith("ldc_mtl")))
"""The order of the tasks has a meaning."""
DETERMINISTIC = [case for case in CASES if case not in (*RANDOM, *ORDERED)]
DEGREE = {
    "adatask": 0.0,
    "m_config": 0.0,
    "ngdiff": 0.0,
    "moco": 0.0,
    "nash_mtl": 0.0,
    "fairgrad": -1 / 3,
    "pivrg": -1 / 3,
}
"""d(cG) = c^degree d(G); 1 for the others."""
NO_DEGREE = ("adatask", "m_config", "modo", "pcd")
"""AdaTask's ε, as Adam's, is not small beside gradients of 1e-6, nor are M-ConFIG's and PCD's; MoDo's step grows with
the gradients."""
COUNT_ALL = ("adatask", "graddrop", DROPS)
"""Divided by the number of all tasks, inactive ones included."""
DO_NOT_CANCEL = ("rgw", "graddrop", DROPS, "pcd")
MAY_BE_ZERO = (*SAMPLE_TASKS, *ONE_GROUP, "pcd")
ONE_TASK = {
    "uncertainty": 0.5,
    "cagrad": 1.4 / 1.16,
    "log": 1.4 / 1.16,
    "imgrad": 1.8 / 1.64,
    "fairgrad": 5 ** (-4 / 3),
    "pivrg": 5 ** (-4 / 3),
    "ngdiff": 0.2,
    "nash_mtl": 0.2,
}
"""Weight of a single task of loss 1 and gradient norm 5; 1 for the others."""


def fresh(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def step(
    balancer: Balancer, state: State, losses: Tensor, jacobian: Tensor, generator: Generators
) -> tuple[Tensor, Tensor, State]:
    """Direction, weights and new state, as a trainer gets them; all batches are alike."""
    rows, state = balancer.transform(state, losses, jacobian, generator)
    weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.mT), generator)
    rows = torch.where(weights.unsqueeze(-1) == 0, 0.0, rows)
    return (weights.unsqueeze(-1) * rows).sum(-2), weights, state


def first_step(case: str, jacobian: Tensor, losses: Tensor | None = None, **more: Any) -> tuple[Tensor, Tensor]:
    """Direction and weights of the first step."""
    losses = torch.ones(len(jacobian), dtype=torch.float64) if losses is None else losses
    balancer = build(case, len(jacobian), **more)
    direction, weights, _ = step(balancer, balancer.init(len(jacobian)), losses, jacobian, fresh())
    return direction, weights


def test_every_balancer_is_a_case() -> None:
    assert {name for name, _ in CASES.values()} == BALANCERS.keys()


def random_jacobian(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


def size(case: str, jacobian: Tensor) -> float:
    """How long the direction is where gradients do not cancel, roughly."""
    return float(jacobian.norm()) ** DEGREE.get(case, 1.0)


jacobians = st.builds(
    random_jacobian,
    st.integers(0, 10**6),
    st.integers(2, 5),
    st.integers(1, 5),
    st.sampled_from([1e-6, 1e-2, 1.0, 1e4]),
)


@pytest.mark.parametrize("case", CASES)
def test_shapes_precision_and_purity(case: str) -> None:
    balancer = build(case, 3)
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


@pytest.mark.parametrize("case", CASES)
def test_a_population_equals_its_members_one_by_one(case: str) -> None:
    balancer = build(case, 3)
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


@pytest.mark.parametrize("case", CASES)
def test_a_population_with_a_generator_each_equals_its_members(case: str) -> None:
    balancer = build(case, 3)
    data = fresh(2)
    jacobian = torch.randn(2, 4, 3, 6, generator=data, dtype=torch.float64)
    losses = torch.rand(2, 4, 3, generator=data, dtype=torch.float64) + 0.1
    start = balancer.init(3)
    together: State = {key: value.expand(4, *value.shape) for key, value in start.items()}
    generators = [fresh(10 + r) for r in range(4)]
    alone, own_generators = [start] * 4, [fresh(10 + r) for r in range(4)]
    for t in range(2):
        directions, _, together = step(balancer, together, losses[t], jacobian[t], generators)
        for r in range(4):
            own, _, alone[r] = step(balancer, alone[r], losses[t, r], jacobian[t, r], own_generators[r])
            torch.testing.assert_close(directions[r], own, rtol=1e-6, atol=1e-9)
    # A generator each is for a population; for one run it makes no sense.
    if case in RANDOM:
        with pytest.raises(UsageError, match="3 generators were given for numbers of shape"):
            step(balancer, together, losses[0], jacobian[0], generators[:3])


@pytest.mark.parametrize("case", DETERMINISTIC)
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians, seed=st.integers(0, 1000))
def test_permuting_the_tasks_permutes_the_weights(case: str, jacobian: Tensor, seed: int) -> None:
    order = torch.randperm(len(jacobian), generator=torch.Generator().manual_seed(seed))
    losses = torch.linspace(0.5, 3, len(jacobian), dtype=torch.float64)
    direction, _ = first_step(case, jacobian, losses)
    permuted, _ = first_step(case, jacobian[order], losses[order])
    # The weights of dependent gradients are not unique; the direction is.
    torch.testing.assert_close(permuted, direction, rtol=1e-4, atol=1e-4 * size(case, jacobian))


@pytest.mark.parametrize("case", [case for case in CASES if case not in NO_DEGREE])
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians)
def test_directions_scale_with_the_gradients(case: str, jacobian: Tensor) -> None:
    direction, _ = first_step(case, jacobian)
    scaled, _ = first_step(case, 1e3 * jacobian)
    factor = 1e3 ** DEGREE.get(case, 1.0)
    torch.testing.assert_close(scaled / factor, direction, rtol=1e-4, atol=1e-4 * size(case, jacobian))


@pytest.mark.parametrize("case", CASES)
def test_a_task_that_is_not_a_number_has_no_weight_and_keeps_its_state(case: str) -> None:
    balancer = build(case, 3)
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
    if case not in MAY_BE_ZERO:
        assert (weights[[0, 2]] > 0).all()
    for key, value in new_state.items():
        assert torch.equal(value[1], state[key][1])
        assert torch.isfinite(value).all()


@pytest.mark.parametrize("case", [case for case in READ_GRADIENTS if case not in ("rgw", *SAMPLE_TASKS)])
def test_a_zero_gradient_leaves_the_others_as_if_they_were_alone(case: str) -> None:
    jacobian = torch.tensor([[1.0, 0.2], [-0.5, 1.0]], dtype=torch.float64)
    padded = torch.cat([jacobian[:1], torch.zeros(1, 2, dtype=torch.float64), jacobian[1:]])
    direction, weights = first_step(case, padded)
    alone, weights_alone = first_step(case, jacobian)
    if case in COUNT_ALL:
        torch.testing.assert_close(direction, alone * 2 / 3)
        return
    torch.testing.assert_close(weights[[0, 2]], weights_alone)
    torch.testing.assert_close(direction, alone)
    assert weights[1] == 0


@pytest.mark.parametrize("case", [case for case in CASES if Needs.SEVERAL_BATCHES in needs(case)])
def test_chance_may_turn_a_product_of_two_batches(case: str) -> None:
    balancer = build(case, 3, **({"n_sampled": 3} if case in SAMPLE_TASKS else {}))
    products = torch.tensor([[1.0, 0.2, 0.0], [-0.1, -0.3, 0.0], [0.5, 0.0, 0.0]], dtype=torch.float64)
    weights, _ = balancer.update(balancer.init(3), TaskStatistics(torch.ones(3), products), fresh())
    assert (weights[:2] > 0).all()
    assert weights[2] == 0
    state = balancer.init(2)
    weights, after = balancer.update(state, TaskStatistics(torch.ones(2), -torch.eye(2).double()), fresh())
    assert torch.isfinite(weights).all()
    assert float(weights.sum()) == pytest.approx(1)
    assert torch.isfinite(after["share"]).all()


@pytest.mark.parametrize("case", READ_GRADIENTS)
def test_all_gradients_zero_or_nan_give_no_weight(case: str) -> None:
    balancer = build(case, 3)
    for value in (0.0, torch.nan, torch.inf):
        jacobian = torch.full((3, 4), value, dtype=torch.float64)
        state = balancer.init(3)
        direction, weights, new_state = step(balancer, state, torch.ones(3, dtype=torch.float64), jacobian, fresh())
        assert (weights == 0).all() or case in COUNT_ALL
        assert (direction == 0).all()
        for key, kept in new_state.items():
            torch.testing.assert_close(kept, state[key].expand(kept.shape), check_dtype=False)


@pytest.mark.parametrize("case", [case for case in READ_GRADIENTS if case not in DO_NOT_CANCEL])
def test_opposed_equal_gradients_cancel(case: str) -> None:
    jacobian = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    direction, weights = first_step(case, jacobian)
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(direction, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_one_task_is_plain_training(case: str) -> None:
    _, weights = first_step(case, torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    assert weights.tolist() == pytest.approx([ONE_TASK.get(case, 1.0)], rel=1e-7)


@pytest.mark.parametrize("case", READ_LOSSES_ONLY)
def test_losses_alone_make_loss_weights(case: str) -> None:
    assert build(case, 2).scales_heads


@pytest.mark.parametrize("case", READ_LOSSES_ONLY)
def test_loss_weighting_does_not_look_at_gradients(case: str) -> None:
    losses = torch.tensor([1.0, 2.0])
    balancer = build(case, 2)
    with_nan = balancer.update(balancer.init(2), TaskStatistics(losses, torch.full((2, 2), torch.nan)), fresh())
    without = balancer.update(balancer.init(2), TaskStatistics(losses, torch.eye(2)), fresh())
    torch.testing.assert_close(with_nan, without)


@pytest.mark.parametrize("case", CASES)
def test_saved_and_reloaded_goes_on_as_if_nothing_had_happened(case: str, tmp_path: Path) -> None:
    balancer = build(case, 3)
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

"""UW-O, UW-SO, IMTL-L, SLAW, RLW and RGW, DWA, STCH, GLS, GradNorm, FAMO."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import (
    DWA,
    FAMO,
    GLS,
    IMTLL,
    RGW,
    RLW,
    SLAW,
    STCH,
    UWO,
    UWSO,
    Balancer,
    GradNorm,
    State,
    TaskStatistics,
)


def statistics(*losses: float) -> TaskStatistics:
    return TaskStatistics(torch.tensor(losses, dtype=torch.float64), torch.eye(len(losses), dtype=torch.float64))


def weights_of(balancer: Balancer, *losses: float) -> list[float]:
    return balancer.update(balancer.init(len(losses)), statistics(*losses), torch.Generator().manual_seed(0))[
        0
    ].tolist()


def sequence(seed: int, n_steps: int, n_tasks: int) -> Tensor:
    return torch.rand(n_steps, n_tasks, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.2


@pytest.mark.parametrize("balancer", [UWO(), UWSO(), STCH(), GLS(), SLAW(), RLW(), DWA(), FAMO()])
def test_a_loss_of_zero_does_no_harm(balancer: Balancer) -> None:
    assert all(0 <= w < 1e12 for w in weights_of(balancer, 0.0, 1.0, 2.0))


@pytest.mark.parametrize("balancer", [UWSO(), STCH(), GLS(), SLAW(), DWA(), FAMO()])
def test_a_task_without_a_loss_does_not_count(balancer: Balancer) -> None:
    alone = weights_of(balancer, 0.5, 2.0)
    assert weights_of(balancer, 0.5, float("nan"), 2.0) == pytest.approx([alone[0], 0, alone[1]])


def test_stch_with_a_warm_up_by_hand() -> None:
    balancer = STCH(0.5, warmup=2)
    state, losses = balancer.init(2), sequence(5, 9, 2)
    for t in range(6):
        weights, state = balancer.update(state, TaskStatistics(losses[t], torch.eye(2)))
        torch.testing.assert_close(weights, 1 / (2 * losses[t]))  # of the mean logarithm
        if t % 3 == 2:
            state = balancer.end_epoch(state)
    mean = losses[3:6].mean(0)
    torch.testing.assert_close(state["mean"], mean)
    for t in range(6, 9):
        variable = losses[t].clone().requires_grad_()
        (expected,) = torch.autograd.grad(0.5 * ((variable / mean).log() / 0.5).exp().sum().log(), variable)
        weights, state = balancer.update(state, TaskStatistics(losses[t], torch.eye(2)))
        torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(balancer.end_epoch(state)["mean"], mean)


def test_stch_warms_up_a_task_that_comes_late() -> None:
    balancer = STCH(warmup=1)
    _, state = balancer.update(balancer.init(2), statistics(2.0, float("nan")))
    state = balancer.end_epoch(state)
    weights, state = balancer.update(state, statistics(2.0, 4.0))
    assert weights.tolist() == pytest.approx([0.5, 1 / 8])
    assert balancer.end_epoch(state)["mean"].tolist() == [2, 4]


def test_uw_o_does_not_see_the_size_of_a_loss() -> None:
    one, other = weights_of(UWO(), 2, 3), weights_of(UWO(), 2e5, 3)
    assert one[0] * 2 == pytest.approx(other[0] * 2e5)


def test_imtl_l_agrees_with_torchjd_and_adam() -> None:
    scalarization = pytest.importorskip("torchjd.scalarization")
    theirs, ours = scalarization.IMTLL(3).double(), IMTLL(lr=0.1)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.1)
    state = ours.init(3)
    for row in sequence(0, 20, 3):
        losses = row.clone().requires_grad_()
        optimizer.zero_grad()
        theirs(losses).backward()
        weights, state = ours.update(state, TaskStatistics(row, torch.eye(3)))
        torch.testing.assert_close(3 * weights, losses.grad)
        optimizer.step()
    torch.testing.assert_close(state["log_scale"], theirs.log_scale.detach())


def test_imtl_l_makes_all_weighted_losses_one() -> None:
    balancer = IMTLL()
    state = balancer.init(2)
    for _ in range(600):
        weights, state = balancer.update(state, statistics(0.5, 4))
    assert (2 * weights * torch.tensor([0.5, 4])).tolist() == pytest.approx([1, 1], rel=1e-2)


def test_slaw_by_hand() -> None:
    balancer = SLAW()
    state, found = balancer.init(2), []
    for losses in ((1, 10), (3, 14), (2, 12)):
        weights, state = balancer.update(state, statistics(*losses))
        found.append((2 * weights).tolist())
    assert found[0] == [1, 1]
    assert found[1] == pytest.approx([4 / 3, 2 / 3])
    assert found[2] == pytest.approx([4 / 3, 2 / 3])
    assert state["variance"].sqrt().tolist() == pytest.approx([0.8165, 1.6330], abs=1e-4)


def test_slaws_moments_are_those_of_the_published_recursion() -> None:
    balancer = SLAW(beta=0.8)
    state = balancer.init(2)
    first, second = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for t, losses in enumerate(sequence(1, 30, 2)):
        rate = 1 / (t + 1) if t + 1 <= 5 else 0.2
        first, second = first + rate * (losses - first), second + rate * (losses**2 - second)
        _, state = balancer.update(state, TaskStatistics(losses, torch.eye(2)))
        torch.testing.assert_close(state["variance"], second - first**2, rtol=1e-8, atol=1e-12)


def test_slaw_divides_by_the_size_of_a_loss() -> None:
    balancer = SLAW()
    plain, scaled = balancer.init(2), balancer.init(2)
    for losses in sequence(2, 10, 2):
        weights, plain = balancer.update(plain, TaskStatistics(losses, torch.eye(2)))
        others, scaled = balancer.update(scaled, TaskStatistics(losses * torch.tensor([1.0, 50.0]), torch.eye(2)))
    assert float(others[1] / others[0]) == pytest.approx(float(weights[1] / weights[0]) / 50)
    assert float(weights.sum()) == pytest.approx(1)


@pytest.mark.parametrize("balancer", [RLW(), RGW()])
def test_random_weights_are_on_the_simplex_and_softmax_normal(balancer: Balancer) -> None:
    losses = torch.ones(20000, 3, dtype=torch.float64)
    gramian = torch.eye(3, dtype=torch.float64).expand(20000, 3, 3)
    weights, _ = balancer.update({}, TaskStatistics(losses, gramian), torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights.sum(1), losses[:, 0])
    torch.testing.assert_close(weights.mean(0), torch.full((3,), 1 / 3).double(), rtol=0, atol=0.005)
    # The log-ratio of two weights is the difference of two standard normal numbers.
    assert float((weights[:, 0] / weights[:, 1]).log().var()) == pytest.approx(2, rel=0.03)


def test_dwa_by_hand() -> None:
    balancer = DWA()
    state = balancer.init(2)
    for losses in ((1, 1), (0.5, 1)):
        weights, state = balancer.update(state, statistics(*losses))
        assert weights.tolist() == [0.5, 0.5]
        state = balancer.end_epoch(state)
    weights, _ = balancer.update(state, statistics(7, 7))
    assert (2 * weights).tolist() == pytest.approx([0.8756, 1.1244], abs=1e-4)


def test_dwa_agrees_with_torchjd_over_epochs() -> None:
    scalarization = pytest.importorskip("torchjd.scalarization")
    theirs, ours = scalarization.DWA(temperature=1.5), DWA(temperature=1.5)
    state = ours.init(3)
    for epoch in range(5):
        for losses in sequence(epoch, 4, 3):
            variable = losses.clone().requires_grad_()
            (expected,) = torch.autograd.grad(theirs(variable), variable)
            weights, state = ours.update(state, TaskStatistics(losses, torch.eye(3)))
            torch.testing.assert_close(3 * weights, expected)
        theirs.step()
        state = ours.end_epoch(state)


def test_dwa_skips_epochs_without_the_task() -> None:
    balancer = DWA()
    state = balancer.init(2)
    for losses in ((4.0, 1.0), (float("nan"), 1.0), (2.0, 1.0)):
        _, state = balancer.update(state, statistics(*losses))
        state = balancer.end_epoch(state)
    assert state["older"].tolist() == [4, 1]
    assert state["newer"].tolist() == [2, 1]


def test_gradnorm_follows_its_loss() -> None:
    """Against autograd and torch's Adam on the loss of the paper."""
    balancer = GradNorm(alpha=1.5, lr=0.05)
    state = balancer.init(3)
    weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=0.05)
    losses = sequence(3, 15, 3)
    for t in range(15):
        jacobian = torch.randn(3, 5, generator=torch.Generator().manual_seed(t), dtype=torch.float64)
        norms = jacobian.norm(dim=1)
        given, state = balancer.update(state, TaskStatistics(losses[t], jacobian @ jacobian.T))
        torch.testing.assert_close(3 * given, weight.detach())
        rate = losses[t] / losses[0]
        pulls = weight * norms
        target = (pulls.mean() * (rate / rate.mean()) ** 1.5).detach()
        optimizer.zero_grad()
        (pulls - target).abs().sum().backward()
        optimizer.step()
        with torch.no_grad():
            weight *= 3 / weight.sum()
    torch.testing.assert_close(state["weight"], weight.detach())


def test_gradnorm_makes_pulls_equal_when_all_learn_alike() -> None:
    balancer = GradNorm(lr=0.01)
    state = balancer.init(2)
    gramian = torch.diag(torch.tensor([16.0, 1.0]))
    for _ in range(300):
        weights, state = balancer.update(state, TaskStatistics(torch.ones(2), gramian))
    assert (weights * torch.tensor([4.0, 1.0])).tolist() == pytest.approx([0.8, 0.8], rel=0.1)


def test_famo_agrees_with_torchjd_over_steps() -> None:
    scalarization = pytest.importorskip("torchjd.scalarization")
    theirs, ours = scalarization.FAMO(3, lr=0.05, weight_decay=0.01).double(), FAMO(lr=0.05, weight_decay=0.01)
    state = ours.init(3)
    losses = sequence(4, 21, 3)
    for before, after in pairwise(losses):
        variable = before.clone().requires_grad_()
        (expected,) = torch.autograd.grad(theirs(variable), variable)
        weights, state = ours.update(state, TaskStatistics(before, torch.eye(3)))
        torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)
        theirs.update(after)
        state = ours.after_step(state, before, after)


def test_famo_takes_weight_from_the_task_that_gains_most() -> None:
    balancer = FAMO()
    state = balancer.after_step(balancer.init(2), torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.9]))
    weights, _ = balancer.update(state, statistics(1, 1))
    assert weights[0] < weights[1]


def test_famo_ignores_a_task_whose_loss_is_lost_in_the_step() -> None:
    balancer = FAMO()
    start: State = balancer.init(3)
    state = balancer.after_step(start, torch.ones(3), torch.tensor([0.5, torch.nan, 0.9]))
    assert all(state[key][1] == start[key][1] for key in state)
    two = balancer.after_step(balancer.init(2), torch.ones(2), torch.tensor([0.5, 0.9]))
    torch.testing.assert_close(state["logit"][[0, 2]], two["logit"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UWSO(0), "temperature must be above 0; found 0"),
        (lambda: DWA(-1), "temperature must be above 0; found -1"),
        (lambda: STCH(0), "mu must be above 0; found 0"),
        (lambda: STCH(warmup=-1), "warmup must not be negative; found -1"),
        (lambda: SLAW(beta=1), "beta must be at least 0 and below 1; found 1"),
        (lambda: SLAW(floor=0), "floor must be above 0; found 0"),
        (lambda: GradNorm(alpha=-1), "alpha must not be negative; found -1"),
    ],
)
def test_settings_out_of_range(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=message):
        make()

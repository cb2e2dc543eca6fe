"""Balancers around another one: `log` and `cr_mogm`."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import CRMOGM, MGDA, Balancer, CAGrad, LogLosses, State, TaskStatistics, make_balancer


def sampled(seed: int, n_tasks: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(n_tasks, 6, generator=generator, dtype=torch.float64)
    return torch.rand(n_tasks, generator=generator, dtype=torch.float64) + 0.1, jacobian


def step(balancer: Balancer, state: State, losses: Tensor, jacobian: Tensor) -> tuple[Tensor, State]:
    """The direction, and the new state."""
    generator = torch.Generator().manual_seed(0)
    rows, state = balancer.transform(state, losses, jacobian, generator)
    weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.T), generator)
    return weights @ rows, state


@pytest.mark.parametrize("name", ["mgda", "cagrad", "fairgrad", "imtl_g", "nash_mtl", "pcgrad", "graddrop"])
def test_a_method_on_logarithms_sees_the_gradients_of_the_logarithms(name: str) -> None:
    for seed in range(4):
        losses, jacobian = sampled(seed)
        ours = make_balancer("log", of=name)
        found, _ = step(ours, ours.init(3), losses, jacobian)
        plain = make_balancer(name)
        expected, _ = step(plain, plain.init(3), losses, jacobian / losses.unsqueeze(-1))
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["mgda", "cagrad", "fairgrad"])
def test_the_unit_of_a_loss_has_no_influence(name: str) -> None:
    losses, jacobian = sampled(5)
    units = torch.tensor([1.0, 1e-3, 50.0], dtype=torch.float64)
    balancer = make_balancer("log", of=name)
    one, _ = step(balancer, balancer.init(3), losses, jacobian)
    other, _ = step(balancer, balancer.init(3), units * losses, units.unsqueeze(-1) * jacobian)
    torch.testing.assert_close(other, one)


def test_a_loss_of_zero_does_no_harm() -> None:
    losses, jacobian = sampled(6)
    losses[1] = 0
    found, _ = step(LogLosses(CAGrad()), {}, losses, jacobian)
    assert torch.isfinite(found).all()


def test_cr_mogm_is_a_running_mean_from_the_first_weights() -> None:
    balancer, plain = CRMOGM(MGDA(), smoothing=0.8), MGDA()
    state = balancer.init(3)
    mean = None
    for seed in range(5):
        losses, jacobian = sampled(seed)
        statistics = TaskStatistics(losses, jacobian @ jacobian.T)
        weights, state = balancer.update(state, statistics)
        found, _ = plain.update({}, statistics)
        mean = found if mean is None else 0.8 * mean + 0.2 * found
        torch.testing.assert_close(weights, mean)


def test_cr_mogm_without_smoothing_is_the_inner_method() -> None:
    balancer, plain = make_balancer("cr_mogm", of="db_mtl", smoothing=0), make_balancer("db_mtl")
    state, own = balancer.init(3), plain.init(3)
    for seed in range(4):
        found, state = step(balancer, state, *sampled(seed))
        expected, own = step(plain, own, *sampled(seed))
        torch.testing.assert_close(found, expected)


def test_cr_mogm_goes_on_from_a_task_s_own_last_weight() -> None:
    balancer = CRMOGM(MGDA(), smoothing=0.5)
    state = balancer.init(3)
    for seed in range(2):
        losses, jacobian = sampled(seed)
        _, state = balancer.update(state, TaskStatistics(losses, jacobian @ jacobian.T))
    kept = state["weight"][1]
    losses, jacobian = sampled(2)
    losses[1] = torch.nan
    _, state = balancer.update(state, TaskStatistics(losses, jacobian @ jacobian.T))
    losses, jacobian = sampled(3)
    weights, _ = balancer.update(state, TaskStatistics(losses, jacobian @ jacobian.T))
    (found, _) = MGDA().update({}, TaskStatistics(losses, jacobian @ jacobian.T))
    assert float(weights[1]) == pytest.approx(float(0.5 * kept + 0.5 * found[1]))


def test_the_inner_method_keeps_what_it_remembers() -> None:
    balancer, plain = make_balancer("cr_mogm", of="famo", smoothing=0, lr=0.5), make_balancer("famo", lr=0.5)
    state, own = balancer.init(2), plain.init(2)
    before, after = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.9])
    for _ in range(3):
        state, own = balancer.after_step(state, before, after), plain.after_step(own, before, after)
    weights, _ = balancer.update(state, TaskStatistics(before, torch.eye(2)))
    expected, _ = plain.update(own, TaskStatistics(before, torch.eye(2)))
    torch.testing.assert_close(weights, expected)
    assert float(weights[0]) != pytest.approx(2 / 3)  # what it would be without memory


def test_wrappers_read_and_scale_as_the_inner_method() -> None:
    for name in ("famo", "mgda", "sdmgrad", "excess_mtl"):
        plain, around = make_balancer(name), make_balancer("cr_mogm", of=name)
        assert (around.needs, around.scales_heads) == (plain.needs, plain.scales_heads)


def test_settings_go_to_whom_they_belong() -> None:
    balancer = make_balancer("cr_mogm", of="cagrad", c=0.1, smoothing=0.3)
    assert isinstance(balancer, CRMOGM)
    assert isinstance(balancer.of, CAGrad)
    assert (balancer.smoothing, balancer.of.c) == (0.3, 0.1)
    assert isinstance(make_balancer("log", of=MGDA()), LogLosses)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("log", {}, "balancer 'log' needs its setting 'of'"),
        ("log", {"of": "mgad"}, "no balancer 'mgad'; there are: equal, fixed"),
        ("log", {"of": "cagrad", "q": 1}, "balancer 'cagrad' has no setting 'q'; its settings are: c, rescale"),
        ("log", {"of": "famo"}, "only methods that read nothing but gradients, such as mgda or cagrad.*FAMO reads"),
        ("cr_mogm", {"of": "mgda", "smoothing": 1}, "smoothing must be at least 0 and below 1; found 1"),
    ],
)
def test_what_cannot_be_wrapped(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_balancer(name, **settings)

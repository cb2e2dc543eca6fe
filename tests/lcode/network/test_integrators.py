from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lcode.network.integrators import SOLVERS, hermite, solve_dopri5, solve_rk4

Z0 = torch.tensor([[1.0], [0.5]], dtype=torch.float64)


def timed(field: Callable[[Tensor, float], Tensor], steps: int) -> Callable[[Tensor, int], Tensor]:
    """A field of the time, asked by the index of the half node."""
    return lambda z, i: field(z, i / (2 * steps))


def logistic(z: Tensor, s: float) -> Tensor:
    """dz/ds = z (1 - z) (1 + s), whose solution is known."""
    return z * (1 - z) * (1 + s)


def exact(s: Tensor) -> Tensor:
    growth = torch.exp(s + s**2 / 2)[..., None]
    return Z0 * growth[:, None] / (1 - Z0 + Z0 * growth[:, None])


def order_of(errors: list[float], steps: list[int]) -> float:
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


def test_runge_kutta_converges_with_the_fourth_order() -> None:
    counts = [4, 8, 16, 32]
    start = 0.2 * Z0
    reference = solve_rk4(timed(logistic, 512), start, 512)[0][-1]
    errors = [float((solve_rk4(timed(logistic, n), start, n)[0][-1] - reference).abs().max()) for n in counts]
    assert order_of(errors, counts) == pytest.approx(4, abs=0.2)


def test_the_solution_of_a_logistic_equation() -> None:
    states, slopes = solve_rk4(timed(logistic, 20), Z0, 20)
    nodes = torch.linspace(0, 1, 21, dtype=torch.float64)
    assert states.shape == slopes.shape == (21, 2, 1)
    torch.testing.assert_close(states, exact(nodes), rtol=0, atol=1e-7)
    torch.testing.assert_close(slopes, logistic(states, 0) * (1 + nodes)[:, None, None])


def test_hermite_meets_the_nodes_and_is_exact_for_cubics() -> None:
    nodes = torch.linspace(0, 1, 6, dtype=torch.float64)
    coefficients = torch.tensor([[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, -4.0, 2.0]], dtype=torch.float64)
    powers = torch.arange(4, dtype=torch.float64)

    def cubic(s: Tensor) -> Tensor:
        return (s[..., None] ** powers) @ coefficients.T

    slopes = (powers[1:] * nodes[:, None] ** (powers[1:] - 1)) @ coefficients[:, 1:].T
    at = torch.tensor([0.0, 0.13, 0.2, 0.5, 0.99, 1.0], dtype=torch.float64)
    torch.testing.assert_close(hermite(cubic(nodes)[:, None], slopes[:, None], at[None])[0], cubic(at))
    torch.testing.assert_close(hermite(cubic(nodes)[:, None], slopes[:, None], nodes[None])[0], cubic(nodes))


def test_hermite_between_the_nodes_converges_with_the_fourth_order_in_the_step() -> None:
    at = torch.linspace(0, 1, 301, dtype=torch.float64)
    counts, errors = [4, 8, 16, 32], []
    for n in counts:
        nodes = torch.linspace(0, 1, n + 1, dtype=torch.float64)
        curve = hermite(torch.sin(3 * nodes)[:, None, None], 3 * torch.cos(3 * nodes)[:, None, None], at[None])
        errors.append(float((curve[0, :, 0] - torch.sin(3 * at)).abs().max()))
    assert order_of(errors, counts) == pytest.approx(4, abs=0.2)


def test_hermite_takes_other_queries_for_every_state_and_clamps_them() -> None:
    states = torch.linspace(0, 1, 5)[:, None, None].expand(5, 2, 1)
    slopes = torch.ones(5, 2, 1)
    at = torch.tensor([[-1.0, 0.3], [0.6, 7.0]])
    torch.testing.assert_close(hermite(states, slopes, at)[..., 0], at.clamp(0, 1))


@pytest.mark.parametrize("name", SOLVERS)
def test_gradients_flow_to_the_start_and_the_field(name: str) -> None:
    drive = torch.linspace(0.5, 1.5, 9, dtype=torch.float64)

    def end(start: Tensor, weight: Tensor) -> Tensor:
        states, slopes = SOLVERS[name](lambda z, i: torch.tanh(z @ weight) * drive[i], start, 4)
        return hermite(states, slopes, torch.tensor([[0.3, 1.0]], dtype=torch.float64))

    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    weight = torch.randn(2, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    if name == "rk4":
        assert torch.autograd.gradcheck(end, (start, weight))
    else:  # adaptive steps change with the input: too rough for finite differences
        ours = torch.autograd.grad(end(start, weight).sum(), (start, weight))
        states, slopes = solve_rk4(lambda z, i: torch.tanh(z @ weight) * drive[i], start, 4)
        at = torch.tensor([[0.3, 1.0]], dtype=torch.float64)
        theirs = torch.autograd.grad(hermite(states, slopes, at).sum(), (start, weight))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-2)


def test_the_adaptive_solver_is_asked_for_the_same_nodes() -> None:
    # Between its own steps torchdiffeq interpolates, which is far less exact than the steps: hence the tolerance.
    adaptive = solve_dopri5(timed(logistic, 20), Z0, 20, rtol=1e-8, atol=1e-9)
    for ours, theirs in zip(solve_rk4(timed(logistic, 20), Z0, 20), adaptive, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_a_long_growth_is_not_lost_between_few_nodes() -> None:
    growth = solve_rk4(lambda z, _: z, torch.ones(1, dtype=torch.float64), 10)[0][-1]
    assert float(growth) == pytest.approx(math.e, abs=3e-6)

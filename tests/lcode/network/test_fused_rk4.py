"""The hand-written solve against the plain one: same states, same gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.network.dynamics import Course
from lcode.network.fused_rk4 import Listening, fused_rk4
from lcode.network.vector_field import VectorField

MEMBERS, RUNS, LATENT, HIDDEN, CONTROLS, STEPS = 2, 3, 3, 4, 2, 2


def random(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_the_backward_pass_is_that_of_finite_differences(tasks: int) -> None:
    generator = torch.Generator().manual_seed(tasks)
    width = LATENT if tasks == 1 else 2 * LATENT
    shapes = [
        (MEMBERS, LATENT, tasks, RUNS),
        (MEMBERS, HIDDEN, tasks, RUNS),
        (2 * STEPS + 1, MEMBERS, HIDDEN, RUNS),
        (MEMBERS, HIDDEN, width),
        (MEMBERS, LATENT, HIDDEN),
        (MEMBERS, LATENT, 1),
        (MEMBERS, LATENT, 1),
    ]
    if tasks > 1:
        shapes += [(MEMBERS, LATENT, LATENT), (MEMBERS, LATENT, 1), (MEMBERS, tasks, tasks, 1)]
    inputs = tuple(random(generator, *shape) for shape in shapes)

    def solve(*given: Tensor) -> Tensor:
        start, base, drive, w_in, w_out, b_out, speed, *listening = given
        return fused_rk4(start, base, drive, w_in, w_out, b_out, speed, Listening(*listening) if listening else None)

    assert torch.autograd.gradcheck(solve, inputs)
    with torch.no_grad():
        assert torch.equal(solve(*inputs), solve(*(i.detach().requires_grad_() for i in inputs)))


@pytest.mark.parametrize(("tasks", "coupled"), [(1, False), (1, True), (2, True), (4, True), (3, False)])
def test_it_solves_the_field_as_the_plain_solver_does(tasks: int, coupled: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    field = VectorField(MEMBERS, LATENT, HIDDEN, CONTROLS, coupled, generator).double()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    z0, context = random(generator, MEMBERS, RUNS, tasks, LATENT), random(generator, MEMBERS, RUNS, tasks, HIDDEN)
    course = Course(
        at=torch.rand(RUNS, 5, generator=generator, dtype=torch.float64),
        controls=lambda clock: torch.stack([clock, clock**2], -1).expand(RUNS, -1, -1).double(),
        cosines=torch.rand(RUNS, tasks, tasks, generator=generator, dtype=torch.float64),
        steps=STEPS,
    )
    inputs = [z0, context, *field.parameters()]
    seed = torch.randn(2, STEPS + 1, MEMBERS, RUNS, tasks, LATENT, dtype=torch.float64, generator=generator)
    fused, plain = (torch.stack(solve(z0, context, course)) for solve in (field.solve_fused, field.solve_plain))
    torch.testing.assert_close(fused, plain)
    for ours, theirs in zip(
        *(torch.autograd.grad(s, inputs, seed, allow_unused=True, materialize_grads=True) for s in (fused, plain)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)

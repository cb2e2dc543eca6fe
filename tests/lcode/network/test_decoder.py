from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.network.decoder import QuantileDecoder

MEMBERS, RUNS, TASKS, QUERIES, LATENT, HIDDEN, LEADS = 2, 3, 2, 4, 3, 5, 6


def inputs(generator: torch.Generator, size: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States, lead times, context and last values."""
    shapes = (
        (MEMBERS, RUNS, TASKS, QUERIES, LATENT),
        (RUNS, QUERIES, LEADS),
        (MEMBERS, RUNS, TASKS, HIDDEN),
        (RUNS, TASKS),
    )
    z, lead, context, last = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return size * z, lead, size * context, last


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.1, 30))
def test_quantiles_ascend(seed: int, size: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    decoder = QuantileDecoder(MEMBERS, LATENT, LEADS, HIDDEN, True, generator)
    quantiles = decoder(*(tensor.float() for tensor in inputs(generator, size)))
    assert quantiles.shape == (MEMBERS, RUNS, TASKS, QUERIES, 21)
    assert (quantiles.diff(dim=-1) >= 0).all() and torch.isfinite(quantiles).all()


@pytest.mark.parametrize("anchored", [True, False])
def test_quantiles_are_the_median_and_sums_of_gaps(anchored: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    decoder = QuantileDecoder(MEMBERS, LATENT, LEADS, HIDDEN, anchored, generator).double()
    z, lead, context, last = inputs(generator)
    raw = decoder.net(torch.cat([z, lead[None, :, None].expand(MEMBERS, -1, TASKS, -1, -1)], -1))
    gaps = decoder.spacing * torch.exp((raw[..., 2:] + raw[..., 1:2] - 1.5).clamp(-9, 3))
    median = raw[..., 0]
    if decoder.gate is not None:
        median = median + torch.sigmoid(decoder.gate(context) + 2) * last[None, ..., None]
    quantiles = decoder(z, lead, context, last)
    torch.testing.assert_close(quantiles[..., 10], median)
    torch.testing.assert_close(quantiles.diff(dim=-1), gaps)


@pytest.mark.parametrize("anchored", [True, False])
def test_the_backward_pass_is_that_of_finite_differences(anchored: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    decoder = QuantileDecoder(MEMBERS, LATENT, LEADS, HIDDEN, anchored, generator).double()
    z, lead, context, last = inputs(generator)
    names, parameters = zip(*decoder.named_parameters(), strict=True)

    def decode(states: Tensor, given_context: Tensor, *given: Tensor) -> Tensor:
        named = dict(zip(names, given, strict=True))
        result: Tensor = torch.func.functional_call(decoder, named, (states, lead, given_context, last))
        return result

    assert torch.autograd.gradcheck(decode, (z.requires_grad_(), context.requires_grad_(anchored), *parameters))


def test_a_gap_at_its_bound_gives_no_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    decoder = QuantileDecoder(MEMBERS, LATENT, LEADS, HIDDEN, False, generator).double()
    with torch.no_grad():
        decoder.net.linears[-1].bias[..., 1] = 100.0  # the log scale
    z, lead, context, last = inputs(generator)
    quantiles = decoder(z, lead, context, last)
    (quantiles[..., -1] - quantiles[..., 0]).sum().backward()
    assert not torch.as_tensor(decoder.net.linears[-1].weight.grad).any()

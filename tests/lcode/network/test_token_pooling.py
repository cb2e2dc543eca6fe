from __future__ import annotations

import torch
from torch import Tensor

from lcode.network.curve_encoder import POINT_FEATURES, SUMMARY_FEATURES, TOKENS, CurveEncoder
from lcode.network.token_pooling import pool_tokens

MEMBERS, CURVES = 2, 5


def tokens_and_mask(generator: torch.Generator, features: int) -> tuple[Tensor, Tensor]:
    """Some points missing everywhere, a curve without any."""
    there = torch.rand(CURVES, TOKENS, generator=generator) < 0.6
    there[3] = False
    return torch.randn(CURVES, TOKENS, features, generator=generator, dtype=torch.float64), there


def test_the_backward_pass_is_that_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens, there = tokens_and_mask(generator, 3)
    shapes = (MEMBERS, 3, 4), (MEMBERS, 1, 4), (MEMBERS, 4, 2)
    inputs = tuple(torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes)
    assert torch.autograd.gradcheck(lambda *given: pool_tokens(tokens, there, *given), inputs)


def test_a_curve_without_a_point_is_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens, there = tokens_and_mask(generator, 3)
    shapes = (MEMBERS, 3, 4), (MEMBERS, 1, 4), (MEMBERS, 4, 2)
    weights = (torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    pooled = pool_tokens(tokens, there, *weights)
    assert (pooled[:, 3] == 0).all() and (pooled[:, [0, 1, 2, 4]] != 0).any()


def test_the_encoder_pools_as_its_layers_one_after_the_other_would() -> None:
    generator = torch.Generator().manual_seed(0)
    encoder = CurveEncoder(MEMBERS, 1, 6, generator).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    tokens, there = tokens_and_mask(generator, POINT_FEATURES + 1)
    summary = torch.randn(CURVES, 1, SUMMARY_FEATURES, generator=generator, dtype=torch.float64)

    points = encoder.points(tokens[:, None].expand(MEMBERS, -1, -1, -1, -1))
    scores = encoder.scores(points).masked_fill(~there[:, None, :, None], -1e4)
    weights = scores.softmax(-2) * there[:, None, :, None]
    pooled = torch.einsum("mbktq,mbkth->mbkqh", weights, points).flatten(-2)
    expected = encoder.out(torch.cat([pooled, summary.expand(MEMBERS, -1, -1, -1)], -1))

    torch.testing.assert_close(encoder(tokens[:, None], there[:, None], summary), expected)

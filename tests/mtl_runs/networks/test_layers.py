from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mtl_runs.networks.layers import Conv, Linear, Norm, grouped, one_by_one
from mtl_runs.networks.operations import Flatten, Fork, Halve, Pick, Sigmoid, Upsample
from mtl_runs.networks.stitch import Stitch


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _fill(layer: nn.Module) -> None:
    for seed, parameter in enumerate(layer.parameters()):
        parameter.detach().normal_(generator=torch.Generator().manual_seed(seed))


@settings(deadline=None)
@given(n_in=st.integers(1, 40), n_out=st.integers(1, 40), batch=st.integers(1, 9), copies=st.integers(0, 3))
def test_linear_is_a_matrix_product_for_every_member_and_copy(n_in: int, n_out: int, batch: int, copies: int) -> None:
    layer = Linear(2, n_in, n_out, gain="relu", copies=copies)
    _fill(layer)
    values = _random(*((2, copies) if copies else (2,)), batch, n_in)
    torch.testing.assert_close(layer(values), values @ layer.weight + layer.bias)


@pytest.mark.parametrize(("kernel", "stride", "copies"), [(3, 1, 0), (3, 2, 0), (1, 2, 0), (3, 2, 3)])
def test_conv_is_a_convolution_for_every_member_and_copy(kernel: int, stride: int, copies: int) -> None:
    layer = Conv(2, 3, 4, gain="relu", kernel=kernel, stride=stride, copies=copies)
    _fill(layer)
    values = _random(*((2, copies) if copies else (2,)), 5, 3, 7, 6)
    result = layer(values).flatten(0, -5)
    size = (4, 3) if stride == 2 else (7, 6)
    assert layer(values).shape == (*values.shape[:-3], 4, *size)
    alone = nn.Conv2d(3, 4, kernel, stride, padding=kernel // 2)
    for i, part in enumerate(values.flatten(0, -5)):
        alone.weight.data, alone.bias.data = layer.weight.flatten(0, -5)[i], layer.bias.flatten(0, -2)[i]  # type: ignore[union-attr]
        torch.testing.assert_close(result[i], alone(part))


def test_both_ways_of_convolving_agree() -> None:
    values, weight, bias = _random(3, 2, 4, 7, 5), _random(3, 6, 4, 3, 3), _random(3, 6)
    torch.testing.assert_close(grouped(values, weight, bias, 2), one_by_one(values, weight, bias, 2))


def test_norm_of_every_sample() -> None:
    layer = Norm(2, 3)
    layer.initialise([torch.Generator()] * 2)
    result = layer(5 + 2 * _random(2, 4, 3, 6, 6)).flatten(2)
    torch.testing.assert_close(result.mean(-1), torch.zeros(2, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.var(-1, correction=0), torch.ones(2, 4), atol=1e-4, rtol=0)


def test_cross_stitch_by_hand() -> None:
    layer = Stitch(2, 2)
    layer.initialise([torch.Generator()] * 2)
    values = torch.tensor([[[[1.0, 2.0]], [[10.0, 20.0]]], [[[0.0, 1.0]], [[1.0, 0.0]]]])
    expected = torch.tensor([[[[1.9, 3.8]], [[9.1, 18.2]]], [[[0.1, 0.9]], [[0.9, 0.1]]]])
    torch.testing.assert_close(layer(values), expected)


def test_layers_without_weights_by_hand() -> None:
    values = _random(2, 3, 4, 5, 7)
    torch.testing.assert_close(Sigmoid()(values), values.sigmoid())
    assert torch.equal(Flatten(3)(values), values.flatten(2))
    assert Halve()(values).shape == (2, 3, 4, 3, 4)
    assert Halve()(values)[1, 2, 3, 2, 3] == values[1, 2, 3, 4, 6]
    torch.testing.assert_close(Upsample((10, 14))(torch.ones(2, 3, 4, 5, 7)), torch.ones(2, 3, 4, 10, 14))
    assert torch.equal(Pick(2)(Fork(3)(values)), values)


def test_a_layer_puts_out_a_new_tensor() -> None:
    values = _random(2, 3, 4)
    assert Flatten(1)(values) is not values

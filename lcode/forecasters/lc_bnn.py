"""A Bayesian neural network from the configuration to the parameters of curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from lcode.forecast import LEVELS
from lcode.forecasters.gridded import GriddedForecaster, Learned, Steps, linear

HIDDEN = 64
CHAINS = 10
BURN_IN, BETWEEN, KEPT = 600, 40, 10
"""Steps before the first sample of a chain, between samples, and samples of each chain."""

RATE, DECAY = 2e-3, 0.05
"""Step size, and friction of the momentum."""

OWN = 5.0
"""Points of the run to forecast that count at most, whatever their number: else one sample would be all that counts."""

TERMS = 5
"""Basis functions."""

NORMALS = 20
"""Values that stand for each sample's normal distribution."""


class LCBNNForecaster(GriddedForecaster):
    """Learning curves by a Bayesian neural network (Klein et al. 2017, "Learning curve prediction with BNNs").

    A network maps the configuration to a curve: an asymptote and a sum of five basis functions (vapour pressure, power,
    logarithmic power, exponential, Hill), with their parameters and weights, and to its noise. The weights of the
    network are sampled by stochastic-gradient Hamiltonian Monte Carlo under a normal prior: ten chains, ten samples
    each.

    What differs: the chains' step size is fixed instead of adapted during burn-in. They learn from the finished runs
    alone, and each sample counts by the likelihood of the points of the run to forecast, of five at most: with all of
    them and endless samples that is the posterior with these points. Curves are read at fifty shares of their horizon
    at most, a network per metric. It knows nothing of loss weights, plans, signals and graphs.
    """

    name: ClassVar[str] = "lcbnn"

    def learn(self, steps: Steps) -> Learned:
        """Sample the weights."""
        generator = torch.Generator().manual_seed(self.seed)
        sizes = ((steps.places.shape[1], HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 4 * TERMS + 2))
        layers = [[linear(*size, generator) for _ in range(CHAINS)] for size in sizes]
        weights = [
            torch.stack([part.T if part.ndim > 1 else part[None] for part in parts]).requires_grad_()
            for chains in layers
            for parts in zip(*((chain.weight.data, chain.bias.data) for chain in chains), strict=True)
        ]
        chain = _Chain(weights, float(steps.known.sum()), generator)
        kept = []
        for step in range(BURN_IN + BETWEEN * KEPT):
            chain.step(lambda weights: _likelihood(weights, steps))
            if step >= BURN_IN and (step - BURN_IN) % BETWEEN == BETWEEN - 1:
                kept.append([weight.detach().clone() for weight in chain.weights])
        samples = [torch.cat(parts).double() for parts in zip(*kept, strict=True)]
        return _Samples(samples)


class _Chain:
    """Hamiltonian Monte Carlo with noisy gradients and friction (Chen et al. 2014)."""

    def __init__(self, weights: list[Tensor], count: float, generator: torch.Generator) -> None:
        self.weights, self._count, self._generator = weights, count, generator
        self._pace = [torch.zeros_like(weight) for weight in weights]
        self._size = [torch.zeros_like(weight) for weight in weights]

    def step(self, likelihood: Callable[[list[Tensor]], Tensor]) -> None:
        """Move by the gradient of the mean log likelihood and of the prior, scaled as Adam scales it."""
        slopes = torch.autograd.grad(likelihood(self.weights), self.weights)
        with torch.no_grad():
            for weight, slope, pace, size in zip(self.weights, slopes, self._pace, self._size, strict=True):
                slope = slope.clamp(-10, 10) - weight / self._count
                size.mul_(0.99).addcmul_(slope, slope, value=0.01)
                drawn = torch.randn(weight.shape, generator=self._generator, dtype=torch.float32).to(weight.dtype)
                scale = RATE / (size.sqrt() + 1e-3)
                noise = (2 * DECAY * scale / self._count).sqrt() * RATE**0.5 * drawn
                pace.mul_(1 - DECAY).add_(DECAY * scale * slope + noise)
                weight.add_(pace)


class _Samples:
    """Forecasts by sampled weights."""

    def __init__(self, weights: list[Tensor]) -> None:
        self._weights = weights

    def quantiles(self, steps: Steps) -> Tensor:
        """See `Learned`."""
        mean, log_spread = _curves(self._weights, steps)
        logs = (-log_spread - 0.5 * ((steps.values - mean) / log_spread.exp()) ** 2) * steps.known
        fits = logs.sum(-1) * (OWN / steps.seen.clamp(min=1)).clamp(max=1)
        weights = torch.softmax(fits, 0)[..., None, None].expand(*mean.shape, NORMALS)
        normals = torch.special.ndtri((torch.arange(NORMALS, dtype=torch.float64) + 0.5) / NORMALS)
        values = mean[..., None] + log_spread.exp()[..., None] * normals
        return _weighted_quantiles(*(part.movedim(0, 2).flatten(2) for part in (values, weights)))


def _weighted_quantiles(values: Tensor, weights: Tensor) -> Tensor:
    """Quantiles at `LEVELS` of weighted values [R, J, S], [R, J, 21]."""
    order = values.argsort(-1)
    until = weights.gather(-1, order).cumsum(-1)
    middle = (until - weights.gather(-1, order) / 2) / until[..., -1:]
    levels = torch.from_numpy(LEVELS).expand(*middle.shape[:-1], -1).contiguous()
    place = torch.searchsorted(middle.contiguous(), levels).clamp(max=values.shape[-1] - 1)
    return values.gather(-1, order).gather(-1, place)


def _likelihood(weights: list[Tensor], steps: Steps) -> Tensor:
    """Mean log likelihood of the known values, summed over the samples."""
    mean, log_spread = _curves(weights, steps)
    logs = -log_spread - 0.5 * ((steps.values - mean) / log_spread.exp()) ** 2
    return (logs * steps.known).sum() / steps.known.sum().clamp(min=1)


def _curves(weights: list[Tensor], steps: Steps) -> tuple[Tensor, Tensor]:
    """Mean and log deviation of R curves by E samples, [E, R, J] and [E, R, 1]."""
    state = steps.places.expand(len(weights[0]), *steps.places.shape)
    for layer in (0, 2):
        state = torch.baddbmm(weights[layer + 1], state, weights[layer]).tanh()
    out = torch.baddbmm(weights[5], state, weights[4])
    a, b, c, weight = out[..., : 4 * TERMS].unflatten(-1, (4, TERMS)).unbind(-2)
    t = steps.shares
    powers = (
        (0.5 * softplus(b[..., 1:2])).clamp(max=2),
        1 + c[..., 2:3].tanh(),
        0.2 + softplus(b[..., 4:5]).clamp(max=3),
    )
    terms = [
        (a[..., 0:1] - 0.05 * softplus(b[..., 0:1]) / t + 0.1 * c[..., 0:1] * t.log()).clamp(max=3).exp(),
        -a[..., 1:2] * t ** -powers[0],
        a[..., 2:3] / (1 + (t / b[..., 2:3].clamp(-3, 3).exp()) ** powers[1]),
        b[..., 3:4] * (1 - (-3 * softplus(a[..., 3:4]) * t).exp()),
        a[..., 4:5] / ((softplus(c[..., 4:5]) / t) ** powers[2] + 1),
    ]
    mean = out[..., -2:-1] + sum(weight[..., i : i + 1].tanh() * term for i, term in enumerate(terms))
    return mean, out[..., -1:].clamp(-6, 1)

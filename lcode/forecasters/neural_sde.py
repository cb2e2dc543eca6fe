"""A latent neural stochastic differential equation, without a graph."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from lcode.forecasters.gridded import GriddedForecaster, Learned, Steps, linear, pooled_quantiles

LATENT, HIDDEN = 8, 32
STEPS, BATCH, RATE = 400, 64, 3e-3

PATHS = 100

WEIGHT = 0.01
"""Of the divergence of the first state from its prior, per value that is forecast."""


class NeuralSDEForecaster(GriddedForecaster):
    """A latent neural SDE (Li et al. 2020, arXiv 2001.01328), one of the baselines of LC-GODE.

    A recurrent network reads the prefix and the configuration and gives a normal distribution of the latent state at
    the cutoff; from there on dz = f(z, t, c) dt + g(z, t, c) dW, by Euler and Maruyama, a step for each share of the
    horizon; a value is normal around a function of the state. Trained at random cutoffs by the likelihood of what came
    on a sampled path, less the divergence of the first state from a standard normal. A forecast is a hundred paths.

    What differs: in the paper the posterior process has a drift of its own, which sees the later points, and a
    divergence between the two processes; a forecast has no later points, so here the one process is trained as it is
    used. Gradients go through the steps instead of by the adjoint. Curves are read at fifty shares of their horizon at
    most, a network per metric. It knows nothing of loss weights, plans, signals and graphs.
    """

    name: ClassVar[str] = "nsde"

    def learn(self, steps: Steps) -> Learned:
        """Train on curves that are cut at random."""
        generator = torch.Generator().manual_seed(self.seed)
        net = _Network(steps.places.shape[1], generator)
        optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
        count = steps.values.shape[1]
        for _ in range(STEPS):
            some = steps.rows(torch.randint(len(steps.values), (BATCH,), generator=generator))
            share = torch.rand(BATCH, generator=generator, dtype=torch.float32)
            cut = Steps(some.values, (share**2 * some.seen).long(), some.places)  # early cutoffs are the harder ones
            cut = Steps(some.values * cut.known, cut.seen, cut.places)
            centre, log_spread = net.read(cut)
            noise = torch.randn(count + 1, BATCH, LATENT, generator=generator, dtype=torch.float32)
            mean, log_wide = net.path(cut, centre + log_spread.exp() * noise[0], noise[1:])
            ahead = some.known & ~cut.known
            wrong = log_wide + 0.5 * ((some.values - mean) / log_wide.exp()) ** 2
            apart = 0.5 * (centre**2 + (2 * log_spread).exp() - 1) - log_spread
            optimiser.zero_grad(set_to_none=True)
            ((wrong * ahead).sum() / ahead.sum().clamp(min=1) + WEIGHT * apart.mean()).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
        return _Paths(net.double(), self.seed)


class _Network(nn.Module):
    """Reader of prefixes, drift, diffusion, and decoder."""

    def __init__(self, places: int, generator: torch.Generator) -> None:
        super().__init__()
        self.cell = nn.GRUCell(places + 2, HIDDEN, dtype=torch.float32)
        for name, into in (("weight_ih", places + 2), ("weight_hh", HIDDEN)):
            getattr(self.cell, name).data = linear(into, 3 * HIDDEN, generator).weight.data
        for name in ("bias_ih", "bias_hh"):
            getattr(self.cell, name).data.zero_()
        self.first = linear(HIDDEN + places, 2 * LATENT, generator)
        self.drift = _mlp(LATENT + 1 + places, LATENT, generator)
        self.diffusion = _mlp(LATENT + 1 + places, LATENT, generator)
        self.decoder = _mlp(LATENT, 2, generator)

    def read(self, steps: Steps) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the deviation of the state at the cutoff, [R, LATENT]; prefixes are read backwards."""
        state = steps.values.new_zeros(len(steps.values), HIDDEN)
        for at in range(steps.values.shape[1] - 1, -1, -1):
            seen = steps.known[:, at, None]
            share = steps.shares[at].expand(len(state), 1)
            state = torch.where(
                seen, self.cell(torch.cat([steps.values[:, [at]], share, steps.places], 1), state), state
            )
        centre, log_spread = self.first(torch.cat([state, steps.places], 1)).chunk(2, 1)
        return centre, log_spread.clamp(-5, 2)

    def path(self, steps: Steps, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation of all values, those before the cutoff of no meaning; state [R, …], noise [J, …]."""
        said, width = [], 1.0 / len(steps.shares)
        places = steps.places.reshape(len(state), *[1] * (state.ndim - 2), -1).expand(*state.shape[:-1], -1)
        for at, share in enumerate(steps.shares):
            there = torch.cat([state, share.expand(*state.shape[:-1], 1), places], -1)
            moved = width * 10 * self.drift(there) + width**0.5 * self.diffusion(there).sigmoid() * noise[at]
            goes_on = (at >= steps.seen).reshape(-1, *[1] * (state.ndim - 1))
            state = torch.where(goes_on, state + moved, state)
            said.append(self.decoder(state))
        mean, log_spread = torch.stack(said, -2).unbind(-1)
        return mean, log_spread.clamp(-6, 2)


class _Paths:
    """Forecasts by sampled paths; all runs have the same noise, so that each depends on itself alone."""

    def __init__(self, net: _Network, seed: int) -> None:
        self._net, self._seed = net, seed

    def quantiles(self, steps: Steps) -> Tensor:
        """See `Learned`."""
        generator = torch.Generator().manual_seed(self._seed)
        count = steps.values.shape[1]
        noise = torch.randn(count + 1, PATHS, LATENT, generator=generator, dtype=torch.float64)
        last = torch.randn(PATHS, count, generator=generator, dtype=torch.float64)
        centre, log_spread = (part[:, None] for part in self._net.read(steps))
        mean, log_wide = self._net.path(steps, centre + log_spread.exp() * noise[0], noise[1:])
        return pooled_quantiles((mean + log_wide.exp() * last).transpose(1, 2))


def _mlp(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(linear(inputs, HIDDEN, generator), nn.Tanh(), linear(HIDDEN, outputs, generator))

"""Probabilistic rollouts of a recurrent network whose weights are uncertain."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from lcode.forecasters.gridded import GriddedForecaster, Learned, Steps, linear, pooled_quantiles

HIDDEN = 32
STEPS, BATCH, RATE = 500, 64, 3e-3

DROPPED = 0.1
"""Share of the units that a mask leaves out."""

ROLLOUTS = 100


class VRNNForecaster(GriddedForecaster):
    """Rollouts of a variational recurrent network (Gargiani et al. 2019, arXiv 1910.04522).

    A gated recurrent unit that reads the last value, the share of the training and the configuration predicts the next
    value as a normal distribution. Its weights are uncertain by dropout: a mask of inputs and state that stays the same
    along a curve is a draw of the weights (Gal and Ghahramani 2016). A forecast is a hundred rollouts, each with a mask
    of its own, that read the run's points and from then on what they have drawn themselves.

    What differs: the paper draws the weights from a learned normal distribution; a GRU stands for its LSTM; curves are
    read at fifty shares of their horizon at most, a network per metric. It knows nothing of loss weights, plans,
    signals and graphs.
    """

    name: ClassVar[str] = "vrnn"

    def learn(self, steps: Steps) -> Learned:
        """Fit one-step predictions of the curves, with the true value before each."""
        generator = torch.Generator().manual_seed(self.seed)
        net = _Network(steps.places.shape[1], generator)
        optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
        for _ in range(STEPS):
            some = steps.rows(torch.randint(len(steps.values), (BATCH,), generator=generator))
            mean, log_spread = net.teacher_forced(some, _masks((BATCH,), net.width, generator))
            loss = (log_spread + 0.5 * ((some.values - mean) / log_spread.exp()) ** 2) * some.known
            optimiser.zero_grad(set_to_none=True)
            (loss.sum() / some.known.sum()).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
        return _Rollouts(net.double(), self.seed)


class _Network(nn.Module):
    """The recurrent unit, its start from the configuration, and what it says of the next value."""

    def __init__(self, places: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = places + 2
        self.start = linear(places, HIDDEN, generator)
        self.inputs = linear(self.width, 3 * HIDDEN, generator)
        self.state = linear(HIDDEN, 3 * HIDDEN, generator)
        self.out = linear(HIDDEN, 2, generator)

    def step(self, value: Tensor, share: Tensor, places: Tensor, state: Tensor, masks: tuple[Tensor, Tensor]) -> Tensor:
        """The next state after a value at a share; all but the share, [], are [..., …]."""
        read = torch.cat([value[..., None], share.expand_as(value)[..., None], places], -1) * masks[0]
        into, around = self.inputs(read).chunk(3, -1), self.state(state * masks[1]).chunk(3, -1)
        reset, update = (into[0] + around[0]).sigmoid(), (into[1] + around[1]).sigmoid()
        return update * state + (1 - update) * (into[2] + reset * around[2]).tanh()

    def said(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Mean of the next value, and the logarithm of its deviation."""
        mean, log_spread = self.out(state).unbind(-1)
        return mean, log_spread.clamp(-6, 2)

    def teacher_forced(self, steps: Steps, masks: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """What is said of each value, [R, J], given those before it."""
        state, value, said = self.start(steps.places).tanh(), torch.zeros(len(steps.values)), []
        for at, share in enumerate(steps.shares):
            state = self.step(value, share, steps.places, state, masks)
            said.append(self.said(state))
            value = steps.values[:, at]
        mean, log_spread = (torch.stack(parts, 1) for parts in zip(*said, strict=True))
        return mean, log_spread


class _Rollouts:
    """Forecasts by rollouts; all runs have the same masks and noise, so that each depends on itself alone."""

    def __init__(self, net: _Network, seed: int) -> None:
        self._net, self._seed = net, seed

    def quantiles(self, steps: Steps) -> Tensor:
        """See `Learned`."""
        generator = torch.Generator().manual_seed(self._seed)
        inputs, states = (mask.double() for mask in _masks((1, ROLLOUTS), self._net.width, generator))
        noise = torch.randn(steps.values.shape[1], ROLLOUTS, generator=generator, dtype=torch.float64)
        places = steps.places[:, None].expand(-1, ROLLOUTS, -1)
        state, value, path = self._net.start(places).tanh(), torch.zeros(places.shape[:2], dtype=torch.float64), []
        for at, share in enumerate(steps.shares):
            state = self._net.step(value, share, places, state, (inputs, states))
            mean, log_spread = self._net.said(state)
            drawn = mean + log_spread.exp() * noise[at]
            value = torch.where(steps.known[:, at, None], steps.values[:, at, None], drawn)
            path.append(value)
        return pooled_quantiles(torch.stack(path, 1))


def _masks(shape: tuple[int, ...], width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What is left of the inputs and of the state along whole curves, scaled so that their mean is 1."""
    inputs, state = (
        (torch.rand(*shape, size, generator=generator, dtype=torch.float32) >= DROPPED) / (1 - DROPPED)
        for size in (width, HIDDEN)
    )
    return inputs, state

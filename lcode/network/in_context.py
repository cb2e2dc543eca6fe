"""A network that learns a problem from its examples: finished runs go in beside the run to forecast.

A transformer over runs, without an order among them, in the manner of prior-fitted networks (Müller et al. 2022,
"Transformers can do Bayesian inference", arXiv 2112.10510; for learning curves Rakotoarison et al. 2024, arXiv
2404.16795). Each run is one token (`lcode.curves.tokens`); examples also carry what came of them. Runs look at the
examples, never at each other, so that a forecast depends on the run and the examples alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lcode.curves.tokens import ANCHORS, FEATURES, ExampleScale, Prefixes, Tokens
from lcode.forecast import LEVELS

Array = NDArray[np.float64]

Memory = Sequence[tuple[Tensor, Tensor]]
"""Keys and values of the examples, of each layer."""

CHUNK = 512
"""Runs at a time: bounds the memory whatever the size of the table."""


@dataclass(frozen=True)
class InContextConfig:
    """Sizes of the network.

    Attributes:
        features: numbers of a token beside what came of its run.
        width: of a token within the network.
        layers: number of attention layers.
        heads: attention heads of each.
    """

    features: int = FEATURES
    width: int = 96
    layers: int = 4
    heads: int = 4

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return asdict(self)


class InContextNetwork(nn.Module):
    """Quantiles of what comes of runs, by examples of which it is known.

    Args:
        config: its sizes.
        generator: source of the initial parameters.
    """

    def __init__(self, config: InContextConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.read = _mlp(config.features, width, width)
        self.came = _linear(1 + ANCHORS, width)
        self.layers = nn.ModuleList([_Layer(width, config.heads) for _ in range(config.layers)])
        self.norm = _norm(width)
        self.tell = _mlp(width, width, len(LEVELS) + ANCHORS)
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    bound = module.in_features**-0.5
                    module.weight.uniform_(-bound, bound, generator=generator)
                    module.bias.zero_()

    def forward(self, examples: Tensor, near_examples: Tensor, came: Tensor, runs: Tensor, near: Tensor) -> Tensor:
        """Quantiles on the examples' scale, [B, R, 21].

        Args:
            examples: tokens of N examples of each of B problems, [B, N, F].
            near_examples: their anchors, [B, N, A].
            came: what came of them, on the same scale, [B, N].
            runs: tokens of R runs, [B, R, F].
            near: their anchors, [B, R, A].
        """
        return self._ask(self._learn(examples, near_examples, came), runs, near)

    @torch.no_grad()
    def learn(self, examples: Prefixes, came: Array, leads: Array) -> Examples:
        """Read examples, so that any runs can be forecast by them.

        Args:
            examples: what was known of N examples at their cutoffs.
            came: their values at the leads, all finite, [N, J].
            leads: places between cutoff (0) and horizon (1), [J].
        """
        scale = ExampleScale.of(examples, came, leads)
        return Examples(self, scale, self._learn(*self._tensors(scale.example_tokens(), scale.scaled(came).T)))

    @torch.no_grad()
    def ask(self, memory: Memory, tokens: Tokens) -> Array:
        """Quantiles on the examples' scale of R runs, [J, R, 21]."""
        told: Array = self._ask(memory, *self._tensors(tokens)).double().cpu().numpy()
        return told

    def _learn(self, examples: Tensor, near: Tensor, came: Tensor) -> Memory:
        known = self.read(examples) + self.came(torch.cat([came[..., None], came[..., None] - near], dim=-1))
        memory = []
        for layer in self.layers:
            assert isinstance(layer, _Layer)
            normed = layer.before(known)
            memory.append(layer.remembered(normed))
            known = layer(known, normed, *memory[-1])
        return memory

    def _ask(self, memory: Memory, runs: Tensor, near: Tensor) -> Tensor:
        asked = self.read(runs)
        for layer, remembered in zip(self.layers, memory, strict=True):
            assert isinstance(layer, _Layer)
            asked = layer(asked, layer.before(asked), *remembered)
        told = self.tell(self.norm(asked))
        # Between "stays where it is", what the processes expect, and "ends where the examples say".
        shares = torch.softmax(nn.functional.pad(told[..., :ANCHORS], (1, 0)), dim=-1)[..., 1:]
        middle = (shares * near).sum(-1, keepdim=True) + told[..., ANCHORS : ANCHORS + 1]
        gaps = nn.functional.softplus(told[..., ANCHORS + 1 :] - 2)
        half = gaps.shape[-1] // 2
        below, above = gaps[..., :half], gaps[..., half:]
        down = below.flip(-1).cumsum(-1).flip(-1)
        return torch.cat([middle - down, middle, middle + above.cumsum(-1)], dim=-1)

    def _tensors(self, tokens: Tokens, *others: Array) -> Sequence[Tensor]:
        device = self.came.weight.device
        return [torch.from_numpy(np.ascontiguousarray(part)).float().to(device) for part in (*tokens, *others)]


@dataclass(frozen=True, eq=False)
class Examples:
    """N examples of a problem as a network has read them.

    Attributes:
        network: which did.
        scale: of the metric at J leads, by what came of them.
        memory: what runs look at, of each layer.
    """

    network: InContextNetwork
    scale: ExampleScale
    memory: Memory

    def quantiles(self, runs: Prefixes) -> Array:
        """Forecasts of R runs in model space at the leads, [R, J, 21]."""
        parts = []
        for begin in range(0, len(runs), CHUNK):
            asked = self.scale.tokens(runs.rows(np.arange(begin, min(begin + CHUNK, len(runs)))))
            parts.append(self.scale.unscaled(self.network.ask(self.memory, asked)))
        return np.moveaxis(np.concatenate(parts, axis=1), 0, 1)


class _Layer(nn.Module):
    """Attention to the examples, then a perceptron; the same for examples and for runs."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = _norm(width), _norm(width)
        self.query, self.key_value = _linear(width, width), _linear(width, 2 * width)
        self.out = _linear(width, width)
        self.perceptron = _mlp(width, 2 * width, width)

    def remembered(self, normed: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the examples, of their tokens after `before`, [B, N, D]."""
        key, value = map(self._apart, self.key_value(normed).chunk(2, dim=-1))
        return key, value

    def forward(self, tokens: Tensor, normed: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query = self._apart(self.query(normed))
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.out(seen.transpose(1, 2).flatten(2))
        return tokens + self.perceptron(self.between(tokens))

    def _apart(self, tokens: Tensor) -> Tensor:
        """By heads, [B, T, D] to [B, H, T, D / H]."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class _Linear(nn.Linear):
    """Without initial values: those that PyTorch draws come from the caller's generator.

    `torch.nn.utils.skip_init` does the same, but loads half a second of PyTorch's decompositions for it.
    """

    def reset_parameters(self) -> None:
        """Leave them as they are."""


def _mlp(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(_linear(width, hidden), nn.GELU(), _linear(hidden, out))


def _linear(width: int, out: int) -> nn.Linear:
    return _Linear(width, out, dtype=torch.float32, device="cpu")


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, dtype=torch.float32, device="cpu")

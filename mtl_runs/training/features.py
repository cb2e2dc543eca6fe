"""How far tasks use different features of what they share: their importance channel by channel, and its overlap.

"Robust Analysis of Multi-Task Learning Efficiency" (Mao et al. 2024, arXiv 2402.03557) proposes such a measure, a
saliency by gradients of the shared representation, as a cheap sign of how hard it is to learn tasks together. This is
that idea, but not its formula, which was not at hand: here a channel's importance is by how much a task's loss would
change, to first order, if the channel were 0 (the Taylor criterion of Molchanov et al., ICLR 2017, section 2.2), and
two tasks are as far apart as the total variation distance of their importances.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, cast

import torch
from torch import Tensor

from mtl_runs.networks import MultiTaskNetwork
from mtl_runs.networks.pictures import Features
from mtl_runs.problems import Split, Task

SAMPLES = 128
"""Training samples that are looked at, the first ones: the same for every epoch and run."""


def feature_signals(
    network: MultiTaskNetwork, tasks: Sequence[Task], split: Split, n_members: int
) -> list[dict[str, float]]:
    """Per pair of tasks `disentanglement`, 0..1, of every member; see `disentanglement`.

    One forward pass of the shared part, and one forward and backward pass of each head.

    Args:
        network: of R members.
        tasks: the K tasks.
        split: training data.
        n_members: R.

    Returns:
        R dictionaries; empty ones for a single task.
    """
    if len(tasks) == 1:
        return [{}] * n_members
    inputs, targets = split.inputs[:SAMPLES], [split.targets[task.name][:SAMPLES] for task in tasks]
    stacked = [values.expand(n_members, *values.shape) for values in (inputs, *targets)]
    apart = disentanglement(channel_importance(network, tasks, stacked[0], stacked[1:])).tolist()
    pairs = list(combinations(enumerate(tasks), 2))
    return [{f"{one.name}|{other.name}/disentanglement": own[i][j] for (i, one), (j, other) in pairs} for own in apart]


def disentanglement(importance: Tensor) -> Tensor:
    """How far tasks use different channels: `½ Σ_c |p_ic − p_jc|` with `p_kc = a_kc / Σ_c a_kc`.

    That is 1 less the overlap `Σ_c min(p_ic, p_jc)`: 0 where the same channels matter to both tasks alike, 1 where no
    channel matters to both. The size of a loss does not count.

    Args:
        importance: of each channel to each task, at least 0, [R, K, C].

    Returns:
        [R, K, K], symmetric; NaN for a task that no channel matters to, or whose loss is not finite.
    """
    shares = importance / importance.sum(-1, keepdim=True)
    return ((shares.unsqueeze(2) - shares.unsqueeze(1)).abs().sum(-1) / 2).clamp(max=1)


def channel_importance(
    network: MultiTaskNetwork, tasks: Sequence[Task], inputs: Tensor, targets: Sequence[Tensor]
) -> Tensor:
    """`a_kc = mean over samples of |Σ_pixels h_c · ∂L_k/∂h_c|` for the shared representation h, as the heads get it.

    Channels are the units of a perceptron, the channels of a picture whatever the pixel, both in every copy of a part
    (expert, tower). Of several stages that are handed over, the channels stand one after the other, each with what
    the heads read of it directly. What heads get that no parameter has touched, such as the inputs of gates, is none.

    Args:
        network: of R members, one of the trainer's own.
        tasks: the K tasks.
        inputs: [R, B, *input_shape].
        targets: per task, [R, B, *].

    Returns:
        float64 [R, K, C].
    """
    with torch.enable_grad():
        leaves: dict[int, Tensor] = {}
        features = _detached(network.shared(inputs), leaves)
        channels = list(leaves.values())
        rows = []
        for task, head, target in zip(tasks, network.heads, targets, strict=True):
            # Members do not mix, so the gradient of the sum over members holds each member's own.
            total = task.loss(cast(Tensor, head(features)), target).sum()
            gradients = torch.autograd.grad(total, channels, allow_unused=True, materialize_grads=True)
            rows.append(torch.cat([_per_channel(h, g) for h, g in zip(channels, gradients, strict=True)], -1))
    return torch.stack(rows, 1)


def _detached(features: Any, leaves: dict[int, Tensor]) -> Any:
    """The same features, learned ones without their history; these are put among the leaves, each tensor once."""
    if isinstance(features, Features):
        fine, coarse = (_detached(part, leaves) for part in (features.fine, features.coarse))
        return Features(fine, coarse, None if features.flat is None else coarse.flatten(2))
    if isinstance(features, Tensor):
        if not features.requires_grad:
            return features
        return leaves.setdefault(id(features), features.detach().requires_grad_())
    parts = [_detached(part, leaves) for part in features]
    return type(features)(*parts) if hasattr(features, "_fields") else parts


def _per_channel(values: Tensor, gradients: Tensor) -> Tensor:
    """Importance of the channels of values [R, B, C] or [R, B, C, h, w], or of n copies of them, [R, n, B, ...].

    Returns:
        [R, C], or [R, n·C].
    """
    products = (values.detach() * gradients).double()
    if products.dim() % 2 == 0:  # copies
        products = products.transpose(1, 2).flatten(2, 3)
    per_sample = products.unsqueeze(-1).flatten(3).sum(-1).abs()
    # Samples last: then each mean runs over one contiguous row, whatever the number of members.
    return per_sample.mT.contiguous().mean(-1)

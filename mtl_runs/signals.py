"""The names under which it is logged how tasks get on with each other; `lcode` knows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from torch import Tensor


def named_signals(
    tasks: Sequence[str], losses: Tensor, norms: Tensor, weights: Tensor, cosines: Tensor
) -> dict[str, Tensor]:
    """Per task `train_loss`, `grad_norm` and `weight`, and per pair of tasks the `cosine` of their gradients.

    Args:
        tasks: names of the K tasks.
        losses: [..., K].
        norms: of the tasks' gradients, [..., K].
        weights: [..., K].
        cosines: [..., K, K].

    Returns:
        By name [...].
    """
    named = {}
    for k, task in enumerate(tasks):
        named[f"{task}/train_loss"] = losses[..., k]
        named[f"{task}/grad_norm"] = norms[..., k]
        named[f"{task}/weight"] = weights[..., k]
    for (i, one), (j, other) in combinations(enumerate(tasks), 2):
        named[f"{one}|{other}/cosine"] = cosines[..., i, j]
    return named

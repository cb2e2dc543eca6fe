"""Multi-task networks by name, such as `mlp-64x2`: family, width, depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import torch

from lcode.errors import UsageError
from mtl_runs.networks.base import HardSharing, initialise
from mtl_runs.networks.cnn import cnn
from mtl_runs.networks.graph import architecture_graph
from mtl_runs.networks.mlp import mlp
from mtl_runs.problems.base import Task

Builder = Callable[[int, int, Sequence[int], Sequence[Task]], HardSharing]

FAMILIES: dict[str, Builder] = {"mlp": mlp, "cnn": cnn}
"""Builders from width, depth, input shape and tasks, by the first part of an architecture's name."""


def make_network(arch: str, input_shape: Sequence[int], tasks: Sequence[Task]) -> HardSharing:
    """The network of this name for these inputs and tasks, not yet initialised (`initialise` does that).

    Raises:
        UsageError: the name is not `<family>-<width>x<depth>` of a known family.
    """
    match = re.fullmatch(r"([a-z]+)-([1-9]\d{0,4})x([1-9]\d?)", arch)
    if match is None or match[1] not in FAMILIES:
        forms = ", ".join(f"{family}-<width>x<depth>" for family in FAMILIES)
        raise UsageError(f"no architecture '{arch}'; write one of {forms}, such as mlp-64x2")
    # PyTorch fills new layers from the global generator, which is not ours to advance. (The meta device would draw
    # nothing, but computing shapes on it imports half of PyTorch's compiler.)
    with torch.random.fork_rng(devices=[]):
        return FAMILIES[match[1]](int(match[2]), int(match[3]), input_shape, tasks)


__all__ = ["FAMILIES", "HardSharing", "architecture_graph", "initialise", "make_network"]

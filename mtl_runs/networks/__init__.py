"""Multi-task networks by name, such as `mlp-64x2`: family, width, depth. All are stacks of members, see `base`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lcode.errors import UsageError
from mtl_runs.networks.base import MultiTaskNetwork, initialise
from mtl_runs.networks.cnn import cnn
from mtl_runs.networks.graph import architecture_graph
from mtl_runs.networks.mlp import mlp
from mtl_runs.networks.mmoe import mmoe
from mtl_runs.networks.mtan import mtan
from mtl_runs.networks.own import OWN, OwnNetwork, own_graph, own_network, own_randomness
from mtl_runs.networks.resnet import resnet
from mtl_runs.networks.stitch import stitch, stitchcnn
from mtl_runs.problems.base import Task


@dataclass(frozen=True)
class Family:
    """Networks that differ in a few numbers only.

    Attributes:
        form: of their names, with the numbers in angle brackets; each is at least 1 and has at most five digits
            (width) or two (all others).
        description: one line.
        build: makes one from the shape of an input, the tasks, the number of members, and the numbers by name.
    """

    form: str
    description: str
    build: Callable[..., MultiTaskNetwork]

    def numbers(self, arch: str) -> dict[str, int] | None:
        """The numbers in an architecture's name, None if it is not of this family."""
        pattern = self.form.replace("<width>", r"(?P<width>[1-9]\d{0,4})")
        match = re.fullmatch(re.sub(r"(?<!P)<(\w+)>", r"(?P<\1>[1-9]\\d?)", pattern), arch, re.ASCII)
        return None if match is None else {name: int(digits) for name, digits in match.groupdict().items()}


FAMILIES: dict[str, Family] = {
    "mlp": Family("mlp-<width>x<depth>", "hard sharing of a perceptron; vector tasks", mlp),
    "cnn": Family("cnn-<width>x<depth>", "hard sharing of strided convolutions; pictures", cnn),
    "resnet": Family("resnet-<width>x<depth>", "hard sharing of residual blocks; pictures", resnet),
    "stitch": Family("stitch-<width>x<depth>", "cross-stitched perceptrons, one per task; vector tasks", stitch),
    "stitchcnn": Family("stitchcnn-<width>x<depth>", "cross-stitched cnn towers, one per task; pictures", stitchcnn),
    "mmoe": Family("mmoe-<width>x<depth>e<experts>", "a gated mixture of perceptrons per task; vector tasks", mmoe),
    "mtan": Family("mtan-<width>x<depth>", "shared convolutions under attention masks per task; pictures", mtan),
}
"""All families, by the first part of an architecture's name. Those on pictures take dense tasks too."""


def make_network(arch: str, input_shape: Sequence[int], tasks: Sequence[Task], members: int = 1) -> MultiTaskNetwork:
    """The network of this name for these inputs and tasks, all zero (`initialise` draws its weights).

    Args:
        arch: such as `mlp-64x2`, of a form in `FAMILIES`.
        input_shape: shape of one input.
        tasks: the K tasks.
        members: R, how many networks are stacked.

    Raises:
        UsageError: no family has names of this form, or the family does not suit the inputs or the tasks.
    """
    for family in FAMILIES.values():
        numbers = family.numbers(arch)
        if numbers is not None:
            return family.build(input_shape, tasks, members, **numbers)
    forms = ", ".join(family.form for family in FAMILIES.values())
    raise UsageError(f"no architecture '{arch}'; write one of {forms}, such as mlp-64x2")


def suits(arch: str, input_shape: Sequence[int], tasks: Sequence[Task]) -> bool:
    """Whether a network of this name takes these inputs and has such tasks.

    Args:
        arch: see `make_network`.
        input_shape: likewise.
        tasks: likewise.
    """
    try:
        make_network(arch, input_shape, tasks)
    except UsageError:
        return False
    return True


__all__ = [
    "FAMILIES",
    "OWN",
    "Family",
    "MultiTaskNetwork",
    "OwnNetwork",
    "architecture_graph",
    "initialise",
    "make_network",
    "own_graph",
    "own_network",
    "own_randomness",
    "suits",
]

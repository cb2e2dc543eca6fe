"""Self-supervised pretraining: networks fill in hidden parts of scenes of which nobody says what they show.

It stands for the foundation models of arXiv 2509.23915. As in masked autoencoders (He et al. 2022, arXiv 2111.06377)
only pixels that the network has not seen count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from lcode.table import Metric
from mtl_runs.problems import Problem, Split, Task, scenes
from mtl_runs.problems.sums import mean_of_valid, total
from mtl_runs.studies.arms import usual
from mtl_runs.training import RunSpec, train_population
from mtl_runs.training.held_out import finished_populations

PATCH, HIDDEN = 4, 0.25
"""Side in pixels of the squares that are hidden together, and the share of them that is."""

GREY = 0.5
"""Colour of a hidden pixel."""

UNLABELLED_SEED = 1000
"""Of the scenes; those that tasks are trained, validated and tested on have another."""

TASK = "hidden"


@dataclass(frozen=True)
class Filling(Task):
    """Colours of pixels: squared error on float32 [N, n_outputs, H, W], where pixels of NaN do not count.

    `rmse` is the root of the mean squared error over the pixels and colours that count; colours are about 0..1.
    """

    n_outputs: int = 3

    dense: ClassVar[bool] = True

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """`rmse`."""
        return (Metric(self.name, "rmse", "min"),)

    def target_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """A colour per pixel."""
        return (self.n_outputs, *input_shape[-2:])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error over the pixels that count."""
        return mean_of_valid(*_errors(outputs, targets))

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Sum of the squared errors, and the number of pixels that count."""
        errors, valid = _errors(outputs.double(), targets)
        number = valid.sum().to(torch.float64).expand(len(outputs))
        return torch.stack([total(torch.where(valid, errors, 0.0)), number], -1)

    def measure(self, tally: Tensor) -> dict[str, Tensor]:
        """Root of the mean."""
        (rmse,) = self.metrics
        return {rmse.key: (tally[:, 0] / tally[:, 1]).sqrt()}


def _errors(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of each pixel, mean over its colours, [..., H, W]; and whether the pixel counts."""
    # Zeros for NaN, and not a choice afterwards: the gradient of what is not chosen would be NaN as well.
    return (outputs - targets.nan_to_num()).square().mean(-3), ~targets.isnan().any(-3)


@lru_cache(maxsize=2)
def unlabelled(n: int, side: int) -> Problem:
    """Scenes with hidden squares, to be filled in: n to train, a tenth of that to validate, which is also the test.

    Args:
        n: pictures.
        side: pixels per row and column.
    """
    pictures = scenes(sizes=(n, n // 10, 1), side=side, seed=UNLABELLED_SEED)
    generator = torch.Generator().manual_seed(UNLABELLED_SEED)
    train, validation = (_with_hidden(split.inputs, generator) for split in (pictures.train, pictures.validation))
    return Problem("scenes-hidden", (Filling(TASK),), train, validation, validation)


def _with_hidden(pictures: Tensor, generator: torch.Generator) -> Split:
    """Pictures [N, 3, H, W] with grey squares; targets are the colours there, and NaN elsewhere."""
    across = -(-pictures.shape[-1] // PATCH)
    chances = torch.rand(len(pictures), across**2, generator=generator)
    hidden = (chances.argsort(1).argsort(1) < HIDDEN * across**2).view(-1, 1, across, across)
    hidden = hidden.repeat_interleave(PATCH, -2).repeat_interleave(PATCH, -1)
    hidden = hidden[..., : pictures.shape[-2], : pictures.shape[-1]]
    return Split(torch.where(hidden, GREY, pictures), {TASK: torch.where(hidden, pictures, torch.nan)})


def pretrained(
    arch: str, seeds: Sequence[int], folder: Path, *, problem: Problem, lr: float, batch_size: int, epochs: int
) -> dict[int, Tensor]:
    """Shared parameters of networks that have learned to fill in, [P] by seed; trained once, as one population.

    Args:
        arch: architecture.
        seeds: of first weights and orders of samples, one network each.
        folder: of the logs and checkpoints; what is there is not trained again.
        problem: from `unlabelled`.
        lr: learning rate of the first epoch, for Adam under a cosine.
        batch_size: pictures per step.
        epochs: passes over the pictures.
    """
    config = usual(lr, arch, batch_size=batch_size)
    specs = [RunSpec(f"{arch}-s{seed}", problem.name, config, seed, epochs) for seed in seeds]
    train_population(problem, specs, folder=folder)
    found: dict[int, Tensor] = {}
    for population in finished_populations(problem, specs, folder):
        shared = population.parameters[:, population.groups[0]].clone()
        found |= {member.spec.seed: values for member, values in zip(population.members, shared, strict=True)}
    return found

"""What is trained: for each backbone, first weights and quantity of data, tasks alone and three ways to weigh them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from mtl_runs.problems import Problem, Split, scenes
from mtl_runs.studies.arms import SELECT_SEED, Arm, Experiment, usual
from mtl_runs.studies.backbones.pretraining import pretrained, unlabelled

EQUAL, GRID, INVERSE = "equal", "grid", "inverse_norm"
"""Ways to weigh the tasks. The last is what arXiv 2509.23915 proposes: `‖w_k g_k‖ = ‖Σ_j g_j‖` for every task."""

RANDOM, PRETRAINED = "random", "pretrained"
"""First weights of what the tasks share."""

HEAVY = 4
"""In the grid every task counts once or so often."""


@dataclass(frozen=True)
class Setting:
    """Where the three ways are compared.

    Attributes:
        backbone: architecture.
        start: `random` or `pretrained`.
        share: of the usual number of pictures.
    """

    backbone: str
    start: str
    share: float

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.backbone}-{self.start}-{self.share:g}"


@dataclass(frozen=True)
class Plan:
    """The study.

    Attributes:
        backbones: architectures, from the plainest on.
        shares: quantities of data, as shares of `pictures`; the smaller sets are parts of the larger ones.
        pictures: labelled scenes that are usual.
        held_out: pictures to validate, and to test.
        side: pixels per row and column.
        seeds: that results are reported with; `SELECT_SEED` chooses.
        epochs: of a training. An epoch has as many pictures as the largest share, smaller ones being repeated: all
            trainings take as many steps.
        lr: learning rate of the first epoch, for all: Adam under a cosine.
        batch_size: pictures per step.
        unlabelled: pictures to pretrain on.
        pretraining_lr: learning rate of its first epoch.
        pretraining_epochs: passes over them.
    """

    backbones: tuple[str, ...] = ("cnn-16x2", "resnet-16x2", "mtan-16x2")
    shares: tuple[float, ...] = (0.25, 0.5, 1, 2)
    pictures: int = 400
    held_out: tuple[int, int] = (200, 400)
    side: int = 16
    seeds: tuple[int, ...] = (1, 2, 3)
    epochs: int = 10
    lr: float = 1e-2
    batch_size: int = 32
    unlabelled: int = 3200
    pretraining_lr: float = 3e-3
    pretraining_epochs: int = 6

    @property
    def settings(self) -> list[Setting]:
        """All of them, backbone by backbone."""
        return [Setting(*one) for one in product(self.backbones, (RANDOM, PRETRAINED), self.shares)]

    @cached_property
    def everything(self) -> Problem:
        """The scenes with all labelled pictures of the largest share."""
        return scenes(sizes=(round(max(self.shares) * self.pictures), *self.held_out), side=self.side)

    def problem(self, share: float) -> Problem:
        """The scenes with so much to train on; the other splits are the same for all."""
        whole, number = self.everything.train, round(share * self.pictures)
        at = torch.arange(len(whole)) % number
        train = Split(whole.inputs[at], {task: values[at] for task, values in whole.targets.items()})
        return replace(self.everything, name=f"scenes-{number}", train=train)

    def experiment(self, setting: Setting, out: Path) -> Experiment:
        """The trainings of a setting; of the pretrained ones, the pretraining is done first where it is not yet.

        Args:
            setting: one of `settings`.
            out: folder of the study.
        """
        problem = self.problem(setting.share)
        tasks = [task.name for task in problem.tasks]
        common = usual(self.lr, setting.backbone, batch_size=self.batch_size)
        grid = tuple(
            replace(common, balancer="fixed", balancer_settings={"weights": weights})
            for weights in grid_weights(len(tasks))
        )
        arms = {
            EQUAL: Arm((common,), self.epochs),
            GRID: Arm(grid, self.epochs, EQUAL),
            INVERSE: Arm((replace(common, balancer=INVERSE),), self.epochs, EQUAL),
        }
        references = {task: Arm((replace(common, tasks=(task,)),), self.epochs) for task in tasks}
        shared = self._pretrained(setting.backbone, out) if setting.start == PRETRAINED else None
        return Experiment(setting.name, lambda _: problem, arms, references, self.seeds, shared=shared)

    def _pretrained(self, backbone: str, out: Path) -> Callable[[int], Tensor]:
        """First values of the shared parameters by seed."""
        return pretrained(
            backbone,
            (SELECT_SEED, *self.seeds),
            out / PRETRAINED,
            problem=unlabelled(self.unlabelled, self.side),
            lr=self.pretraining_lr,
            batch_size=self.batch_size,
            epochs=self.pretraining_epochs,
        ).__getitem__


def grid_weights(n_tasks: int) -> Iterator[tuple[int, ...]]:
    """Weights of once or `HEAVY` times for each of K tasks, equal ones once: 2^K - 1 points."""
    return (weights for weights in product((1, HEAVY), repeat=n_tasks) if 1 in weights)

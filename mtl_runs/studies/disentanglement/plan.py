"""What is trained: small problems, each on a few networks; tasks alone, and together under several balancers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import ceil

from mtl_runs.problems import Problem, make_problem, scenes
from mtl_runs.studies.arms import Arm, Experiment, usual

SCENES = "scenes-16"
"""Scenes of 16×16 pixels, with three dense tasks."""

TABLES = ("mlp-32x2", "mlp-8x1", "mmoe-8x1e3")
PICTURES = ("mlp-32x2", "mlp-8x1", "cnn-8x2")
DENSE = ("cnn-8x2", "resnet-8x2", "mtan-8x2")

NETWORKS: Mapping[str, tuple[str, ...]] = {
    "digits-pair": PICTURES,
    "digits": PICTURES,
    SCENES: DENSE,
    "tabular": TABLES,
    "tabular-wide": TABLES,
    "clicks": TABLES,
    "particles": TABLES,
    "waves": TABLES,
}
"""Eight problems of two to five tasks, each with three networks: of perceptrons a larger and a narrow one."""


@cache
def small_problem(name: str) -> Problem:
    """The problem of this name, made once."""
    return scenes(sizes=(320, 100, 200), side=16) if name == SCENES else make_problem(name)


@dataclass(frozen=True)
class Cell:
    """A problem on a network, where tasks alone are what the balancers are held against.

    Attributes:
        problem: its name.
        arch: architecture.
    """

    problem: str
    arch: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.problem}-{self.arch}"


@dataclass(frozen=True)
class Plan:
    """The study; a setting of it is a cell and a balancer.

    Attributes:
        archs: by problem, its networks.
        balancers: names of what weighs the tasks.
        seeds: of the trainings.
        epochs: of a training.
        lr: learning rate of the first epoch, for all: Adam under a cosine.
        batch_sizes: samples per step, by problem; 128 for all others.
        make: the problem of a name.
    """

    archs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NETWORKS)
    balancers: tuple[str, ...] = ("equal", "uncertainty", "inverse_norm", "pcgrad", "mgda")
    seeds: tuple[int, ...] = (1, 2, 3)
    epochs: int = 20
    lr: float = 1e-2
    batch_sizes: Mapping[str, int] = field(default_factory=lambda: {SCENES: 32})
    make: Callable[[str], Problem] = small_problem

    @property
    def cells(self) -> Iterator[Cell]:
        """All of them, problem by problem."""
        return (Cell(problem, arch) for problem, archs in self.archs.items() for arch in archs)

    @property
    def looks(self) -> list[int]:
        """The epochs after which it is asked: the first, a tenth, a quarter, the last."""
        return sorted({1, ceil(self.epochs / 10), ceil(self.epochs / 4), self.epochs})

    def experiment(self, cell: Cell) -> Experiment:
        """The trainings of a cell: every arm has one candidate, so nothing is chosen."""
        problem = self.make(cell.problem)
        common = usual(self.lr, cell.arch, batch_size=self.batch_sizes.get(cell.problem, 128))
        arms = {name: Arm((replace(common, balancer=name),), self.epochs) for name in self.balancers}
        references = {task.name: Arm((replace(common, tasks=(task.name,)),), self.epochs) for task in problem.tasks}
        return Experiment(cell.name, lambda _: problem, arms, references, self.seeds, features=True)

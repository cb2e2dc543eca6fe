"""What is trained: one policy for several tasks under several balancers, and a policy for each task alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lcode.errors import UsageError
from mtl_runs.control import WORLDS, PolicyRun, World, make_world

ALONE = "alone"
"""How the folder of the tasks alone ends."""


@dataclass(frozen=True)
class Group:
    """Trainings among which one rate is chosen.

    Attributes:
        folder: of their logs.
        name: their balancer, or the task that is alone.
        world: what they learn in.
        balancer: what weighs the tasks.
    """

    folder: str
    name: str
    world: World
    balancer: str


@dataclass(frozen=True)
class Plan:
    """The study.

    Attributes:
        worlds: names of the worlds that are learned in, of the same tasks. The tasks alone are trained in the first
            one: alone, the unit of the rewards is nothing that tasks could quarrel about.
        balancers: the first is what all are held against.
        rates: learning rates of the first epoch that are chosen from.
        seeds: of the trainings with what was chosen.
        epochs: of a training.
        choosing: seeds of the trainings by which each balancer, and each task alone, chooses its rate; others than
            those of `seeds`, so that what is reported is not what was chosen by.

    Raises:
        UsageError: the worlds have different tasks, or a seed is of both kinds.
    """

    worlds: tuple[str, ...] = ("control-10", "control-10-scaled")
    balancers: tuple[str, ...] = (
        "equal",
        "inverse_norm",
        "pcgrad",
        "cagrad",
        "fairgrad",
        "imgrad",
        "conicgrad_exact",
        "sdmgrad",
    )
    rates: tuple[float, ...] = (5e-3, 1.5e-2, 4.5e-2)
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    epochs: int = 40
    choosing: tuple[int, ...] = (0, 1001, 1002)

    def __post_init__(self) -> None:
        """Refuse what cannot be held against each other."""
        for world in self.worlds[1:]:
            if WORLDS[world] != WORLDS[self.worlds[0]]:
                raise UsageError(
                    f"worlds of one study have the same tasks, '{self.worlds[0]}' and '{world}' have not; "
                    "call the study for each of them, with a folder of its own"
                )
        if both := set(self.seeds) & set(self.choosing):
            raise UsageError(f"by the seeds {sorted(both)} rates are chosen; ask for fewer seeds")

    @property
    def alone(self) -> Iterator[Group]:
        """A group per task."""
        first = self.worlds[0]
        for task in make_world(first).tasks:
            yield Group(f"{first}-{ALONE}", task, make_world(first, [task]), "equal")

    def together(self, world: str) -> Iterator[Group]:
        """A group per balancer."""
        for balancer in self.balancers:
            yield Group(world, balancer, make_world(world), balancer)

    def runs(self, group: Group, seeds: Sequence[int], rate: float | None = None) -> list[PolicyRun]:
        """The trainings of a group with these seeds: at all rates, or at one."""
        return [
            PolicyRun(f"{group.name}-{number}-s{seed}", group.balancer, lr, seed, self.epochs)
            for number, lr in enumerate(self.rates)
            if rate in (None, lr)
            for seed in seeds
        ]

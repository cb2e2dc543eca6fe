"""What is trained: one policy for ten tasks under several balancers, and a policy for each task alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtl_runs.control import PolicyRun, World, make_world

SELECT_SEED = 0
"""Of the trainings by which each balancer, and each task alone, chooses its rate."""

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
        worlds: names of the built-in worlds that are learned in. The tasks alone are trained in the first one: alone,
            the unit of the rewards is nothing that tasks could quarrel about.
        balancers: the first is what all are held against.
        rates: learning rates of the first epoch that are chosen from.
        seeds: of the trainings with what was chosen.
        epochs: of a training.
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

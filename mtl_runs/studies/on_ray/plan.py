"""What the study trains: a population of a few packs, by whom, and which worker is killed when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from mtl_runs.training import RunConfig, RunSpec


@dataclass(frozen=True)
class Way:
    """How a sweep is trained.

    Attributes:
        engine: key of `mtl_runs.sweeps.engine.ENGINES`.
        workers: processes that train.
        killed: whether one of them is killed in the middle.
    """

    engine: str
    workers: int
    killed: bool = False

    def __str__(self) -> str:
        return f"{self.engine}, {self.workers}" + (", one killed" if self.killed else "")


@dataclass(frozen=True)
class Plan:
    """The study.

    Attributes:
        seeds: of the trainings; each is a sweep in every way.
        epochs: of a run.
        problem: that is learned.
        arch: architecture of all runs.
        lr: their learning rate, at which none diverges.
        balancers: each weighs the tasks of as many runs.
        runs: of a sweep.
        population: runs that are trained together.
        workers: numbers of processes; with the largest one of Ray's is killed.
    """

    seeds: tuple[int, ...] = (1, 2, 3)
    epochs: int = 12
    problem: str = "digits"
    arch: str = "mlp-64x2"
    lr: float = 0.02
    balancers: tuple[str, ...] = ("equal", "uw_o", "dwa", "pcgrad")
    runs: int = 8
    population: int = 2
    workers: tuple[int, ...] = (1, 2)

    @property
    def ways(self) -> Iterator[Way]:
        """The first is what all logs are held against."""
        for workers in self.workers:
            yield from (Way("local", workers), Way("ray", workers))
        yield Way("ray", max(self.workers), killed=True)

    @property
    def killed_at(self) -> int:
        """Epoch after which a worker is killed: past the middle, and past the first checkpoint of a longer run."""
        return ceil(0.55 * self.epochs)

    def specs(self, seed: int) -> list[RunSpec]:
        """The runs of a sweep, of as many seeds of their own as it has runs."""
        return [
            RunSpec(
                f"r{number:02}",
                self.problem,
                RunConfig(arch=self.arch, balancer=self.balancers[number % len(self.balancers)], lr=self.lr),
                seed=1000 * seed + number,
                horizon=self.epochs,
            )
            for number in range(self.runs)
        ]

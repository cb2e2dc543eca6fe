"""Every balancer as a case, with the facts about it that tell which promise holds for it and in what form.

A test of this folder that takes `case` runs over all cases, or over those that its mark `cases` picks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import BALANCERS, Balancer, Generators, Needs, State, TaskStatistics, make_balancer

_DEGREE = {
    "adatask": 0.0,
    "m_config": 0.0,
    "ngdiff": 0.0,
    "moco": 0.0,
    "nash_mtl": 0.0,
    "fairgrad": -1 / 3,
    "pivrg": -1 / 3,
}


@dataclass(frozen=True)
class Case:
    """A balancer with settings that make a method of it.

    Attributes:
        name: what the case is called; that of the balancer where it has its default settings.
        balancer: the balancer's name.
        arguments: its settings.
    """

    name: str
    balancer: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self, n_tasks: int, **more: Any) -> Balancer:
        """The balancer for so many tasks."""
        needed = {"fixed": {"weights": [k + 1.0 for k in range(n_tasks)]}, "pivrg": {"reference": [1.5] * n_tasks}}
        if self.balancer == "torchjd":
            pytest.importorskip("torchjd")
        return make_balancer(self.balancer, **{**needed.get(self.balancer, {}), **self.arguments, **more})

    def first_step(self, jacobian: Tensor, losses: Tensor | None = None, **more: Any) -> tuple[Tensor, Tensor]:
        """Direction and weights of the first step; losses of 1 unless they are given."""
        losses = torch.ones(len(jacobian), dtype=torch.float64) if losses is None else losses
        balancer = self.build(len(jacobian), **more)
        direction, weights, _ = self.step(
            balancer, balancer.init(len(jacobian)), losses, jacobian, torch.Generator().manual_seed(0)
        )
        return direction, weights

    @staticmethod
    def step(
        balancer: Balancer, state: State, losses: Tensor, jacobian: Tensor, generator: Generators
    ) -> tuple[Tensor, Tensor, State]:
        """Direction, weights and new state, as a trainer gets them; all batches are alike."""
        rows, state = balancer.transform(state, losses, jacobian, generator)
        weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.mT), generator)
        rows = torch.where(weights.unsqueeze(-1) == 0, 0.0, rows)
        return (weights.unsqueeze(-1) * rows).sum(-2), weights, state

    @property
    def needs(self) -> Needs:
        """What the balancer reads."""
        if self.balancer == "torchjd":
            return Needs.LOSSES if "losses" in self.name else Needs.GRAMIAN
        return self.build(3).needs

    @property
    def reads_gradients(self) -> bool:
        """Whether it looks at more than the losses."""
        return bool(self.needs & (Needs.GRAMIAN | Needs.JACOBIAN))

    @property
    def samples_tasks(self) -> bool:
        """Whether a step is made for tasks drawn by chance, the others having no weight in it."""
        return self.balancer == "sdmgrad_os"

    @property
    def updates_one_group(self) -> bool:
        """Whether a step is made for one group of tasks, the others having no weight in it."""
        return self.balancer == "sel_update"

    @property
    def drops_signs(self) -> bool:
        """Whether it is GradDrop, which keeps of each coordinate the gradients of one sign."""
        return self.balancer == "graddrop" or self.arguments.get("of") == "graddrop"

    @property
    def random(self) -> bool:
        """Whether it draws numbers."""
        drawn = self.balancer in ("pcgrad", "gradvac", "rlw", "rgw")
        return drawn or self.drops_signs or self.samples_tasks or self.updates_one_group

    @property
    def ordered(self) -> bool:
        """Whether the order of the tasks has a meaning."""
        return self.balancer in ("fixed", "pcd", "ldc_mtl")

    @property
    def degree(self) -> float | None:
        """The d of direction(c·G) = c^d·direction(G).

        None: there is none, as AdaTask's ε, as Adam's, is not small beside gradients of 1e-6, nor are M-ConFIG's and
        PCD's, and MoDo's step grows with the gradients.
        """
        return None if self.balancer in ("adatask", "m_config", "modo", "pcd") else _DEGREE.get(self.name, 1.0)

    @property
    def counts_all(self) -> bool:
        """Whether it divides by the number of all tasks, inactive ones included."""
        return self.balancer == "adatask" or self.drops_signs

    def size(self, jacobian: Tensor) -> float:
        """How long the direction is where gradients do not cancel, roughly."""
        return float(jacobian.norm()) ** _DEGREE.get(self.name, 1.0)


_OF_SETTINGS = (
    Case("torchjd", "torchjd", {"name": "Mean"}),
    Case("log", "log", {"of": "cagrad"}),
    Case("log, a Jacobian method", "log", {"of": "graddrop"}),
    Case("cr_mogm", "cr_mogm", {"of": "mgda"}),
    Case("cr_mogm of famo", "cr_mogm", {"of": "famo"}),
    Case("cr_mogm of db_mtl", "cr_mogm", {"of": "db_mtl"}),
    Case("sel_update in groups", "sel_update", {"warmup": 1, "decay": 0.5}),
    Case("ldc_mtl of logarithms", "ldc_mtl", {"scale": "log"}),
    Case("ldc_mtl of first losses", "ldc_mtl", {"scale": "first"}),
    Case("torchjd, a vector", "torchjd", {"name": "TrimmedMean", "trim_number": 0}),
    Case("torchjd, of losses", "torchjd", {"name": "GeometricMean"}),
    Case("sdmgrad by sgd", "sdmgrad", {"solver": "paper_sgd"}),
    Case("sdmgrad_os by sgd", "sdmgrad_os", {"solver": "paper_sgd"}),
    Case("stch with warm-up", "stch", {"warmup": 2}),
    Case("excess_mtl with warm-up", "excess_mtl", {"warmup": 2}),
)
"""Settings that make another method of a balancer, or without which there is none."""

CASES = {case.name: case for case in (*(Case(name, name) for name in BALANCERS), *_OF_SETTINGS)}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cases(holds): the balancers for which a promise holds; all without the mark")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("cases")
        holds: Callable[[Case], bool] = mark.args[0] if mark else lambda case: True
        chosen = [case for case in CASES.values() if holds(case)]
        metafunc.parametrize("case", chosen, ids=[case.name for case in chosen])

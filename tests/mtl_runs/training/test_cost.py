from __future__ import annotations

import subprocess
import sys

from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig
from mtl_runs.training.cost import configurations, step_costs


def test_every_balancer_is_measured() -> None:
    assert set(BALANCERS) - {"torchjd"} <= set(configurations(3))


def test_the_time_of_a_step(tiny_problem: Problem) -> None:
    configs = {name: RunConfig(arch="mlp-8x1", balancer=name, lr=1e-3) for name in ("equal", "mgda")}
    costs = step_costs(tiny_problem, configs, members=2, turns=2, steps=1)
    assert list(costs) == ["equal", "mgda"]
    assert all(0 < cost.seconds < 10 for cost in costs.values())
    assert 0.1 < costs["equal"].ratio < 10


def test_asked_for_help_it_measures_nothing() -> None:
    command = [sys.executable, "-m", "mtl_runs.training.cost", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "Usage" in told and "x equal" not in told

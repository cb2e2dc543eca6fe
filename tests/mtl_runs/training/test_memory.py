"""The estimate holds: a population stays below it, whether parameters, the Jacobian or activations fill the memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys, tempfile
from pathlib import Path
import torch
from mtl_runs.problems import make_problem
from mtl_runs.training import RunConfig, RunSpec, train_population
from mtl_runs.training.memory import bytes_per_member

torch.set_num_threads(1)
arch, members, batch_size, balancer = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
problem = make_problem("digits")

def train(arch, members):
    config = RunConfig(arch=arch, balancer=balancer, batch_size=batch_size, optimizer="adam", lr=1e-3)
    specs = [RunSpec(f"r{i}", "digits", config, i, 1) for i in range(members)]
    train_population(problem, specs, folder=Path(tempfile.mkdtemp()))
    # Not `getrusage`, whose peak starts with that of the process that started this one.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024, members * bytes_per_member(problem, config)

# What importing and the first calls take is not the population's.
before, _ = train(arch.split("-")[0] + "-2x1", 1)
after, estimate = train(arch, members)
print((after - before) / estimate)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
@pytest.mark.parametrize(
    ("arch", "members", "batch_size", "balancer"),
    [("mlp-256x3", 16, 128, "mgda"), ("mlp-64x2", 32, 128, "moco"), ("cnn-16x2", 16, 256, "equal")],
)
def test_a_population_stays_below_its_estimate(arch: str, members: int, batch_size: int, balancer: str) -> None:
    command = [sys.executable, "-c", SCRIPT, arch, str(members), str(batch_size), balancer]
    share = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert share < 1
    # Nor is it out of all proportion: the first two are all parameters and rows of them.
    assert share > 0.1 or arch.startswith("cnn")

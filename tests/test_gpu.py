"""On a GPU the numbers are those of the CPU; `tools/gpu_check.sh` runs these where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import lcode
import mtl_runs
from lcode.forecast import Q05, Q50, Q95
from lcode.pretraining.prior import synthetic_runs
from mtl_runs.problems import make_problem
from mtl_runs.training import EpochReport, train_population
from mtl_runs.training.throughput import members

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU"),
]
DEVICE = "cuda"


@pytest.mark.parametrize("finished", [0, 12])
def test_forecasts_are_those_of_the_cpu(finished: int) -> None:
    known = synthetic_runs(12, tasks=2, horizon=20, seed=1, metrics=["loss"])
    known = known if finished else known.prefix(5)
    seen = synthetic_runs(6, tasks=2, horizon=20, seed=2, metrics=["loss"]).prefix(5)
    ours, theirs = (lcode.load(device=device).predict(seen, context=known).quantiles for device in (DEVICE, "cpu"))
    width = theirs[..., Q95] - theirs[..., Q05]
    assert np.all(np.abs(ours - theirs)[..., Q50] < 0.02 * width)
    np.testing.assert_allclose(ours, theirs, rtol=0.02)


@pytest.mark.parametrize("balancers", [("equal", "uncertainty"), ("mgda", "cagrad", "fairgrad")])
def test_an_epoch_is_that_of_the_cpu(balancers: tuple[str, ...], tmp_path: Path) -> None:
    specs = members("digits", balancers, 6, arch="mlp-16x1", batch_size=128, epochs=1)
    values: dict[str, list[list[float]]] = {DEVICE: [], "cpu": []}
    for device, found in values.items():

        def keep(reports: Sequence[EpochReport], found: list[list[float]] = found) -> list[None]:
            found += [[*report.values.values()] for report in reports]
            return [None] * len(reports)

        train_population(make_problem("digits"), specs, folder=tmp_path / device, on_epochs=keep, device=device)
    np.testing.assert_allclose(values[DEVICE], values["cpu"], rtol=0.05, atol=0.01)


@pytest.mark.parametrize("balancer", ["equal", "mgda", "cagrad", "nash_mtl", "conicgrad_exact"])
def test_a_direction_is_that_of_the_cpu(balancer: str) -> None:
    directions = []
    for device in (DEVICE, "cpu"):
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(8, 4, generator=generator).to(device).requires_grad_()
        inputs = torch.randn(16, 4, generator=generator).to(device)
        balance = mtl_runs.Balance(balancer, shared=weight, tasks=("a", "b", "c"))
        outputs = inputs @ weight.T
        balance.backward({name: (outputs[:, at] - at).square().mean() for at, name in enumerate("abc")})
        assert weight.grad is not None
        directions.append(weight.grad.cpu())
    torch.testing.assert_close(*directions, rtol=1e-3, atol=1e-5)

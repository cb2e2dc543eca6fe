"""Numbers that the programs of the methods' authors, or the libraries that they recommend, have given.

The programs ran in float64 on the inputs below, in the orders of tasks and with the random numbers that we draw: LibMTL
4336804, TorchJD 0.18.0, AvivNavon/nash-mtl cce1840 (for MGDA with Sener & Koltun's solver), mtcrawshaw/meta 31a2a2c,
Cranial-XIX/FAMO 0a6ad06, autumn9999/GO4Align 5fcbc71 (with scikit-learn's k-means from 50 starts), OptMN-Lab/LDC-MTL
7c39465, fairgrad 2b8cba1 and sdmgrad 8333f9e, zzpustc/IMGrad 79b64bc (its 3 replaced by K), jianke0604/MTLlib e647792,
tum-pbs/ConFIG 9486243, SamsungLabs/MTL 3f577f1, EnnengYang/AdaTask 84853de. LibMTL takes a softmax of MoCo's λ where
the paper projects; here its code ran with a projection in that place. Inputs on which a program stops short of its
problem's solution are left out: the convex programs of Nash-MTL fail on "three" and "louder", Frank-Wolfe is 4 % off on
"louder".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import Needs, TaskStatistics, make_balancer

RUNS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("official.json").read_text())
"""Runs of programs, each with the first three parameters of the shared gradient in its last step, by the input.

`scale` is "sum" where the program adds up what we average, "share" where it has the K-th part, else "same". `tolerance`
is relative to the largest of the three, and wider than usual for the reason that stands behind it.
"""

TOLERANCE = 1e-6


class Step(NamedTuple):
    """One step of the inputs on which the authors' programs have run: K losses before and after it, and gradients."""

    losses: Tensor
    after: Tensor
    jacobian: Tensor
    other_jacobians: tuple[Tensor, Tensor]
    """Those of two batches more, for methods that take three."""


SHAPES = {
    "two": (1, 2, 6),
    "three": (1, 3, 6),
    "louder": (1, 3, 6),
    "conflict": (1, 3, 6),
    "eleven": (1, 11, 24),
    "steps": (8, 3, 6),
}
"""Steps, tasks and parameters of each input."""


def steps_of(case: str) -> list[Step]:
    """One of six inputs, by formula; "louder" has one gradient a hundred times the others, "steps" eight steps."""
    axes = [torch.arange(n, dtype=torch.float64) for n in SHAPES[case]]
    t, k, p = torch.meshgrid(*axes, indexing="ij")
    jacobian = torch.sin(1.3 * (k + 1) * (p + 1) + k * k + 2 * t)
    if case == "louder":
        jacobian[:, 1] *= 100
    if case == "conflict":
        jacobian = torch.sin(1.3 * (p + 1)) * torch.where(k == 0, -1.0, 1.0) + 0.5 * jacobian
    others = [jacobian + 0.3 * torch.cos((k + b) * (p + 1) + t) for b in (1, 2)]
    t, k = t[..., 0], k[..., 0]
    losses = 1 + 0.8 * torch.sin(2 * k + 3 * t + 1)
    after = losses * (0.9 + 0.1 * torch.cos(k + t))
    return [Step(losses[i], after[i], jacobian[i], (others[0][i], others[1][i])) for i in range(len(jacobian))]


@pytest.mark.parametrize(
    ("run", "case"),
    [
        pytest.param(run, case, id=f"{run['balancer']}-{run['program']}-{case}")
        for run in RUNS
        for case in run["expected"]
    ],
)
def test_the_authors_program_gives_the_same(run: dict[str, Any], case: str) -> None:
    balancer, generator = make_balancer(run["balancer"], **run["settings"]), torch.Generator().manual_seed(0)
    steps = steps_of(case)
    n_tasks = len(steps[0].losses)
    state, direction = balancer.init(n_tasks), torch.zeros(0)
    for number, step in enumerate(steps, 1):
        rows, state = balancer.transform(state, step.losses, step.jacobian, generator)
        first, second = step.other_jacobians if Needs.SEVERAL_BATCHES in balancer.needs else (rows, rows)
        weights, state = balancer.update(state, TaskStatistics(step.losses, first @ second.T), generator)
        direction = weights @ rows
        state = balancer.after_step(state, step.losses, step.after)
        if number % 2 == 0:
            state = balancer.end_epoch(state)
    factor = {"sum": n_tasks, "same": 1, "share": 1 / n_tasks}[run["scale"]]
    expected = run["expected"][case]
    tolerance = run.get("tolerance", TOLERANCE) * max(map(abs, expected))
    assert (factor * direction[:3]).tolist() == pytest.approx(expected, rel=0, abs=tolerance)

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from lcode.table import RunStatus
from lcode.threads import limited_threads
from mtl_runs.problems import Classification, Problem, Regression, Split, make_problem
from mtl_runs.sweeps.engine import Train
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import train_population


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in every training: on several threads a member's last bits depend on its neighbours."""
    with limited_threads(1):
        yield


@pytest.fixture
def here() -> Train:
    """An engine that trains in this process: what the local one does, without the seconds that new processes take."""

    def train(jobs: Sequence[Job], **_: object) -> dict[str, RunStatus]:
        statuses: dict[str, RunStatus] = {}
        for job in jobs:
            results = train_population(
                make_problem(job.specs[0].problem),
                job.specs,
                folder=job.folder,
                device=job.device,
                continue_stopped=job.continue_stopped,
                until=job.until,
                features=job.features,
            )
            statuses |= {result.run: result.status for result in results}
        return statuses

    return train


@pytest.fixture(scope="session")
def tiny_problem() -> Problem:
    """Two tasks on 4×4 pictures: the brighter half, and a value of a quite different size. Quick and learnable."""
    generator = torch.Generator().manual_seed(7)

    def split(n: int) -> Split:
        inputs = torch.rand(n, 1, 4, 4, generator=generator)
        side = (inputs[:, 0, :, :2].sum((1, 2)) > inputs[:, 0, :, 2:].sum((1, 2))).long()
        return Split(inputs, {"side": side, "mass": 10 * inputs.sum((1, 2, 3)).unsqueeze(-1)})

    tasks = (Classification("side", 2), Regression("mass", 1))
    return Problem("tiny", tasks, split(128), split(64), split(64))

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from lcode.threads import limited_threads
from mtl_runs.problems import Classification, Problem, Regression, Split


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in every training: on several threads a member's last bits depend on its neighbours."""
    with limited_threads(1):
        yield


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

"""Workers that begin at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

NEEDED = ["pytest", "mtl_runs.sweeps.worker", "mtl_runs.problems", "mtl_runs.training"]


@pytest.fixture(autouse=True, scope="module")
def quick_workers() -> Iterator[None]:
    """Workers are forked from a process that has loaded what they need: a short sweep is mostly loading else.

    Programs, which `test_kill` starts, have workers as everybody has them: fresh ones.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield
        return
    multiprocessing.set_forkserver_preload(NEEDED)
    context = multiprocessing.get_context("forkserver")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtl_runs.sweeps.pool.multiprocessing", SimpleNamespace(get_context=lambda method: context))
        yield

"""A corpus of two problems, one architecture and two epochs, trained once in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mtl_runs.corpus.__main__ as command
from lcode.table import RunStatus
from mtl_runs.corpus import Entry, corpus_entries
from mtl_runs.corpus.space import Plan
from mtl_runs.problems import make_problem
from mtl_runs.sweeps.local import LocalCrew
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import train_population

PLANS = {
    "digits-pair": Plan(("left", "right"), ("mlp-12x1",), (256,), 1, 0, 0, members=8),
    "clicks": Plan(("click", "like", "watch"), ("mlp-12x1",), (256,), 0, 1, 0, members=8),
}


def tiny_entries(seed: int = 0) -> list[Entry]:
    return [replace(entry, spec=replace(entry.spec, horizon=2)) for entry in corpus_entries(seed, PLANS)]


def train_here(jobs: Sequence[Job], **_: Any) -> dict[str, RunStatus]:
    """What the local engine does, without the seconds that a new process takes."""
    done = [train_population(make_problem(job.specs[0].problem), job.specs, folder=job.folder) for job in jobs]
    return {result.run: result.status for results in done for result in results}


@contextmanager
def tiny_definition() -> Iterator[None]:
    """The command with the tiny definition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "corpus_entries", tiny_entries)
        patch.setattr(LocalCrew, "train", lambda self, jobs, **options: train_here(jobs, **options))
        yield


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the whole tiny corpus: its logs, and what is stored of them. Only to be read."""
    folder = tmp_path_factory.mktemp("corpus")
    with tiny_definition():
        assert command.main(["--out", str(folder), "--workers", "1"]) == 0
    return folder


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    """Every test of this folder works on the tiny definition, and no other test does."""
    with tiny_definition():
        yield


@pytest.fixture
def entries() -> list[Entry]:
    return tiny_entries()

"""Trains the corpus, problem by problem; called again, it goes on where it was interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from lcode.errors import UsageError
from lcode.table import RunStatus
from mtl_runs.corpus.sample import Entry
from mtl_runs.sweeps import ProgressBar, Sweep


def choose(entries: Sequence[Entry], only: Iterable[str], limit: int | None = None) -> list[Entry]:
    """The entries of these runs or problems, all if none is named.

    Args:
        entries: of the whole corpus.
        only: names of runs or problems.
        limit: of each problem, the first so many references and the first so many other runs.

    Raises:
        UsageError: a name is neither a run nor a problem of the corpus.
    """
    wanted = set(only)
    known = {entry.spec.run for entry in entries} | {entry.spec.problem for entry in entries}
    if unknown := sorted(wanted - known):
        problems = ", ".join(dict.fromkeys(entry.spec.problem for entry in entries))
        raise UsageError(f"'{unknown[0]}' is neither a run of the corpus nor one of its problems: {problems}")
    chosen = [entry for entry in entries if not wanted or wanted & {entry.spec.run, entry.spec.problem}]
    groups = groupby(chosen, key=lambda entry: (entry.spec.problem, entry.single))
    return [entry for _, group in groups for entry in list(group)[:limit]]


def train_corpus(entries: Sequence[Entry], folder: Path, *, workers: int) -> dict[str, RunStatus]:
    """Train these runs to their ends; how each ended, by run.

    Checkpoints of a problem are removed when all its runs are over: what is asked for again is read from the logs.

    Args:
        entries: which runs, those of a problem together.
        folder: folder of the logs.
        workers: processes, one thread each.
    """
    statuses: dict[str, RunStatus] = {}
    for problem, group in groupby(entries, key=lambda entry: entry.spec.problem):
        specs = [entry.spec for entry in group]
        with ProgressBar(problem) as bar:
            ended = Sweep(folder, workers=workers, listener=bar).run(specs)
        for run, status in ended.items():
            if status in ("finished", "failed"):
                shutil.rmtree(folder / "checkpoints" / run, ignore_errors=True)
        statuses |= ended
    return statuses

"""The test split: looked at once, after all choices were made on validation data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import groupby
from pathlib import Path

from lcode.errors import UsageError
from lcode.files import replacing
from mtl_runs.problems import Problem
from mtl_runs.training.checkpoint import load_checkpoint
from mtl_runs.training.config import RunSpec
from mtl_runs.training.header import header_digest, run_header
from mtl_runs.training.loop import checkpoint_path
from mtl_runs.training.measure import evaluate
from mtl_runs.training.population import Population

TOGETHER = 16
"""Runs that are evaluated in one call."""


def held_out_metrics(
    problem: Problem, specs: Sequence[RunSpec], folder: Path, *, device: str = "cpu"
) -> dict[str, dict[str, float]]:
    """Metrics on the test split at the end of each run, by run and metric key.

    Args:
        problem: the problem of all runs.
        specs: finished runs.
        folder: folder of their logs and checkpoints.
        device: where.

    Raises:
        UsageError: a run has no checkpoint at its horizon.
    """
    found: dict[str, dict[str, float]] = {}
    for population in finished_populations(problem, specs, folder, device=device):
        own = population.problem
        metrics = evaluate(population.network, own.tasks, own.test, len(population))
        found |= {m.spec.run: values for m, values in zip(population.members, metrics, strict=True)}
    return {spec.run: found[spec.run] for spec in specs}


def finished_populations(
    problem: Problem, specs: Sequence[RunSpec], folder: Path, *, device: str = "cpu"
) -> Iterator[Population]:
    """The networks that finished runs ended with, in stacks of a few, ready to be evaluated.

    Args:
        problem: the problem of all runs.
        specs: finished runs.
        folder: folder of their logs and checkpoints.
        device: where.

    Raises:
        UsageError: a run has no checkpoint at its horizon.
    """
    ordered = sorted(specs, key=lambda spec: spec.config.stacking_key)
    for _, group in groupby(ordered, lambda spec: spec.config.stacking_key):
        stack = list(group)
        tasks = stack[0].config.tasks
        own = (problem if tasks is None else problem.restrict(tasks)).to(device)
        for some in _chunks(stack):
            population = Population(own, some, device)
            states = {}
            for row, member in enumerate(population.members):
                spec = member.spec
                header = run_header(own, spec.config, run=spec.run, seed=spec.seed, horizon=spec.horizon)
                epoch, tensors = load_checkpoint(checkpoint_path(folder, spec.run), digest=header_digest(header))
                if epoch != spec.horizon:
                    raise UsageError(
                        f"run '{spec.run}' in {folder} has no checkpoint of its last epoch {spec.horizon}; train it "
                        "to its end first"
                    )
                states[row] = tensors
            population.load_states(states)
            population.network.eval()
            yield population


def write_held_out(path: Path, metrics: dict[str, dict[str, float]]) -> None:
    """Write them as a CSV with the columns run, metric, value; atomic."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("run", "metric", "value"))
    writer.writerows((run, key, value) for run, values in metrics.items() for key, value in values.items())
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def _chunks(stack: Sequence[RunSpec]) -> Iterator[Sequence[RunSpec]]:
    size = TOGETHER if stack[0].config.is_stackable else 1
    for start in range(0, len(stack), size):
        yield stack[start : start + size]

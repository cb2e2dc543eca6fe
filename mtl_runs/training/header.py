"""What a run log begins with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable

from lcode.graphs.arch import ArchGraph
from lcode.table.runlog import RunHeader
from mtl_runs.networks import OWN, architecture_graph, make_network, own_graph
from mtl_runs.problems import Problem
from mtl_runs.training.config import RunConfig


def run_header(problem: Problem, config: RunConfig, *, run: str, seed: int, horizon: int) -> RunHeader:
    """What is known of a run before it starts.

    Args:
        problem: the problem; `config.tasks` restricts it.
        config: hyper-parameters.
        run: name of the run.
        seed: its seed.
        horizon: last epoch.
    """
    if config.tasks is not None:
        problem = problem.restrict(config.tasks)
    return RunHeader(
        run=run,
        horizon=horizon,
        metrics=problem.metrics,
        config=config.for_log([task.name for task in problem.tasks]),
        problem=problem.name,
        seed=seed,
        arch=config.arch,
        graph=_graph(config.arch, problem),
        # An automatic learning rate follows no plan; every epoch's line has the mean of those that were used.
        schedule=None if config.auto_lr else config.learning_rates(horizon),
    )


def header_digest(header: RunHeader) -> str:
    """Identifies what a checkpoint belongs to."""
    return hashlib.sha256(json.dumps(header.to_json(), sort_keys=True).encode()).hexdigest()


def _graph(arch: str, problem: Problem) -> ArchGraph:
    """The graph of an architecture; thousands of runs share a few."""
    key = (arch, problem.network if arch == OWN else None, problem.input_shape, problem.tasks)
    if key not in _GRAPHS:
        if arch == OWN:
            _GRAPHS[key] = own_graph(problem)
        else:
            shape = problem.input_shape
            _GRAPHS[key] = architecture_graph(make_network(arch, shape, problem.tasks), shape)
    return _GRAPHS[key]


_GRAPHS: dict[tuple[Hashable, ...], ArchGraph] = {}

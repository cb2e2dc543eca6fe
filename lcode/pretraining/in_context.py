"""Train the in-context network: problems are drawn, some of their runs are examples, others are to be forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.problems import FEWEST_EXAMPLES, MOST_EXAMPLES, Problem, batch_of, drawn, drawn_lead, problems_of
from lcode.isolation import isolated
from lcode.network.adamw import AdamW
from lcode.network.in_context import InContextConfig, InContextNetwork
from lcode.network.loop import Progress
from lcode.network.losses import pinball
from lcode.pretraining.variants import varied
from lcode.pretraining.views import EARLY, ended
from lcode.table import RunTable

Array = NDArray[np.float64]

SPARE = 8
"""Runs that a problem must have beside its examples."""


@dataclass(frozen=True)
class InContextSettings:
    """How the in-context network is trained.

    Attributes:
        steps: optimiser steps.
        problems: problems per step.
        learning_rate: peak of a cosine schedule with a short warm-up.
        weight_decay: of AdamW.
        synthetic: share of the problems that are synthetic.
    """

    steps: int = 40_000
    problems: int = 8
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-3
    synthetic: float = 0.3


def table_problems(table: RunTable) -> list[Problem]:
    """A table of finished runs as problems, also as if the runs had ended early, as far as there are enough runs."""
    found = []
    for view in (table, ended(table, EARLY)):
        if len(view.points):
            values = ValueScaler.fit(curve_arrays(view))
            found += problems_of(view, values, PrefixReader(view, values))
    return [problem for problem in found if len(problem) >= FEWEST_EXAMPLES + SPARE]


@isolated()
def pretrain_in_context(
    real: Mapping[str, Sequence[Problem]],
    synthetic: Sequence[Problem],
    *,
    seed: int = 0,
    settings: InContextSettings | None = None,
    config: InContextConfig | None = None,
    start: InContextNetwork | None = None,
    progress: Progress | None = None,
) -> InContextNetwork:
    """Train on problems of several sources.

    Args:
        real: the problems of each table by its name; what stands before the first `/` is its collection. Collections
            count by the root of their number of runs, tables of one alike.
        synthetic: problems that were drawn.
        seed: of initial values, and of what is drawn.
        settings: how to train.
        config: sizes of the network.
        start: a network whose parameters to start from, of the same sizes; None: from scratch.
        progress: called now and then with the mean loss of late.
    """
    settings = settings or InContextSettings()
    network = InContextNetwork(config or InContextConfig(), torch.Generator().manual_seed(seed))
    if start is not None:
        network.load_state_dict(start.state_dict())
    draw = np.random.default_rng(seed)
    tables = {name: problems for name, problems in real.items() if problems}
    groups = [*tables.values(), *([synthetic] if synthetic else [])]
    largest = np.array([max(len(problem.came) for problem in group) for group in groups])
    chances = _chances(list(tables), largest, settings.synthetic if synthetic else 0.0)
    optimiser = AdamW(network.parameters(), settings.weight_decay)
    late = 0.0
    for step in range(1, settings.steps + 1):
        tensors = _batch(groups, chances, largest, settings.problems, draw)
        told = network(*tensors[:-1])
        loss = pinball(told[None], tensors[-1]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        rise, fall = min(1.0, step / (0.02 * settings.steps)), 1 + np.cos(np.pi * (step - 1) / settings.steps)
        optimiser.step(settings.learning_rate * rise * fall / 2)
        late += (float(loss.detach()) - late) / min(step, 200)
        if progress is not None and step % 200 == 0:
            progress(step, settings.steps, late)
    return network


def _chances(names: Sequence[str], runs: NDArray[np.int64], synthetic: float) -> Array:
    """How often each table is drawn, and last the synthetic problems if there are any."""
    collections = np.array([name.partition("/")[0] for name in names])
    of_one = [collections == one for one in collections]
    each = np.array([np.sqrt(runs[: len(names)][alike].sum()) / alike.sum() for alike in of_one])
    return np.append((1 - synthetic) * each / each.sum(), [synthetic] if synthetic else [])


def _batch(
    groups: Sequence[Sequence[Problem]],
    chances: Array,
    largest: NDArray[np.int64],
    count: int,
    draw: np.random.Generator,
) -> tuple[Tensor, ...]:
    """Arguments of the network for so many problems, and what came of the runs that are asked for, [B, R].

    All have as many examples: from the fewest to the most, each order of magnitude alike.
    """
    most = min(MOST_EXAMPLES, int(largest.max()) - SPARE)
    examples = int(np.rint(np.exp(draw.uniform(np.log(FEWEST_EXAMPLES), np.log(most)))))
    large = chances * (largest >= examples + SPARE)
    parts: list[tuple[Array, ...]] = []
    while len(parts) < count:
        group = groups[int(draw.choice(len(groups), p=large / large.sum()))]
        problem = group[int(draw.integers(len(group)))]
        lead = drawn_lead(draw)
        known = problem.at(lead)
        if len(known) >= examples + SPARE:
            parts.append(drawn(varied(known, examples + SPARE, draw), lead, examples, draw))
    return batch_of(parts)

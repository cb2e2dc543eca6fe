"""Train the in-context network: problems are drawn, some of their runs are examples, others are to be forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.curves.arrays import curve_arrays
from lcode.curves.continuation import continuations
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.curves.tokens import ExampleScale, Prefixes
from lcode.ensemble.in_context import MOST
from lcode.ensemble.settings import SETTINGS
from lcode.isolation import isolated
from lcode.network.in_context import InContextConfig, InContextNetwork
from lcode.network.loop import Progress
from lcode.network.losses import pinball
from lcode.pretraining.variants import Problem, varied
from lcode.pretraining.views import EARLY, ended
from lcode.table import RunTable

Array = NDArray[np.float64]

CUTOFFS = 10
"""From so many epochs each table is seen, close together early, and from before the first."""

LATEST = 0.7
"""Share of the horizon after which no cutoff lies."""

LEADS = np.arange(1, 13) / 12
"""Places between cutoff and horizon at which what came of a run is learned."""

ASKED = 40
"""Runs of a problem that are forecast in one step."""

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


def problems_of(table: RunTable) -> list[Problem]:
    """A table of finished runs as problems: by metric and cutoff, also as if the runs had ended early."""
    found = []
    for view in (table, ended(table, EARLY)):
        if not len(view.points):
            continue
        arrays, horizons = curve_arrays(view), view.runs["horizon"].to_numpy(np.int64)
        scaler = ValueScaler.fit(arrays)
        reader = PrefixReader(view, scaler)
        first, end = int(view.points["epoch"].min()), LATEST * float(np.median(horizons))
        cutoffs = np.geomspace(max(first, 1), end, CUTOFFS) if end > first else np.zeros(0)
        for cutoff in (-1, *([0] if first == 0 else []), *np.unique(np.rint(cutoffs).astype(np.int64)).tolist()):
            known = reader.at(view, arrays, cutoff)
            came = scaler.scale(continuations(arrays, horizons, cutoff, LEADS))
            for k in range(len(view.metrics)):
                told = np.flatnonzero(np.isfinite(came[:, k]).any(1) & (horizons > cutoff))
                if len(told) >= SETTINGS.least_examples + SPARE:
                    runs = Prefixes.of(known, k, cutoff, horizons)
                    found.append(Problem(runs.rows(told), came[told, k]))
    return found


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
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    warm = 0.02 * settings.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda at: min(1.0, (at + 1) / warm) * 0.5 * (1 + np.cos(np.pi * at / settings.steps))
    )
    late = 0.0
    for step in range(1, settings.steps + 1):
        tensors = _batch(groups, chances, largest, settings.problems, draw)
        told = network(*tensors[:-1])
        loss = pinball(told[None], tensors[-1]).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
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
    most = min(MOST, int(largest.max()) - SPARE)
    examples = int(np.rint(np.exp(draw.uniform(np.log(SETTINGS.least_examples), np.log(most)))))
    large = chances * (largest >= examples + SPARE)
    parts: list[tuple[Array, ...]] = []
    while len(parts) < count:
        group = groups[int(draw.choice(len(groups), p=large / large.sum()))]
        problem = group[int(draw.integers(len(group)))]
        ends = draw.random() < 0.5  # the horizon matters most
        lead = len(LEADS) - 1 if ends else int(draw.integers(len(LEADS)))
        known = problem.at(lead)
        if len(known) >= examples + SPARE:
            parts.append(_drawn(varied(known, examples + SPARE, draw), LEADS[[lead]], examples, draw))
    return tuple(torch.from_numpy(np.concatenate(column)).float() for column in zip(*parts, strict=True))


def _drawn(problem: Problem, lead: Array, examples: int, draw: np.random.Generator) -> tuple[Array, ...]:
    """Some runs as examples, others to be forecast: tokens, last values, what came; and the same of those asked for."""
    order = draw.permutation(len(problem))
    rest = order[examples:]
    known = problem.rows(order[:examples])
    asked = problem.rows(rest[:ASKED] if len(rest) >= ASKED else draw.choice(rest, ASKED))
    scale = ExampleScale.of(known.runs, known.came, lead)
    tokens = scale.example_tokens(), scale.tokens(asked.runs)
    sides = ((*told, scale.scaled(one.came).T) for told, one in zip(tokens, (known, asked), strict=True))
    return tuple(part for side in sides for part in side)

"""Problems for the in-context network: finished runs in one metric as seen from one cutoff, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
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
from lcode.table import RunTable

Array = NDArray[np.float64]

CUTOFFS = 10
"""Cutoffs of each table beside the one before the first epoch, close together early."""

LATEST = 0.7
"""Share of the horizon after which no cutoff lies."""

LEADS = np.arange(1, 13) / 12
"""Places between cutoff and horizon at which what came of a run is learned."""

ASKED = 40
"""Runs of a problem that are forecast in one step."""

FEWEST_EXAMPLES, MOST_EXAMPLES = 3, 200
"""Examples that the network is trained with: by fewer it says nothing, of more some are chosen."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Finished runs in one metric, as seen from one cutoff.

    Attributes:
        runs: what was known of N runs.
        came: their values at J leads in model space, NaN where unknown, [N, J].
        index: which runs of the table they are, [N].
    """

    runs: Prefixes
    came: Array
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.runs)

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Problem:
        """These runs only."""
        return Problem(self.runs.rows(chosen), self.came[chosen], self.index[chosen])

    def at(self, lead: int) -> Problem:
        """At this lead alone, the runs of which it is known what came there."""
        known = np.isfinite(self.came[:, lead])
        return Problem(self.runs.rows(known), self.came[known, lead : lead + 1], self.index[known])


def problems_of(table: RunTable, values: ValueScaler, reader: PrefixReader) -> list[Problem]:
    """A table of finished runs as problems: by metric and cutoff.

    Args:
        table: the runs.
        values: scales of its metrics.
        reader: tells what is known of runs at a cutoff.
    """
    if not len(table.points):
        return []
    arrays, horizons = curve_arrays(table), table.runs["horizon"].to_numpy(np.int64)
    first, end = int(table.points["epoch"].min()), LATEST * float(np.median(horizons))
    cutoffs = np.geomspace(max(first, 1), end, CUTOFFS) if end > first else np.zeros(0)
    found = []
    for cutoff in (-1, *([0] if first == 0 else []), *np.unique(np.rint(cutoffs).astype(np.int64)).tolist()):
        known = reader.at(table, arrays, cutoff)
        came = values.scale(continuations(arrays, horizons, cutoff, LEADS))
        for k in range(len(table.metrics)):
            told = np.flatnonzero(np.isfinite(came[:, k]).any(1) & (horizons > cutoff))
            runs = Prefixes.of(known, k, cutoff, horizons)
            found.append(Problem(runs.rows(told), came[told, k], told))
    return found


def drawn_lead(draw: np.random.Generator) -> int:
    """Place of a lead in `LEADS`: half of the time the horizon, which matters most."""
    return len(LEADS) - 1 if draw.random() < 0.5 else int(draw.integers(len(LEADS)))


def drawn(problem: Problem, lead: int, examples: int, draw: np.random.Generator) -> tuple[Array, ...]:
    """Some runs of a problem at one lead as examples, others to be forecast.

    Returns:
        Of the examples tokens, anchors and what came, and the same of the runs that are asked for; see
        `InContextNetwork.forward`.
    """
    order = draw.permutation(len(problem))
    rest = order[examples:]
    known = problem.rows(order[:examples])
    asked = problem.rows(rest[:ASKED] if len(rest) >= ASKED else draw.choice(rest, ASKED))
    scale = ExampleScale.of(known.runs, known.came, LEADS[[lead]])
    tokens = scale.example_tokens(), scale.tokens(asked.runs)
    sides = ((*told, scale.scaled(one.came).T) for told, one in zip(tokens, (known, asked), strict=True))
    return tuple(part for side in sides for part in side)


def batch_of(parts: Sequence[tuple[Array, ...]]) -> tuple[Tensor, ...]:
    """Drawn problems with as many examples each as arguments of the network, and last what came, [B, R]."""
    return tuple(torch.from_numpy(np.concatenate(column)).float() for column in zip(*parts, strict=True))

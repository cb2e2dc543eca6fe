"""The ways to search, and what each comes to on trained runs: what it spent, and what its winner is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lcode.evaluation.replay.rules import make_rule
from lcode.evaluation.replay.sweep import RecordedSweep
from mtl_runs.studies.equal_compute.plan import COUNTS, EQUAL, FIXED, method_of
from mtl_runs.studies.equal_compute.table import Pool

FEW, MANY = (1, 2, 4, 8, 12), (4, 8, 16, 32, 64, 128)
"""Numbers of runs that a search over one method's rates, or over everything, begins with."""


FORECASTING = ("lcode", "regret", "thaw")
"""Rules that forecast."""


@dataclass(frozen=True)
class Way:
    """A way to search.

    Attributes:
        methods: what its runs are drawn from, evenly; None = the whole pool.
        rule: stops some of them, as `lcode replay` names it; empty = all are trained to their ends.
        sizes: numbers of runs that it begins with.
    """

    methods: tuple[str, ...] | None = None
    rule: str = ""
    sizes: tuple[int, ...] = MANY

    @property
    def forecasts(self) -> bool:
        """Whether it decides by forecasts: such a replay takes seconds."""
        return self.rule.partition(":")[0] in FORECASTING


WAYS = {
    "equal weights, rate tuned": Way((EQUAL,), sizes=(1, 2, 4, 8, 16)),
    "random weights and rates": Way((FIXED,), sizes=(1, 2, 4, 8, 16, 32)),
    "inverse_norm, rate tuned": Way(("inverse_norm",), sizes=(1, 2, 4, 8, 16)),
    **{f"{name}, rate tuned": Way((name,), sizes=FEW) for name in COUNTS if name not in (EQUAL, FIXED, "inverse_norm")},
    "random search over all": Way(),
    "median rule over all": Way(rule="median:min_epochs=3"),
    "halving over all": Way(rule="halving"),
    "halving from epoch 1 over all": Way(rule="halving:first=1"),
    "ASHA over all": Way(rule="asha"),
    "lcode over all": Way(rule="lcode", sizes=(32,)),
    "lcode, regret α 0.3, over all": Way(rule="regret:alpha=0.3", sizes=(32,)),
    "lcode, thaw α 0.2, over all": Way(rule="thaw:alpha=0.2:regret=0.03 spread", sizes=(32,)),
    "lcode, thaw α 0.5, over all": Way(rule="thaw:alpha=0.5:regret=0.03 spread", sizes=(32,)),
}
"""What is compared; the best single balancer is chosen among those with tuned rates (`report`)."""


@dataclass(frozen=True)
class Outcome:
    """What one search came to.

    Attributes:
        problem: on which.
        way: key of `WAYS`, or PBT.
        draw: seed of which runs were drawn, in which order.
        runs: how many it was to begin with; fewer where the pool has fewer that finished.
        spent: run-epochs.
        validation: Δm of the winner on the validation split, by which it was chosen, in per cent.
        test: on the test split.
        regret: what the best of the drawn runs has more than the winner on the validation split, in units of best −
            median; NaN where the runs were not drawn from the pool.
    """

    problem: str
    way: str
    draw: int
    runs: int
    spent: float
    validation: float
    test: float
    regret: float = float("nan")


def search(pool: Pool, way: str, draw: int, runs: int, model: Any = None) -> Outcome:
    """Search once.

    Args:
        pool: the trained runs of a problem.
        way: key of `WAYS`.
        draw: seed; a longer search with the same seed begins with the same runs.
        runs: how many are drawn.
        model: forecaster of the ways that need one.
    """
    how = WAYS[way]
    names = drawn(pool, how.methods, draw)[:runs]
    horizon = int(pool.table.runs["horizon"].max())
    spent, ended = float(len(names) * horizon), names
    if how.rule:
        sweep = RecordedSweep(pool.table.select(names), objective="delta_m", baseline=pool.baseline)
        result = sweep.replay(make_rule(how.rule, lambda _: model), order_seed=draw)
        spent, ended = float(result.epochs_trained), [name for name in names if name not in result.stopped]
    best = max(ended, key=pool.validation.__getitem__)
    scores = np.array([pool.validation[name] for name in names])
    lost, spread = scores.max() - pool.validation[best], scores.max() - np.median(scores)
    regret = float(lost / spread) if spread > 0 else float("nan")
    return Outcome(pool.problem, way, draw, runs, spent, pool.validation[best], pool.test[best], regret)


def drawn(pool: Pool, methods: Sequence[str] | None, draw: int) -> list[str]:
    """The runs of these methods in random order."""
    names = [name for name in pool.table.run_ids if methods is None or method_of(name) in methods]
    return [names[place] for place in np.random.default_rng(draw).permutation(len(names))]

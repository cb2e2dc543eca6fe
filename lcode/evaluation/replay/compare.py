"""Rules beside each other: the same finished runs replayed under each of them, in many orders, by several workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lcode.evaluation.replay.in_turn import ForecastPolicy
from lcode.evaluation.replay.outcome import Replay
from lcode.evaluation.replay.sweep import Policy, RecordedSweep

Progress = Callable[[int, int, str], None]
"""Called with (replays done, all replays, what is replayed now)."""

MEASURES = ("speedup", "saved", "regret_mean", "regret_p95", "regret_share", "regret_sd", "best_kept", "promise_kept")


@dataclass(frozen=True, eq=False)
class Figures:
    """What a rule came to over several replays.

    Attributes:
        speedup: epochs without any stopping ÷ epochs trained, all replays together, ≥ 1.
        saved: share of the epochs that was not trained, 0 to 1.
        regret_mean: mean regret, in the objective's unit; NaN if a replay left no score at all.
        regret_p95: regret that 95 % of the replays do not exceed.
        regret_share: mean regret ÷ (best − median final score).
        regret_sd: mean regret in standard deviations between repeats of a configuration; None without repeats.
        best_kept: share of the replays in which the truly best run was trained to its end.
        promise_kept: share of the replays whose regret did not exceed what was allowed; None if nothing was promised.
        replays: how many.
    """

    speedup: float
    saved: float
    regret_mean: float
    regret_p95: float
    regret_share: float
    regret_sd: float | None
    best_kept: float
    promise_kept: float | None
    replays: int

    @classmethod
    def of(cls, replays: Sequence[Replay], *, allowed: float | None, seed_deviation: float | None) -> Figures:
        """The figures of some replays.

        Args:
            replays: at least one.
            allowed: regret that was promised not to be exceeded, in the objective's unit.
            seed_deviation: see `RecordedSweep`.
        """
        regret = np.array([replay.regret for replay in replays])
        total, trained = (sum(getattr(r, name) for r in replays) for name in ("epochs_total", "epochs_trained"))
        mean = float(regret.mean())
        return cls(
            speedup=total / trained if trained else 1.0,
            saved=1 - trained / total if total else 0.0,
            regret_mean=mean,
            regret_p95=float(np.quantile(regret, 0.95, method="higher")),
            regret_share=float(np.mean([replay.regret_share for replay in replays])),
            regret_sd=mean / seed_deviation if seed_deviation else None,
            best_kept=float(np.mean([replay.best_kept for replay in replays])),
            promise_kept=None if allowed is None else float((regret <= allowed).mean()),
            replays=len(replays),
        )

    def to_json(self) -> dict[str, float | int | None]:
        """Plain values; what is not known is None."""
        values = {name: getattr(self, name) for name in (*MEASURES, "replays")}
        return {name: None if value is None or not math.isfinite(value) else value for name, value in values.items()}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Replays of the same runs under several rules.

    Attributes:
        runs: number of runs that were replayed.
        objective: what scores are measured in, as a word.
        spread: best minus median final score of the runs.
        allowed: regret that was promised not to be exceeded, in the objective's unit; None if nothing was.
        seed_deviation: see `RecordedSweep`.
        replays: rule -> number of workers -> its replays.
    """

    runs: int
    objective: str
    spread: float
    allowed: float | None
    seed_deviation: float | None
    replays: Mapping[str, Mapping[int, Sequence[Replay]]] = field(repr=False)

    def figures(self, rule: str, workers: int | None = None) -> Figures:
        """Of a rule, over all numbers of workers or for one."""
        by_workers = self.replays[rule]
        chosen = [r for w, replays in by_workers.items() if workers in (None, w) for r in replays]
        return Figures.of(chosen, allowed=self.allowed, seed_deviation=self.seed_deviation)

    def to_frame(self) -> pd.DataFrame:
        """A row per rule and number of workers, with the columns of `MEASURES`."""
        rows = [
            {"rule": rule, "workers": workers, "orders": len(replays), **self.figures(rule, workers).to_json()}
            for rule, by_workers in self.replays.items()
            for workers, replays in by_workers.items()
        ]
        return pd.DataFrame(rows).drop(columns="replays")

    def to_json(self) -> dict[str, Any]:
        """Plain values for `lcode replay --json`; what is not known is None."""
        rules = {
            rule: {
                **self.figures(rule).to_json(),
                "by_workers": {str(w): self.figures(rule, w).to_json() for w in by_workers},
            }
            for rule, by_workers in self.replays.items()
        }
        known = {"spread": self.spread, "regret_allowed": self.allowed, "seed_deviation": self.seed_deviation}
        plain = {name: value if value is not None and math.isfinite(value) else None for name, value in known.items()}
        return {"runs": self.runs, "objective": self.objective, **plain, "rules": rules}


@dataclass(frozen=True, eq=False)
class Entrant:
    """A rule that takes part.

    Attributes:
        name: under which it is shown.
        rule: what is replayed.
        sweep: the runs, with or without a history.
        orders: in how many orders.
    """

    name: str
    rule: Policy
    sweep: RecordedSweep
    orders: int


def learns(policy: Policy) -> bool:
    """Whether a rule's forecasts depend on which runs have finished, and so must be made anew for each order."""
    return isinstance(policy, ForecastPolicy) and policy.model.learns_in_context


def replays_of(
    entrants: Sequence[Entrant], *, workers: Sequence[int], seed: int, progress: Progress | None = None
) -> Iterator[tuple[str, dict[int, list[Replay]]]]:
    """Replay each entrant, and hand over its replays by number of workers as soon as they are done.

    Args:
        entrants: in this order.
        workers: numbers of runs that train at the same time.
        seed: of the first order; entrants with as many orders meet the same ones.
        progress: called before each replay.
    """
    total, done = sum(entrant.orders for entrant in entrants) * len(workers), 0
    for entrant in entrants:
        found: dict[int, list[Replay]] = {count: [] for count in workers}
        for order in range(entrant.orders):
            for count in workers:
                if progress is not None:
                    progress(done, total, f"{entrant.name}, order {order + 1} of {entrant.orders}")
                found[count].append(entrant.sweep.replay(entrant.rule, order_seed=seed + order, workers=count))
                done += 1
        yield entrant.name, found

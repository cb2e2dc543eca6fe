"""Stop runs within a budget of regret: who is stopped is decided by what it costs per epoch that it saves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from lcode.decisions.budget import RegretBudget
from lcode.decisions.ledger import Outlook, expected_regret
from lcode.decisions.rule import StopRule, Weighed
from lcode.decisions.standings import Standings
from lcode.errors import UsageError

FACTOR = 10.0
"""The ledger may run up so many times the budget: forecasts of the first epochs expect more of poor runs than comes."""

PACE = 0.3
"""Share of what is left of the budget that stopping one run, with all its epochs still to come, may cost."""

GROWTH = 1.25
"""Decisions are due when a run has so many times more epochs than at the last one."""


@dataclass(frozen=True)
class RegretRule(StopRule):
    """Stop runs as long as the expected regret stays within a budget.

    The *ledger* is the regret to be expected of all runs stopped so far: E[max(their best score − the incumbent's, 0)],
    from their forecasts (`lcode.decisions.ledger`). What stopping one more adds to it is its *price*. A run is stopped
    if its price, per share of its epochs that are saved, is at most `pace` times what is left of the budget: so dear
    stops are made where they save much, and no single one spends what the runs to come may need. When a better run is
    found, what was stopped before costs less, and the budget recovers.

    Forecasts that are calibrated make the ledger right. Where they are not, `factor` corrects it: once a run has ended,
    the ledger may run up `factor` × budget.

    Attributes:
        delta: a run that is at least so likely to beat the incumbent is never stopped, 0 to 1.
        min_epochs: first epoch at which a run may be stopped.
        keep: see `StopRule`.
        every: see `StopRule`; decisions are due less often in later epochs, see `due`.
        regret: what may be lost.
        factor: > 0.
        pace: 0 to 1.
    """

    # From epoch 1 and with one run kept, 0.10 and 0.25 of the spread were lost on two of four tables of LCBench's
    # design half (mfeat-factors, APSFailure; factor 10); from epoch 2 with two kept, nothing on the first of them.
    delta: float = 0.7
    min_epochs: int = 2
    keep: int = 2
    regret: RegretBudget = RegretBudget(0.03, "spread")  # noqa: RUF009 (a frozen value)
    factor: float = FACTOR
    pace: float = PACE

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("factor", "pace"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not float(value) > 0:
                raise UsageError(f"{name} is {value!r}; it is a number above 0")

    def due(self, epoch: float, previous: float | None = None) -> bool:
        """Whether a decision is due: at `min_epochs`, then whenever a run has `GROWTH` times more epochs.

        One epoch more says less the more were seen: decided on at 1, 2, 3, 4, 5, 7, 9, 12 … 38, 48 a run of 50 epochs
        takes 14 forecasts instead of 50.

        Args:
            epoch: see `StopRule.due`.
            previous: see `StopRule.due`.
        """
        before = epoch - 1 if previous is None else previous
        return self.next_due(before) <= epoch

    def next_due(self, epoch: float) -> int:
        """See `StopRule`."""
        at = -(-max(self.min_epochs, 1) // self.every) * self.every
        while at <= epoch:
            at = max(at + self.every, math.ceil(at * GROWTH / self.every) * self.every)
        return at

    def weigh(self, run: str, outlook: Outlook, probability: float, standings: Standings, left: float) -> Weighed:
        """See `StopRule.weigh`."""
        allowed = self.regret.in_scores(spread=standings.spread(run, outlook.expected), deviation=standings.deviation)
        if allowed is None:
            what = "best and median score" if self.regret.unit == "spread" else "deviation between seeds"
            return Weighed(False, f"; a regret of {self.regret} cannot be told before there is a {what}")
        spent, after = _with_and_without(run, outlook, standings)
        price = max(after - spent, 0.0)
        # Before a run has ended the best there is, is a forecast, too, and every run may be stopped for its sake.
        factor = self.factor if standings.past or standings.finished else min(self.factor, 1.0)
        room = max(factor * allowed - spent, 0.0)
        limit = self.pace * left * room
        stop = probability < self.delta and price <= limit and room > 0
        ledger = f"spent {spent / factor:.2g} of {allowed:.2g}"
        price, limit = price / factor, limit / factor
        if probability >= self.delta:
            return Weighed(False, f"≥ {self.delta:g}; {ledger}", price)
        reason = f"; stopping costs {price:.2g} {'≤' if stop else '>'} {limit:.2g}, {ledger}"
        return Weighed(stop, reason, price)


def _with_and_without(run: str, this: Outlook, standings: Standings) -> tuple[float, float]:
    """The expected regret while the run is live, and once it is stopped."""
    ended = [*standings.past.values(), *standings.finished.values()]
    best = max(ended, default=None)
    stopped, others = (
        [outlook for name, outlook in runs.items() if name != run] for runs in (standings.stopped, standings.live)
    )
    return expected_regret(stopped, [this, *others], best), expected_regret([*stopped, this], others, best)


def stop_rule(regret: float | str | RegretBudget | None = None, **settings: float | int | None) -> StopRule:
    """The rule of a bare threshold, or that of a budget where one is given.

    Args:
        regret: what may be lost, see `RegretBudget.parse`; None: `delta` alone decides.
        settings: fields of the rule; None stands for its own default.

    Raises:
        UsageError: a setting that cannot be.
    """
    chosen: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    return StopRule(**chosen) if regret is None else RegretRule(regret=RegretBudget.parse(regret), **chosen)

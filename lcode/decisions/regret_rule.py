"""Stop runs within a budget of regret: as long as it is unlikely that more than the budget is lost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_share
from lcode.decisions.budget import RegretBudget
from lcode.decisions.ledger import Outlook, chance_of_loss
from lcode.decisions.rule import StopRule, Weighed
from lcode.decisions.standings import Standings
from lcode.errors import UsageError

ALPHA = 0.1
"""Chance with which more than the budget may be lost."""

FACTOR = 0.5
"""The forecasts' chance of a loss may run up to so many times α.

Learned on 23 samples of 100 runs from the design half of LCBench, forecast by 4 and by 8 finished runs: chances of
0.05, 0.1 and 0.2 that more than 0.03 of the spread is lost came to 0.11, 0.17 and 0.26 of the sweeps, of 0.1 to 0.04,
0.09 and 0.17. What has not been seen of few finished runs is likelier than they say.
"""

GROWTH = 1.25
"""Decisions are due when a run has so many times more epochs than at the last one."""


@dataclass(frozen=True)
class RegretRule(StopRule):
    """Stop runs as long as it is unlikely that more than a budget is lost.

    The *ledger* is the chance of a loss: P(best score of all runs stopped so far − best score that is left > budget),
    from their forecasts (`lcode.decisions.ledger`). What stopping one more adds to it is its *price*. A run is stopped
    if with it the ledger stands at most at α times the share of its epochs that are saved: so dear stops are made where
    they save much. When a better run is found, what was stopped before costs less, and the ledger recovers.

    The *promise* is that in at most a share α of sweeps more than the budget is lost. Forecasts that are calibrated
    keep it, however often they are looked at: the chance of an event is a martingale. Where they are not, `factor`
    corrects α. Successive forecasts of a run differ by more than they should, so that the lucky one of many looks would
    decide; what is believed of a run is therefore the mean of its latest forecast and of what was believed before
    (linear pool), and the first look is one epoch before the first stop.

    Attributes:
        delta: a run that is at least so likely to beat the incumbent is never stopped, 0 to 1.
        min_epochs: first epoch at which a run may be stopped.
        keep: see `StopRule`.
        every: see `StopRule`; decisions are due less often in later epochs, see `due`.
        regret: what may be lost.
        alpha: chance with which more may be lost, above 0, at most 1.
        factor: > 0.
    """

    pools: ClassVar[bool] = True
    delta: float = 0.7
    min_epochs: int = 2
    keep: int = 2
    regret: RegretBudget = RegretBudget(0.03, "spread")  # noqa: RUF009 (a frozen value)
    alpha: float = ALPHA
    factor: float = FACTOR

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("alpha", self.alpha)
        for name in ("alpha", "factor"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not float(value) > 0:
                raise UsageError(f"{name} is {value!r}; it is a number above 0")

    def due(self, epoch: float, previous: float | None = None) -> bool:
        """Whether a run is looked at: an epoch before `min_epochs`, then whenever it has `GROWTH` times more epochs.

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
        at = -(-max(self.min_epochs - 1, 1) // self.every) * self.every
        while at <= epoch:
            at = max(at + self.every, math.ceil(at * GROWTH / self.every) * self.every)
        return at

    def pooled(self, run: str, samples: NDArray[np.float64], standings: Standings) -> NDArray[np.float64]:
        """The forecast, and what was believed before."""
        before = standings.live.get(run)
        return samples if before is None else before.pooled(samples)

    def allowed(self, run: str, expected: float, standings: Standings) -> float | None:
        """What may be lost in the objective's unit; None where that cannot be told yet.

        Args:
            run: one that is looked at now.
            expected: the score that it is expected to end with.
            standings: the other runs.
        """
        return self.regret.in_scores(spread=standings.spread(run, expected), deviation=standings.deviation)

    def weigh(
        self, run: str, epoch: float, outlook: Outlook, probability: float, standings: Standings, left: float
    ) -> Weighed:
        """See `StopRule.weigh`."""
        allowed = self.allowed(run, outlook.expected, standings)
        if allowed is None:
            what = "best and median score" if self.regret.unit == "spread" else "deviation between seeds"
            return Weighed(False, f"; a regret of {self.regret} cannot be told before there is a {what}")
        spent, after = (chance / self.factor for chance in _with_and_without(run, outlook, standings, allowed))
        price, limit = max(after - spent, 0.0), self.alpha * left
        told = f"P(more than {allowed:.2g} is lost): spent {spent:.2g} of {self.alpha:g}"
        if probability >= self.delta:
            return Weighed(False, f" ≥ {self.delta:g}; {told}", price)
        if epoch < self.min_epochs:
            return Weighed(False, f"; not stopped before epoch {self.min_epochs}; {told}", price)
        stop = after <= limit
        told += f", with this stop {after:.2g} {'≤' if stop else '>'} {limit:.2g}"
        saved = f"{100 * left:.0f} %"
        return Weighed(stop, f"; {told} ({saved} of it, for {saved} of the run is saved)", price)


def _with_and_without(run: str, this: Outlook, standings: Standings, allowed: float) -> tuple[float, float]:
    """The chance of a loss while the run is live, and once it is stopped."""
    best = max([*standings.past.values(), *standings.finished.values()], default=None)
    stopped, others = (
        [outlook for name, outlook in runs.items() if name != run] for runs in (standings.stopped, standings.live)
    )
    return (
        chance_of_loss(stopped, [this, *others], best, allowed),
        chance_of_loss([*stopped, this], others, best, allowed),
    )


def stop_rule(regret: float | str | RegretBudget | None = None, **settings: float | int | None) -> StopRule:
    """The rule of a bare threshold, or that of a budget where one is given.

    Args:
        regret: what may be lost, see `RegretBudget.parse`; None: `delta` alone decides.
        settings: fields of the rule; None stands for its own default.

    Raises:
        UsageError: a setting that cannot be, or that the rule does not have.
    """
    chosen: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if regret is None and "alpha" in chosen:
        raise UsageError("alpha is the chance with which more than a budget of regret may be lost; give regret as well")
    return StopRule(**chosen) if regret is None else RegretRule(regret=RegretBudget.parse(regret), **chosen)

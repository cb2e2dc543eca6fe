"""Freeze and thaw within a budget of regret: which paused runs must go on, and when none of them must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lcode.decisions.budget import RegretBudget
from lcode.decisions.ledger import Outlook, chance_of_loss
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.standings import Standings
from lcode.table import RunTable

LOOKS = 3
"""Latest looks at a run whose forecasts make what is believed of it: one alone is too often sure and wrong. Chosen on
samples of LCBench's design half: three saved more than one and two, at no more regret."""

KEEP = 3
"""Runs that train to their ends at once. As safe as four and saves more on LCBench's design half. Stops from the first
epoch on would save more still there, as safely; on the training runs of the corpus they broke the promise, and stops
from the second on, as `RegretRule` has them, kept it."""


def thaw_rule(
    regret: float | str | RegretBudget = "0.03 spread",
    *,
    alpha: float | None = None,
    keep: int | None = None,
    min_epochs: int | None = None,
) -> RegretRule:
    """What may be lost by leaving runs paused; for the arguments see `RegretRule`, whose defaults hold but for `KEEP`.

    Raises:
        UsageError: a setting that cannot be.
    """
    given: dict[str, Any] = {"alpha": alpha, "keep": KEEP if keep is None else keep, "min_epochs": min_epochs}
    chosen = {name: value for name, value in given.items() if value is not None}
    return RegretRule(regret=RegretBudget.parse(regret), **chosen)


class GoingOn(NamedTuple):
    """What a budget of regret says of paused runs.

    Attributes:
        runs: those that must go on, the best first.
        chances: run -> chance that it would end above the best finished run by more than the budget, 0 to 1.
        over: chance that any of them would; what is risked by ending the sweep now.
        allowed: what may be lost, in the objective's unit; None where that, and the chances, cannot be told yet.
    """

    runs: tuple[str, ...]
    chances: Mapping[str, float]
    over: float
    allowed: float | None


def must_go_on(
    rule: RegretRule, paused: Mapping[str, Outlook | None], left: Mapping[str, float], standings: Standings
) -> GoingOn:
    """Which paused runs may be left so only with a larger chance of a loss than the rule allows.

    The forecasts may see a loss with a chance of α times the rule's `factor`. A run must go on if its chance to end
    above the best finished one by more than the budget is larger than that times the share of its epochs that would be
    saved; where none does, but all together lose too often, the likeliest one must.

    Args:
        rule: what may be lost, how often more, and how far the forecasts' chances are to be believed.
        paused: how each run is expected to end; None: nothing can be said of it yet, and it goes on.
        left: share of each run's epochs that are still to come, 0 to 1.
        standings: the finished runs, and these.
    """
    known = {run: outlook for run, outlook in paused.items() if outlook is not None}
    unknown = tuple(run for run in paused if run not in known)
    ranked = sorted(known, key=lambda run: -known[run].expected)
    ended = [*standings.past.values(), *standings.finished.values()]
    if not ranked:
        return GoingOn(unknown, {}, 0.0, None)
    allowed = rule.allowed(ranked[0], known[ranked[0]].expected, standings)
    if allowed is None or not ended:
        return GoingOn((*unknown, *ranked), {}, 1.0, None)

    def chance(outlooks: Sequence[Outlook]) -> float:
        return chance_of_loss(outlooks, [], max(ended), allowed)

    limit = rule.alpha * rule.factor
    chances = {run: chance([known[run]]) for run in ranked}
    worthy = [run for run in ranked if chances[run] > limit * left[run]]
    over = chance([*known.values()])
    if not worthy and over > limit:
        worthy = [max(ranked, key=chances.__getitem__)]
    return GoingOn((*unknown, *worthy), chances, over, allowed)


def earlier_looks(table: RunTable, rule: RegretRule) -> list[RunTable]:
    """The open runs as they were at the looks before now that have a say in what is believed of them, the latest first.

    Forecasts of these tables are what `suggest` takes as `earlier`.

    Args:
        table: all runs, as they stand now.
        rule: says when a run is looked at; see `RegretRule.due`.
    """
    unit = table.epoch_unit
    open_ = table.runs["status"].isin(("running", "stopped"))
    points = table.points.loc[table.points["run"].isin(table.runs.index[open_]), ["run", "epoch"]].drop_duplicates()
    looks: list[dict[str, int]] = [{} for _ in range(LOOKS - 1)]
    for run, epochs in points.groupby("run", observed=True)["epoch"]:
        ticks = sorted(epochs.tolist())
        due = [
            tick
            for before, tick in zip([None, *ticks[:-1]], ticks, strict=True)
            if rule.due(tick * unit, -1 if before is None else before * unit)
        ]
        for look, tick in zip(looks, [tick for tick in reversed(due) if tick < ticks[-1]], strict=False):
            look[str(run)] = tick
    return [table.select(look).prefix(look) for look in looks if look]

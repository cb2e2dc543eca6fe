"""The rules that can be replayed, by name, and how a command says which, with which settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lcode.decisions import MedianRule, StopRule
from lcode.decisions.budget import RegretBudget
from lcode.decisions.freeze_thaw import thaw_rule
from lcode.decisions.regret_rule import RegretRule
from lcode.errors import UsageError
from lcode.evaluation.replay.asha import Asha
from lcode.evaluation.replay.in_turn import ForecastPolicy
from lcode.evaluation.replay.patience import Patience
from lcode.evaluation.replay.rungs import BestAfter, Hyperband, SuccessiveHalving
from lcode.evaluation.replay.sweep import Policy
from lcode.evaluation.replay.thaw import FreezeThaw
from lcode.forecasters.base import Forecaster
from lcode.forecasters.last_value import LastValueForecaster

Models: TypeAlias = Callable[[str], Forecaster]
"""Makes the forecaster of a rule, by the rule's name; the same one each time."""


@dataclass(frozen=True)
class Entry:
    """A rule of the registry.

    Attributes:
        kind: class of the rule, whose fields are its settings.
        defaults: settings in which it differs from the class's own.
        forecasts: what makes a rule of a forecaster and the kind, where it decides by forecasts.
        history: whether runs from before the sweep make a difference to it.
    """

    kind: type[Any]
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    forecasts: type[ForecastPolicy] | None = None
    history: bool = False


RULES: dict[str, Entry] = {
    "patience": Entry(Patience),
    "median": Entry(MedianRule, history=True),
    "percentile": Entry(MedianRule, {"top": 0.25}, history=True),
    "best-after": Entry(BestAfter),
    "halving": Entry(SuccessiveHalving),
    "asha": Entry(Asha),
    "hyperband": Entry(Hyperband),
    "last": Entry(StopRule, forecasts=ForecastPolicy, history=True),
    "regret": Entry(RegretRule, forecasts=ForecastPolicy, history=True),
    "thaw": Entry(RegretRule, vars(thaw_rule()), forecasts=FreezeThaw, history=True),
    "lcode": Entry(StopRule, forecasts=ForecastPolicy, history=True),
    "trees": Entry(StopRule, forecasts=ForecastPolicy, history=True),
}
"""Name -> rule, the quick ones first; one line per rule."""


def own_forecaster(name: str) -> Forecaster | None:
    """The forecaster that a rule brings with it; None of those that take the command's model."""
    if name == "last":
        return LastValueForecaster()
    if name == "trees":
        from lcode.forecasters.refitted import RefittedForecaster
        from lcode.forecasters.trees import TreesForecaster

        return RefittedForecaster(TreesForecaster())
    return None


def entry_of(spec: str) -> Entry:
    """The registry's entry of `name` or `name:setting=value`.

    Raises:
        UsageError: no such rule.
    """
    name = spec.partition(":")[0]
    if name not in RULES:
        raise UsageError(f"no rule '{name}'; there are: {', '.join(RULES)}; settings follow as asha:first=5:eta=2")
    return RULES[name]


def settings_of(spec: str, *, regret: RegretBudget | None = None, alpha: float | None = None) -> Any:
    """What decides in the rule that `name` or `name:setting=value` stands for, such as `asha:first=5:eta=2`.

    Args:
        spec: what the user wrote.
        regret: budget of the rules that take one and are not given one.
        alpha: chance with which these may lose more.

    Raises:
        UsageError: no such rule or setting, or a value that it cannot have.
    """
    entry, (name, *settings) = entry_of(spec), spec.split(":")
    fields = [field.name for field in dataclasses.fields(entry.kind)]
    given = {"regret": regret, "alpha": alpha}
    chosen = {**entry.defaults, **{key: value for key, value in given.items() if value is not None and key in fields}}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or key not in fields:
            raise UsageError(f"rule '{spec}': no setting '{setting}'; '{name}' has: {', '.join(fields)}")
        chosen[key] = RegretBudget.parse(text) if key == "regret" else _number(text, f"rule '{spec}': {key}")
    return entry.kind(**chosen)


def make_rule(
    spec: str, forecaster: Models, *, regret: RegretBudget | None = None, alpha: float | None = None
) -> Policy:
    """The rule of these settings, ready to be replayed.

    Args:
        spec: see `settings_of`.
        forecaster: of the rules that need one.
        regret: see `settings_of`.
        alpha: see `settings_of`.

    Raises:
        UsageError: see `settings_of`.
    """
    rule, by_forecasts = settings_of(spec, regret=regret, alpha=alpha), entry_of(spec).forecasts
    return rule if by_forecasts is None else by_forecasts(forecaster(spec.partition(":")[0]), rule)


def parse_rules(text: str) -> tuple[str, ...]:
    """Comma-separated rules, each once; those that forecast come last, since they take long.

    Raises:
        UsageError: there is none, or no such rule.
    """
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise UsageError(f"--rules names none; there are: {', '.join(RULES)}")
    return tuple(sorted(found, key=lambda spec: entry_of(spec).forecasts is not None))


def _number(text: str, what: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise UsageError(f"{what} is '{text}'; write a number")

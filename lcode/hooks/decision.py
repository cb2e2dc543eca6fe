"""What an early stopper decides of a run, by the others and by what the run may gain by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lcode.decisions import GainRule, Verdict
from lcode.hooks.outlook import Outlook
from lcode.hooks.watched import metric_key

Kind = Literal["going on", "nothing to gain", "beaten", "diverged", "finished"]
"""What a decision is: the run goes on, or why it does not."""


@dataclass(frozen=True)
class Decision:
    """Whether a run shall stop, and why; true if it shall.

    Attributes:
        epoch: last epoch of the run that the decision is based on.
        stop: whether to stop.
        kind: `going on`; or `nothing to gain`, `beaten` (by another run), `diverged`, `finished` (its last epoch). In a
            dry run the kind says what would be done.
        reason: the same in a sentence, with the numbers.
        forecast: by metric the `median`, `q05` and `q95` at the last epoch; empty where no forecast was due.
        best: by metric the epoch and the value of the best value so far; empty where no forecast was due.
        saved_epochs: planned epochs that are not trained if the run stops here.
    """

    epoch: float
    stop: bool
    kind: Kind
    reason: str
    forecast: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    best: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    saved_epochs: float = 0

    def __bool__(self) -> bool:
        return self.stop


def unchanged(last: Decision | None, epoch: float) -> Decision:
    """The decision at an epoch at which nothing was measured: to go on, with what was known before."""
    reason = "no watched metric was reported"
    if last is None or not last.best:
        return Decision(epoch, False, "going on", reason)
    told = last.reason if last.reason.startswith(reason) else f"{reason}; at epoch {last.epoch:g}: {last.reason}"
    return Decision(epoch, False, "going on", told, last.forecast, last.best)


def decided(
    verdict: Verdict,
    seen: Outlook | None,
    rule: GainRule,
    watched: Iterable[str],
    *,
    over: bool,
    end: float,
    dry_run: bool,
) -> Decision:
    """The verdict by the others, and what the run may gain by itself, as one decision.

    Args:
        verdict: of the monitor.
        seen: what the run may gain; None where it was not asked for.
        rule: when that is nothing.
        watched: the metrics' names, as the user gave them.
        over: whether the run has reached its last epoch.
        end: that epoch.
        dry_run: whether nothing is stopped.
    """
    names = {metric_key(name): name for name in watched}
    kind: Kind = "going on"
    reason, forecast = verdict.reason, verdict.forecast
    best: Mapping[str, tuple[float, float]] = {}
    if verdict.action == "stop":
        kind = "diverged" if verdict.score is None else "beaten"
    elif over:
        kind = "finished"
    elif seen is not None:
        chances = {name: seen.chances[key] for key, name in names.items() if key in seen.chances}
        kind = "nothing to gain" if rule.stops(list(chances.values())) else kind
        reason = _told(chances, rule, end, kind)
        reason = reason if verdict.probability is None else f"{reason}; {verdict.reason}"
        forecast, best = seen.forecast, seen.best
    stop = kind in ("nothing to gain", "beaten", "diverged") and not (dry_run or verdict.dry_run)
    return Decision(
        epoch=verdict.epoch,
        stop=stop,
        kind=kind,
        reason=reason,
        forecast={names[key]: values for key, values in forecast.items() if key in names},
        best={names[key]: point for key, point in best.items() if key in names},
        saved_epochs=max(end - verdict.epoch, 0) if stop else 0,
    )


def _told(chances: Mapping[str, float], rule: GainRule, end: float, kind: Kind) -> str:
    """What may still be gained, in words."""
    each = ", ".join(f"{name} {rule.told(chance)}" for name, chance in chances.items())
    bar = f"{'all <' if kind == 'nothing to gain' else 'not all <'} {1 - rule.confidence:.2g}"
    return f"P(better than its best so far, until epoch {end:g}): {each} ({bar})"

"""Can I trust this? What the forecaster's own check on left-out runs says, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEW = 12
"""Of fewer finished runs a check says little: 90 % intervals hold the ends of all of eleven with a probability of 0.31,
and one that goes astray decides whose mean error is smaller."""

UNSEEN = (87, 99)
"""What the shipped model's 90 % intervals held on problems that it had never seen, in per cent of what came: from the
worst to the best of the sources and prefixes of its card (`lcode/SHIPPED.md`)."""


@dataclass(frozen=True)
class Trust:
    """What is known of a forecaster's quality.

    Attributes:
        rows: of a table: per metric and share of the horizon seen, how it forecast runs that it had not learned from;
            as `LCGODEForecaster.trust` returns them.
        warnings: where a simple forecast does as well, or the intervals are off.
        learned_from: finished runs of the user's that it learned from.
    """

    rows: Sequence[Mapping[str, str]] = ()
    warnings: Sequence[str] = ()
    learned_from: int = 0


def trust_sentences(trust: Trust) -> list[str]:
    """The answer, and why."""
    unseen = (
        f"On problems that it had never seen, the 90 % intervals of the shipped model held {UNSEEN[0]} to {UNSEEN[1]} "
        "% of what came, depending on the problem and on how much was seen."
    )
    later = f"Decide on clear cases only, and look again when {FEW} runs have finished."
    if not trust.rows:
        first = "As a first guess: no run of yours has been checked, for too few have finished."
        return [first, f"The pretrained model forecasts from the curves alone. {unseen}", later]
    learned = f"The forecaster learned from {trust.learned_from} finished runs of yours"
    covers = [float(row["covers %"]) for row in trust.rows if row.get("covers %", "").replace(".", "", 1).isdecimal()]
    low, high = min(covers, default=0.0), max(covers, default=0.0)
    held = f"{low:.0f} %" if low == high else f"{low:.0f} to {high:.0f} %"
    if trust.learned_from < FEW:
        told = f"{learned}, too few to check it on"
        told += f": that its 90 % intervals held the ends of {held} of them may be chance." if covers else "."
        return ["It is too early to say: too few runs have finished.", f"{told} {unseen}", later]
    told = f"{learned}, and was checked on those that each of its members had not seen."
    if covers:
        told += (
            f" Its 90 % intervals held the final value of {held} of these runs, depending on the metric and on how "
            "much was seen; 90 % is what they promise."
        )
    return ["With care." if trust.warnings else "Yes, as far as your own finished runs can tell.", told]

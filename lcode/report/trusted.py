"""Can I trust this? What the forecaster's own check on left-out runs says, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
    if not trust.rows:
        return [
            "As a first guess. No run of yours has been checked: too few have finished, so the pretrained model "
            "forecasts from the curves alone. Its intervals are calibrated on other people's runs; decide on clear "
            "cases only, and look again when ten runs have finished."
        ]
    checked = (
        f"The forecaster learned from {trust.learned_from} finished runs of yours, and was checked on those that each "
        "of its members had not seen."
    )
    covers = [float(row["covers %"]) for row in trust.rows if row.get("covers %", "").replace(".", "", 1).isdecimal()]
    told = [checked]
    if covers:
        low, high = min(covers), max(covers)
        span = f"{low:.0f} %" if low == high else f"{low:.0f} to {high:.0f} %"
        told.append(
            f"Its 90 % intervals held the final value of {span} of these runs, depending on the metric and on how much "
            "was seen; 90 % is what they promise."
        )
    first = "With care." if trust.warnings else "Yes, as far as your own finished runs can tell."
    return [first, *told]

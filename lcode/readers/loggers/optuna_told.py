"""What our own pruner keeps in the attributes of Optuna's trials: reports by name, and the last verdict on each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

OWN = "lcode:"
"""What the attributes begin with that our own hook writes."""

REPORT = f"{OWN}report:"
"""Attribute of a report to it: its number follows, its value is `[epoch, {metric: value}]`."""

VERDICT = f"{OWN}verdict"
"""Attribute of the last verdict: what `Verdict.to_json` says, after how many `reports` it was given and after `which`
(their digest: a trial that is tried again inherits the attribute, but not always the reports), and what is `thought` of
its end: `score`, and `looks`, the forecasts that have a say; they stand until there is a new one."""

Report = tuple[float, Mapping[str, float]]
"""Epoch and values."""


def reports_of(attrs: Mapping[str, Any]) -> list[Report]:
    """Epoch and values of what a trial has reported to our own hook, in the order in which it did."""
    numbered = sorted((int(key[len(REPORT) :]), key) for key in attrs if key.startswith(REPORT))
    return [(attrs[key][0], attrs[key][1]) for _, key in numbered]


def reported(attrs: Mapping[str, Any], values: Mapping[int, float], value_name: str) -> list[Report]:
    """What a trial has reported: by name to our own hook, else one value a step to Optuna.

    Args:
        attrs: its user attributes.
        values: its intermediate values by step.
        value_name: what these are called.
    """
    return reports_of(attrs) or [(step, {value_name: value}) for step, value in sorted(values.items())]


def digest_of(reports: Sequence[Report]) -> str:
    """What tells reports from others."""
    plain = [[float(step), *sorted((name, float(value)) for name, value in values.items())] for step, values in reports]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def is_decided(attrs: Mapping[str, Any], reports: Sequence[Report]) -> bool:
    """Whether the last verdict of our own hook has seen all that the trial has reported."""
    verdict = attrs.get(VERDICT)
    if not isinstance(verdict, Mapping) or verdict.get("reports") != len(reports):
        return False
    return "which" not in verdict or verdict["which"] == digest_of(reports)


def was_stopped(attrs: Mapping[str, Any], reports: Sequence[Report]) -> bool:
    """Whether our own hook told the trial to stop after its last report."""
    told = attrs.get(VERDICT)
    stops = isinstance(told, Mapping) and told.get("action") == "stop" and not told.get("dry_run")
    return stops and is_decided(attrs, reports)

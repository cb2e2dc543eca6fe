"""What a stopper that goes on takes over from the state of an earlier one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from lcode.hooks.inputs import whole_state
from lcode.table import Metric


def warn_of_another(state: Mapping[str, Any], run: str, keys: Iterable[str]) -> None:
    """Say it where a state is of another run, or of metrics that are not watched: it is of little use then.

    Args:
        state: of a monitor of this run alone.
        run: the run's name.
        keys: of the metrics that are watched.
    """
    with whole_state("stopper"):
        runs = [str(plain["name"]) for plain in state.get("runs", ())]
        metrics = [Metric(*parts).key for parts in state.get("metrics", ())]
    watched = list(keys)
    if runs and run not in runs:
        warnings.warn(
            f"this is the state of run '{runs[0]}', and the stopper's run is '{run}': nothing of it counts; "
            f"say run='{runs[0]}', or load the state of '{run}'",
            stacklevel=3,
        )
    gone = [key for key in metrics if key not in watched]
    if gone:
        warnings.warn(
            f"this is the state of a stopper of {', '.join(metrics)}, and watched are {', '.join(watched)}: "
            f"{', '.join(gone)} counts as missing from now on; watch what was watched before",
            stacklevel=3,
        )


def reports_of(state: Mapping[str, Any], run: str, factor: float = 1) -> list[tuple[float, dict[str, float]]]:
    """What a run had reported, its epochs times a factor.

    Raises:
        UsageError: the state is not whole.
    """
    with whole_state("stopper"):
        found = [plain["values"] for plain in state.get("runs", ()) if plain["name"] == run]
        return [(epoch * factor, dict(values)) for epoch, values in (found[0] if found else ())]

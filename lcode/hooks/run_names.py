"""The name of a run that was given none, among the runs of its sweep."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count, takewhile
from typing import Any

from lcode.hooks.live_run import LiveRun

NAME = "run"
"""What the only run is called, or the first of several."""


def default_name(
    runs: Mapping[str, LiveRun],
    past: Collection[str],
    epoch: float,
    config: Mapping[str, Any] | None,
    own: str | None,
) -> str:
    """`run`, `run-2`, …: that of the run that goes on, else the first that is free.

    Args:
        runs: the live runs by name.
        past: names of runs known before.
        epoch: the first that is reported now. A run goes on with an epoch beyond its own first one, as the last of
            those with the same configuration. A training of which none is known is another run, since an earlier one
            may still train in another process.
        config: hyper-parameters; None where they are not known.
        own: the name that it had in an earlier training of the same callback or in its state, if any: that run goes on
            whatever is known of it.
    """
    names = (NAME if n == 1 else f"{NAME}-{n}" for n in count(1))
    taken = list(takewhile(lambda name: name in runs or name in past, names))
    for name in dict.fromkeys([*([] if own is None else [own]), *reversed(taken)]):
        live = runs.get(name)
        if live is None or not live.values or epoch <= next(iter(live.values)):
            continue
        if name == own or (config and config == live.config):
            return name
    return f"{NAME}-{len(taken) + 1}" if taken else NAME

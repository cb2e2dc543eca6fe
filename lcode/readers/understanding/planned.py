"""How long a training is planned to be, by its settings: `epochs: 300`, `trainer.max_steps: 20000`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import words_of
from lcode.table.axis import MAX_TICKS

Counted = Literal["epoch", "step"]

_NAMES: Mapping[Counted, frozenset[str]] = {
    "epoch": frozenset(
        (
            *("epochs", "nepochs", "nepoch", "maxepoch", "maxepochs", "maxnepochs", "numepochs", "totalepochs"),
            *("numtrainepochs", "trainepochs", "trainingepochs", "nrounds", "numepoch", "totalepoch", "trainepoch"),
            *("maxtrainepochs", "numberofepochs", "nbepochs", "nbepoch", "nepochstrain", "ntrainepochs", "afterepochs"),
            *("maxnumepochs", "endepoch", "endepochs"),
        )
    ),
    "step": frozenset(
        (
            *("maxiter", "maxiters", "maxsteps", "totalsteps", "numsteps", "numbsteps", "numiterations", "totaliters"),
            *("traintotalsteps", "maxiterations", "totaliterations", "niterations", "numiters", "niters", "maxstep"),
            *("maxtrainsteps", "numtrainsteps", "numtrainingsteps", "trainsteps", "trainingsteps", "totaltimesteps"),
            *("trainiters", "afterbatches"),
        )
    ),
}
"""Names of how many epochs, or steps, are planned, without what joins their words."""

ENDLESS = 1e8
"""Epochs, or steps, that nobody means to train. By judgement."""

_OF_A_PART = frozenset(
    (
        *("warmup", "warm", "pretrain", "pretraining", "pretrained", "burnin", "cooldown", "decay", "patience", "swa"),
        *("freeze", "frozen", "scheduler", "eval", "val", "validation", "test", "save", "checkpoint"),
    )
)
"""Words of the groups whose numbers of epochs are those of something else: `warmup.epochs`."""


def is_planned(name: str, counted: Counted) -> bool:
    """Whether a setting says by its name, or by the last part of it, how many epochs or steps are planned."""
    head, _, last = name.rpartition(".")
    if not _OF_A_PART.isdisjoint(words_of(head)):
        return False
    return any("".join(words_of(part)) in _NAMES[counted] for part in (name, last))


def planned(settings: Mapping[str, Any], counted: Counted, last: float) -> float | None:
    """How many epochs, or steps, are planned, where the settings agree on that.

    Args:
        settings: numbers, or texts of them, by name.
        counted: what the training is counted by.
        last: where it stands; a number below was not meant.
    """
    given = {number for name, value in settings.items() if is_planned(name, counted) and (number := whole(value))}
    fitting = {number for number in given if number >= max(last, 1) and not is_endless(number)}
    return fitting.pop() if len(fitting) == 1 else None


def is_endless(number: float) -> bool:
    """Whether a number of epochs says that something else ends the training: 9999, 999999, 1e9."""
    return number >= ENDLESS or (number >= 9999 and set(f"{number:.0f}") == {"9"})


def whole(value: Any) -> float | None:
    """A whole number, however it is written (TensorBoard keeps 60 as 60.0); None: it is none, or too large a one."""
    number = None if isinstance(value, bool) else as_number(value)
    return number if number is not None and number.is_integer() and abs(number) <= MAX_TICKS else None


def planned_ends(
    settings: Sequence[Mapping[str, Any]], counts: Sequence[NDArray[np.float64]], *, by_epochs: bool
) -> NDArray[np.float64]:
    """The horizons that the settings of runs state, NaN where they state none, [R]; of epochs from 0 on, their number.

    Args:
        settings: of each run.
        counts: epochs, or steps, at which each run was measured, ascending and each once; empty where it was not.
        by_epochs: whether epochs are counted. Else it is steps, which may be epochs as well.
    """
    ends = np.full(len(settings), np.nan)
    last = [float(own[-1]) if len(own) else 0.0 for own in counts]
    of_steps = None if by_epochs else _steps_that_are_epochs(settings, counts, last)
    for at, own in enumerate(settings):
        if not len(counts[at]):
            continue
        steps = None if by_epochs else planned(own, "step", last[at])
        if steps is not None:
            ends[at] = steps - _ends_before(counts[at])
        elif of_steps is None or of_steps[at]:
            ends[at] = np.nan if (epochs := planned(own, "epoch", last[at])) is None else epochs
    return ends


def _ends_before(steps: NDArray[np.float64]) -> int:
    """1 where steps are counted from 0 and told with the last of every so many: 49, 99, … 19999 of 20000; else 0."""
    if len(steps) < 2 or np.any(steps % 1):
        return 0
    whole_steps = steps.astype(np.int64)
    every = int(np.gcd.reduce(whole_steps + 1))
    return int(every > 1 and int(np.gcd.reduce(whole_steps)) == 1)


def _steps_that_are_epochs(
    settings: Sequence[Mapping[str, Any]], counts: Sequence[NDArray[np.float64]], last: Sequence[float]
) -> list[bool]:
    """Of which runs the steps are the planned epochs: none where most runs have more steps than epochs are planned.

    They follow each other one by one, or some run ends with the last planned epoch.
    """
    plans = [planned(own, "epoch", 0) for own in settings]
    within = [
        plan is not None and len(own) > 0 and end <= plan for plan, own, end in zip(plans, counts, last, strict=True)
    ]
    beyond = sum(plan is not None and end > plan for plan, end in zip(plans, last, strict=True))
    if beyond > sum(within):
        return [False] * len(plans)
    reached = any(
        fits and plan is not None and plan - end in (0, 1) for fits, plan, end in zip(within, plans, last, strict=True)
    )
    return [fits and (reached or _by_ones(own)) for fits, own in zip(within, counts, strict=True)]


def _by_ones(counts: NDArray[np.float64]) -> bool:
    """Whether they follow each other one by one; a single one must be the first."""
    return len(counts) == np.ptp(counts) + 1 and (len(counts) > 1 or counts[0] <= 1)

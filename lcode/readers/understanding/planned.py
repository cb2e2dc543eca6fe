"""How long a training is planned to be, by its settings: `epochs: 300`, `trainer.max_steps: 20000`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import words_of

Counted = Literal["epoch", "step"]

_NAMES: Mapping[Counted, frozenset[str]] = {
    "epoch": frozenset(
        (
            *("epochs", "nepochs", "nepoch", "maxepoch", "maxepochs", "maxnepochs", "numepochs", "totalepochs"),
            *("numtrainepochs", "trainepochs", "trainingepochs", "nrounds"),
        )
    ),
    "step": frozenset(
        ("maxiter", "maxiters", "maxsteps", "totalsteps", "numsteps", "numiterations", "totaliters", "traintotalsteps")
    ),
}
"""Names of how many epochs, or steps, are planned, without what joins their words."""


def is_planned(name: str, counted: Counted) -> bool:
    """Whether a setting says by its name, or by the last part of it, how many epochs or steps are planned."""
    return any("".join(words_of(part)) in _NAMES[counted] for part in (name, name.rpartition(".")[2]))


def planned(settings: Mapping[str, Any], counted: Counted, last: float) -> float | None:
    """How many epochs, or steps, are planned, where the settings agree on that.

    Args:
        settings: numbers, or texts of them, by name.
        counted: what the training is counted by.
        last: where it stands; a number below was not meant.
    """
    given = {number for name, value in settings.items() if is_planned(name, counted) and (number := _whole(value))}
    fitting = {number for number in given if number >= max(last, 1)}
    return fitting.pop() if len(fitting) == 1 else None


def _whole(value: Any) -> float | None:
    number = None if isinstance(value, bool) else as_number(value)
    return number if number is not None and number.is_integer() else None

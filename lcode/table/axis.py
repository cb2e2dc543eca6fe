"""Epochs as users count them (0.5, 1.0, …; 1/39, 2/39, …) and as tables keep them: whole multiples of a unit."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lcode.arguments import as_number, found
from lcode.errors import UsageError

MAX_TICKS = 10**9
"""Anything above is no epoch but a time stamp or a count of samples."""

DIGITS = 6
"""Epochs that differ by less than 1e-6 are one: no logger writes them finer and means it."""

_DECIMALS = 4
"""Epochs with at most so many decimals are taken as they stand: `0.26` is 26 hundredths."""

_SAMPLE = 1000
"""So many epochs of a long axis are looked at to guess its step; all of them are then checked."""


def check_horizon(horizon: object) -> None:
    """Refuse what is no planned last epoch.

    Raises:
        UsageError: no number, or one that is no horizon.
    """
    number = as_number(horizon)
    if number is None:
        raise UsageError(f"horizon is {found(horizon)}; give a number: the planned last epoch")
    if not 0 < number <= MAX_TICKS:
        raise UsageError(
            f"a horizon of {number:g} (--horizon) makes no sense: it is the planned last epoch, above 0 and at most "
            f"{MAX_TICKS:.0e}"
        )


def common_step(epochs: ArrayLike) -> float:
    """The largest step of which all these epochs are whole multiples: 1.0 where all are whole.

    A logger that divides its counter of batches by the batches of an epoch (as Hugging Face's trainer does) writes
    0.02564102564102564 for one of 39: such epochs are fractions of a small common denominator.

    Args:
        epochs: finite, ≥ 0, in any order.

    Raises:
        UsageError: there is no such step of at least 1e-6 with at most 10⁹ steps to the last epoch.
    """
    distinct = np.unique(np.asarray(epochs, dtype=np.float64))
    if np.all(distinct == np.floor(distinct)):
        return 1.0
    step = (
        _decimal_step(distinct, _DECIMALS) or _fraction_step(distinct) or _decimal_step(np.round(distinct, DIGITS), 6)
    )
    ticks = np.rint(distinct / step) if step else distinct
    if not step or ticks[-1] > MAX_TICKS or np.any(np.diff(ticks) == 0):
        raise UsageError(
            f"the epochs are no multiples of a common step: at most {MAX_TICKS:.0e} steps of at least 1e-{DIGITS} "
            "are possible"
        )
    return step


def as_ticks(epochs: ArrayLike, unit: float) -> NDArray[np.int64]:
    """Epochs as whole multiples of the unit.

    Raises:
        UsageError: one is none; the message names it.
    """
    given = np.asarray(epochs, dtype=np.float64)
    ticks = np.rint(given / unit)
    wrong = ~(np.abs(ticks * unit - given) <= 10.0**-DIGITS)
    if wrong.any():
        expected = "whole numbers" if unit == 1 else f"multiples of {as_epochs(1, unit)}"
        raise UsageError(f"epoch {given[wrong].flat[0]:g} does not fit; the epochs of these runs are {expected}")
    return ticks.astype(np.int64)


def as_epochs(ticks: ArrayLike, unit: float) -> NDArray[np.int64] | NDArray[np.float64]:
    """Ticks as the user counts epochs: whole numbers where the unit is 1, else rounded to six decimals."""
    whole = np.asarray(ticks, dtype=np.int64)
    return whole if unit == 1 else np.round(whole * unit, DIGITS)


def epoch_text(tick: int, unit: float) -> str:
    """One epoch for a message: `12`, or `0.5`."""
    return f"{as_epochs(tick, unit).item():.10g}"


def finer_unit(one: float, other: float) -> float:
    """The largest unit of which both are whole multiples.

    Raises:
        UsageError: there is none of at least 1e-6.
    """
    return one if one == other else common_step([one, other])


def _decimal_step(epochs: NDArray[np.float64], most: int) -> float | None:
    """The step of epochs that are written with at most so many decimals."""
    for decimals in range(1, most + 1):
        scaled = epochs * 10.0**decimals
        if scaled[-1] < 2**53 and np.all(np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(scaled, 1)):
            return gcd(*(int(number) for number in np.rint(scaled))) / 10**decimals
    return None


def _fraction_step(epochs: NDArray[np.float64]) -> float | None:
    """The step of epochs that are fractions of one denominator, such as the number of batches of an epoch."""
    some = epochs[:: -(-len(epochs) // _SAMPLE)]
    # The small denominator first: for 0.025641, 1/39 is the better reading than 25641 millionths.
    for largest in (10**3, 10**6):
        denominator = 1
        for epoch in some:
            denominator = lcm(denominator, Fraction(float(epoch)).limit_denominator(largest).denominator)
            if denominator > largest:
                break
        else:
            numerators = np.rint(epochs * denominator)
            if np.all(np.abs(numerators / denominator - epochs) <= 0.5 * 10.0**-DIGITS):
                return gcd(*(int(number) for number in numerators)) / denominator
    return None

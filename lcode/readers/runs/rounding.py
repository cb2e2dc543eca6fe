"""How far a logger has rounded a curve: to decimals (`0.1235`), or to significant digits (`%.5g`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Rounding(NamedTuple):
    """To so many decimals, or significant digits."""

    kind: Literal["decimals", "digits"]
    number: int

    def apply(self, values: Array) -> Array:
        """The values, rounded."""
        unit = self.unit(values)
        with np.errstate(over="ignore", invalid="ignore"):
            return (np.round(values.astype(np.float64) / unit) * unit).astype(np.float32)

    def unit(self, values: Array) -> NDArray[np.float64]:
        """What one in the last digit of each value stands for."""
        if self.kind == "decimals":
            return np.full(len(values), 10.0**-self.number)
        with np.errstate(divide="ignore", invalid="ignore"):
            magnitude = np.floor(np.log10(np.abs(values.astype(np.float64))))
        return 10.0 ** (np.where(np.isfinite(magnitude), magnitude, 0.0) - self.number + 1)


ROUNDINGS = (
    *(Rounding("decimals", number) for number in (3, 4, 5, 6)),
    *(Rounding("digits", number) for number in (4, 5, 6)),
)
"""What loggers round to. Fewer digits may be those of a share of few samples, more are those of single precision."""

_SLACK = 0.502
"""Share of the last digit's unit by which a rounded value may differ from the full one: half, and what single precision
adds."""


def roundings_of(values: Array) -> frozenset[Rounding]:
    """Those by which a curve may have been rounded, the coarsest of each kind; none for one of full precision."""
    known = values[np.isfinite(values)]
    found: dict[str, Rounding] = {}
    for rounding in ROUNDINGS:
        if rounding.kind not in found and np.array_equal(rounding.apply(known), known):
            found[rounding.kind] = rounding
    return frozenset(found.values())


def equal_but_for(roundings: Iterable[Rounding], one: Array, other: Array) -> bool:
    """Whether two curves of one length are equal, or differ by no more than one of these has changed them."""
    if np.array_equal(one, other, equal_nan=True):
        return True
    known = np.isfinite(one)
    if not np.array_equal(known, np.isfinite(other)):
        return False
    apart = np.abs(one[known].astype(np.float64) - other[known])
    return any((apart <= _SLACK * rounding.unit(one[known])).all() for rounding in roundings)

"""Each curve on a scale of its own: where it stands is 0, how much it moved lately is 1.

A model that never saw a finished run of the problem cannot know in which units, on which level and over how many
decades a metric moves. It reads each curve as that curve itself suggests, from the observed prefix alone:

    y = asinh((x - last) / size)

with x the value in the space of `lcode.curves.scaling` (log, logit or linear), `last` the last observed one, and
`size` the mean distance from it of the later half of what was observed. So a loss of 1e5 + x and one of 1e-6 look alike
if they move alike, and a change of many sizes still is a number of ordinary size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from lcode.curves.batch import OWN_FEATURES, CurveBatch

SMALLEST = 1e-6
"""The least size: a curve that stood still, bit for bit, may yet move by 1, which then is 14.5 in model space."""

ROOM = 2.0
"""By how much worse a curve may get that has hardly moved: a loss by a factor of 7. A few runs blow up by more, and are
no reason for an end of every interval that has no meaning."""

FURTHEST = 20.0
"""In model space: sinh of more is beyond any metric, and soon beyond numbers."""


@dataclass(frozen=True, eq=False)
class OwnScale:
    """Where each of B runs' K curves stands, and how much it moved.

    Attributes:
        last: last observed value in the space of the metric, 0 where there is none, [B, K].
        size: how much one unit is, [B, K].
        worst: what no forecast exceeds, in the space of the metric, where less is better, [B, K].
    """

    last: Tensor
    size: Tensor
    worst: Tensor

    def scale(self, values: Tensor) -> Tensor:
        """From the space of the metric, [B, K, …], to the curve's own."""
        return torch.asinh((values - _wide(self.last, values)) / _wide(self.size, values))

    def unscale(self, scaled: Tensor) -> Tensor:
        """The inverse of `scale`, up to `worst`."""
        inner = torch.sinh(scaled.clamp(-FURTHEST, FURTHEST))
        return torch.minimum(_wide(self.last, scaled) + _wide(self.size, scaled) * inner, _wide(self.worst, scaled))


@dataclass(frozen=True, eq=False)
class OwnScales:
    """Puts the curves of K metrics on scales of their own.

    Attributes:
        shares: which metrics lie between 0 and 1, so that their level says how much is left, [K], bool.
        signed: which may be negative and so have no level of their own, [K], bool.
        zeros: where the value 0 lies in the space of a signed metric, [K].
        apart: how far the first values of the table's runs lie from each other, [K]; NaN where runs are few.
    """

    shares: Tensor
    signed: Tensor
    zeros: Tensor
    apart: Tensor

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        parts = (part.to(device) for part in (self.shares, self.signed, self.zeros, self.apart))
        return type(self)(*parts)

    def alone(self) -> Self:
        """As if each run were the only one of its table."""
        return replace(self, apart=torch.full_like(self.apart, torch.nan))

    def __call__(self, batch: CurveBatch) -> tuple[CurveBatch, OwnScale]:
        """The batch with its values, what comes after the cutoff included, on the scales of the observed prefixes."""
        observed, runs = batch.observed, batch.runs
        rank, count = observed.cumsum(-1), observed.sum(-1, keepdim=True)  # the first observed point has rank 1
        first, last = ((runs.values * (observed & (rank == place))).sum(-1) for place in (1, count))
        half = torch.div(count + 1, 2, rounding_mode="floor")
        late = observed & (rank >= half) & (rank < count)
        away = ((runs.values - last[..., None]).abs() * late).sum(-1) / late.sum(-1).clamp(min=1)
        size = torch.where(count[..., 0] > 1, away, self._first_size(last)).clamp(min=SMALLEST)
        scale = OwnScale(last, size, self._worst(runs.values, observed, last, size))
        values = scale.scale(runs.values) * runs.present
        return CurveBatch(replace(runs, values=values), batch.cutoffs, self._marks(first, scale)), scale

    def _first_size(self, last: Tensor) -> Tensor:
        """The size of curves of fewer than two points, [B, K].

        As much as the runs differ; for a single run a factor e in a loss or in the odds of a share, and for a signed
        metric its distance from 0.
        """
        single = torch.where(self.signed, (last - self.zeros).abs(), torch.ones_like(last))
        return torch.where(self.apart.isnan(), single, self.apart)

    def _worst(self, values: Tensor, observed: Tensor, last: Tensor, size: Tensor) -> Tensor:
        """How bad a curve may get, [B, K]: by as much worse than the worst seen as it ever moved, or by `ROOM`."""
        big = torch.finfo(values.dtype).max
        high = torch.where(observed, values, -big).amax(-1).maximum(last)
        low = torch.where(observed, values, big).amin(-1).minimum(last)
        return high + torch.where(self.signed, (2 * (high - low)).maximum(10 * size), (high - low).clamp(min=ROOM))

    def _marks(self, first: Tensor, scale: OwnScale) -> Tensor:
        """What the own scale hides: sizes, levels and kinds of metric, [B, K, OWN_FEATURES]."""
        last = scale.last
        shares, signed, known = (
            kind.to(last.dtype).expand_as(last) for kind in (self.shares, self.signed, ~self.apart.isnan())
        )
        apart = torch.nan_to_num(self.apart, nan=1.0).clamp(min=SMALLEST).log().expand_as(last)
        # How large a signed metric's moves are beside its distance from 0 is known, and nothing else of its unit.
        unit = torch.where(self.signed, (last - self.zeros).abs().clamp(min=SMALLEST), torch.ones_like(last))
        marks = [
            (scale.size / unit).log() / 5,
            torch.asinh((first - last) / unit),
            shares * last / 3,
            shares,
            signed,
            (scale.size <= SMALLEST).to(last.dtype),
            known * (apart - unit.log()) / 5,
            known,
        ]
        assert len(marks) == OWN_FEATURES
        return torch.stack(marks, -1)


def _wide(of_curve: Tensor, like: Tensor) -> Tensor:
    return of_curve.reshape(*of_curve.shape, *[1] * (like.ndim - of_curve.ndim))

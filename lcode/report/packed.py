"""Curves in few bytes: a page with thousands of runs is still a file that a browser opens at once.

A curve is thinned to the points that can be told apart on a screen, and each value is written as one of 65,535 steps
between its least and largest value (on the axis that the page draws it on): two bytes, of which base64 makes 2⅔.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.forecast import LEVELS, NO_EPOCH, Forecast
from lcode.report.aligned import aligned_curves
from lcode.table import RunTable, as_epochs

BUDGET = 6_000_000
"""Bytes for all curves of a page: 10 MB is what 5,000 runs may take with their table."""

OVERHEAD, VALUE = 48, 8 / 3
"""Bytes of a curve beside its values; bytes of a value."""

MOST_VALUES, LEAST_VALUES = 480, 30
"""Values of a curve at most, where there are few: 192 observed points and 57 epochs ahead; and at least: runs that
there is no room for have no curve."""

BANDS = tuple(int(np.argmin(np.abs(LEVELS - level))) for level in (0.05, 0.25, 0.5, 0.75, 0.95))
"""Places of the drawn quantiles among `LEVELS`."""

_STEPS, _GAP = 65_534, 65_535


def page_epochs(table: RunTable) -> dict[str, NDArray[np.int64]]:
    """Epochs to forecast for a page, by run: from the one after the last observed up to the horizon.

    No more than can be drawn: thousands of runs with thousands of epochs would fill the memory. They are denser at the
    beginning, where curves bend.
    """
    most = _points(len(table) * len(table.metrics))[1]
    horizons = np.maximum(table.runs["horizon"].to_numpy(np.int64), 1)
    firsts = np.minimum(table.last_epochs.to_numpy(np.int64) + 1, horizons)
    return {
        run: np.arange(first, last + 1) if last - first < most else _bent(first, last, most)
        for run, first, last in zip(table.run_ids, firsts, horizons, strict=True)
    }


def _bent(first: np.int64, last: np.int64, most: int) -> NDArray[np.int64]:
    """At most so many epochs from the first to the last, denser at the beginning."""
    return np.unique(np.rint(first + (last - first) * np.linspace(0, 1, most) ** 2).astype(np.int64))


class Axes:
    """Lists of epochs, each kept once: most curves share theirs."""

    def __init__(self, unit: float) -> None:
        """Start empty; epochs are given in ticks of `unit`."""
        self.lists: list[list[float]] = []
        self._unit = unit
        self._places: dict[bytes, int] = {}

    def place(self, ticks: NDArray[np.int64]) -> int:
        """Place of these epochs in `lists`."""
        key = ticks.tobytes()
        if key not in self._places:
            self._places[key] = len(self.lists)
            self.lists.append(as_epochs(ticks, self._unit).tolist())
        return self._places[key]


def packed_curves(
    forecast: Forecast, table: RunTable, order: list[int], log: list[bool], truth: RunTable | None = None
) -> dict[str, Any]:
    """The observed curves, what is forecast, and what came, in a form that becomes JSON.

    Args:
        forecast: R runs × K metrics.
        table: what was observed of them.
        order: places in the forecast of the runs, as the page lists them.
        log: whether the page draws each metric on a logarithmic axis.
        truth: the same runs, trained on.

    Returns:
        `axes`: lists of epochs. `curves`: for each run and metric either null or `[lo, hi, values, observed, ahead,
        later, diverged]`: the range, base64 of 16-bit steps of it (observed values, then the five quantiles at each
        epoch ahead, then the true values), the places of the three lists of epochs, and the epoch of the divergence or
        null.
    """
    seen = _readable(aligned_curves(forecast, table))
    later = None if truth is None else _readable(aligned_curves(forecast, truth))
    metrics = len(log)
    room = max(1, int(BUDGET / (OVERHEAD + VALUE * LEAST_VALUES) / max(metrics, 1)))
    most = _points(min(len(order), room) * metrics)
    axes = Axes(forecast.epoch_unit)
    parts = [_parts(forecast, seen, later, i, k, axes, most=most) for i in order[:room] for k in range(metrics)]
    known = [(place, part) for place, part in enumerate(parts) if part is not None]
    written = packed([part[0] for _, part in known], [log[place % metrics] for place, _ in known])
    flat: list[list[Any] | None] = [None] * len(parts)
    for (place, part), values in zip(known, written, strict=True):
        flat[place] = [*values, *part[1:]]
    return {"axes": axes.lists, "curves": [flat[at : at + metrics] for at in range(0, len(flat), metrics)]}


def packed(curves: Sequence[NDArray[np.float64]], log: Sequence[bool]) -> list[tuple[float, float, str]]:
    """Range and base64 of each curve's values, of which NaN, infinity and what a logarithmic axis cannot show are gaps.

    Args:
        curves: values, at least one of each.
        log: whether each is drawn on a logarithmic axis.
    """
    if not curves:
        return []
    lengths = np.array([len(curve) for curve in curves])
    ends = np.cumsum(lengths)
    values = np.concatenate(curves)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(np.repeat(log, lengths), np.log10(values), values)
    known = np.isfinite(values)
    low = np.minimum.reduceat(np.where(known, values, np.inf), ends - lengths)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), ends - lengths)
    low, high = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
    # Halves: the width of a range from -1e308 to 1e308 is infinite.
    first, width = (np.repeat(part, lengths)[known] for part in (low / 2, high / 2 - low / 2))
    steps = np.full(len(values), _GAP, dtype="<u2")
    share = np.divide(values[known] / 2 - first, width, out=np.zeros(len(width)), where=width > 0)
    steps[known] = np.rint(share * _STEPS)
    bits = memoryview(steps.tobytes())
    texts = [base64.b64encode(bits[2 * start : 2 * end]) for start, end in zip(ends - lengths, ends, strict=True)]
    return [
        (float(f"{a:.7g}"), float(f"{b:.7g}"), text.decode("ascii"))
        for a, b, text in zip(low.tolist(), high.tolist(), texts, strict=True)
    ]


@lru_cache(maxsize=1024)  # thousands of curves have the same few lengths
def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Places of at most so many points, evenly spread, the first and the last among them; not to be written to."""
    places = np.arange(count) if count <= most else np.rint(np.linspace(0, count - 1, most)).astype(np.int64)
    places.setflags(write=False)
    return places


def _readable(curves: CurveArrays) -> CurveArrays:
    """The curves without values that explode: more than ten inter-quartile ranges outside a curve's quartiles.

    One of them, of a run on its way to diverge, would leave no steps for all others, and lie outside any useful axis.
    Where a curve begins it falls steeply, and is given three times the room.
    """
    last = np.maximum(curves.lengths - 1, 0)
    ordered = np.sort(curves.values, axis=-1)  # NaN, the padding, comes last
    if not ordered.shape[-1]:
        return curves
    first, third = (np.take_along_axis(ordered, (share * last // 4)[..., None], -1) for share in (1, 3))
    spread = np.where((third > first) & (curves.lengths >= 4)[..., None], third - first, np.inf)
    with np.errstate(invalid="ignore"):
        away = np.maximum(first - curves.values, curves.values - third) / spread
    settled = np.maximum.accumulate(away <= 10, axis=-1)
    outside = away > np.where(settled, 10, 30)
    return replace(curves, values=np.where(outside, np.nan, curves.values))


def _points(curves: int) -> tuple[int, int]:
    """Observed points and epochs ahead that there is room for in each of so many curves."""
    values = int((BUDGET / max(curves, 1) - OVERHEAD) / VALUE)
    values = min(max(values, LEAST_VALUES), MOST_VALUES)
    seen = 2 * values // 5
    return seen, (values - seen) // len(BANDS)


def _parts(
    forecast: Forecast,
    seen: CurveArrays,
    later: CurveArrays | None,
    i: int,
    k: int,
    axes: Axes,
    *,
    most: tuple[int, int],
) -> tuple[NDArray[np.float64], int, int, int, float | None] | None:
    """A curve's values, the places of its three lists of epochs, and where it diverged; None: nothing is known."""
    length = int(seen.lengths[i, k])
    kept = thinned(length, most[0])
    epochs, values = seen.epochs[i, k, kept], seen.values[i, k, kept]
    cutoff = int(epochs[-1]) if length else -1
    asked = forecast.epochs[i]
    ahead = ((asked > cutoff) & (asked != NO_EPOCH) & np.isfinite(forecast.quantiles[i, k, :, 0])).nonzero()[0]
    ahead = ahead[thinned(len(ahead), most[1])]
    if not length and not len(ahead):
        return None
    fans = forecast.quantiles[i, k, ahead][:, BANDS].T.ravel()
    came_epochs, came = np.zeros(0, np.int64), np.zeros(0)
    if later is not None:
        size = int(later.lengths[i, k])
        after = np.flatnonzero(later.epochs[i, k, :size] >= cutoff)
        after = after[thinned(len(after), most[0])]
        came_epochs, came = later.epochs[i, k, after], later.values[i, k, after]
    diverged = int(seen.diverged_at[i, k])
    broken = None if diverged < 0 else as_epochs(diverged, forecast.epoch_unit).item()
    places = axes.place(epochs), axes.place(asked[ahead]), axes.place(came_epochs)
    return np.concatenate([values, fans, came]), *places, broken

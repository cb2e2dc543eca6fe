"""What a run's values are measured against: single-task baselines, or the medians of the runs themselves."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import found
from lcode.errors import InputError, NotEnoughDataError, UsageError
from lcode.table import MAIN_TASK, Metric

ZERO = 1e-8
"""A reference of at most this size counts as zero: a relative gain over it has no meaning."""


FAINT = 0.1
"""A median is too near 0 to be a reference where it is less than this share of its distance to the better quartile.

Every fourth run would then gain more than 1,000 % in this task, which decides the order alone. A loss above 0 cannot
gain more than 100 %, however small it is.
"""


_MEASURED = "median final value of"
"""What references are where nothing else is given, as a phrase."""


@dataclass(frozen=True)
class References:
    """Value of each metric that a relative gain is measured against, in the metric's natural units.

    Attributes:
        values: metric key -> value, used for every architecture that has none of its own; NaN for a metric that has no
            say, since the median of the runs is 0 or near it, or no run has a value.
        by_arch: architecture -> metric key -> value.
        origin: where they come from, as a phrase for the user.
        unmeasured: keys of metrics that have no say, since no run has a value to be the reference or to be compared.
        faint: metric key -> what its median is, of those that have no say since that is 0 or too near it.
    """

    values: Mapping[str, float]
    by_arch: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    origin: str = "the given baseline"
    unmeasured: tuple[str, ...] = ()
    faint: Mapping[str, str] = field(default_factory=dict)

    def of_forecasts(self) -> References:
        """The same, said of medians of forecasts: no run has ended."""
        return replace(self, origin=self.origin.replace(_MEASURED, "median of the forecast ends of"))

    def lookup(self, metrics: Sequence[Metric], archs: Sequence[str | None] | None = None) -> NDArray[np.float64]:
        """References of the metrics: shape [K], or [R, K] for the architectures of R runs.

        Raises:
            UsageError: a metric has no reference.
        """
        missing = [metric.key for metric in metrics if metric.key not in self.values]
        if missing:
            known = ", ".join(self.values)
            raise UsageError(f"no reference value for '{missing[0]}' in {self.origin}; there are: {known}")
        counts = np.array([metric.key not in self.unmeasured for metric in metrics])
        common = np.where(counts, [self.values[metric.key] for metric in metrics], np.nan)
        if archs is None or not self.by_arch:
            return common
        own = {
            arch: np.where(counts, [of.get(m.key, self.values[m.key]) for m in metrics], np.nan)
            for arch, of in self.by_arch.items()
        }
        return np.stack([own.get(arch, common) if arch is not None else common for arch in archs])


def references_from(
    metrics: Sequence[Metric],
    *,
    baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
    population: NDArray[np.float64] | None = None,
) -> References:
    """References for the metrics.

    Args:
        metrics: the K metrics that need one.
        baseline: values by metric key, or a CSV file with the columns `task, metric, value` and optionally `arch`.
        population: final values of finished runs, shape [N, K]; without a baseline their median is the reference.

    Raises:
        InputError: the file cannot be read as it stands, lacks a metric, or a reference is 0 (of medians: all are).
        UsageError: the mapping lacks a metric, or names one that is not measured.
        NotEnoughDataError: neither a baseline nor a value of any metric.
    """
    if baseline is None:
        return _from_medians(metrics, population)
    if not isinstance(baseline, Mapping | str | os.PathLike):
        raise _no_baseline(baseline)
    references = _from_mapping(baseline, metrics) if isinstance(baseline, Mapping) else read_baseline(baseline, metrics)
    for values in (references.values, *references.by_arch.values()):
        for key, value in values.items():
            _check_reference(value, f"the reference of '{key}'", path=None)
    return references


def check_baseline(baseline: object) -> None:
    """Refuse references that no metrics could be measured against, before any are known.

    Raises:
        UsageError: neither values by metric nor a path.
        InputError: a file that cannot be read as it stands, or a reference of 0.
    """
    if isinstance(baseline, Mapping):
        for key, value in baseline.items():
            _check_reference(_as_reference(key, value), f"the reference of '{key}'", path=None)
    elif isinstance(baseline, str | os.PathLike):
        read_baseline(baseline, ())
    elif baseline is not None:
        raise _no_baseline(baseline)


def _no_baseline(baseline: object) -> UsageError:
    """The error where references are of another type."""
    return UsageError(
        f"baseline is {found(baseline)}; give values by metric, such as {{'seg/miou': 0.5}}, or a CSV file"
    )


def read_baseline(path: str | os.PathLike[str], metrics: Sequence[Metric]) -> References:
    """Read single-task baselines from a CSV file with the columns `task, metric, value` and optionally `arch`.

    Rows with an `arch` are the references of that architecture; a row without one, or else the mean over the
    architectures, serves all others. Rows of metrics that are not asked for are ignored.

    Raises:
        InputError: no such file, a missing column, a cell that is no number, conflicting rows, a metric without a
            row, or a reference of 0.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as CSV ({error}); give a file of baselines", path=path) from error
    try:
        rows = _read_rows(text, path, {metric.key for metric in metrics})
    except csv.Error as error:
        raise InputError(f"cannot be read as CSV ({error}); give a file of baselines", path=path) from error
    by_arch: dict[str, dict[str, float]] = {}
    for (arch, key), value in rows.items():
        by_arch.setdefault(arch, {})[key] = value
    common = by_arch.pop("", {})
    for metric in metrics:
        of_archs = [values[metric.key] for values in by_arch.values() if metric.key in values]
        if metric.key not in common and not of_archs:
            listed = ", ".join(sorted({key for _, key in rows})) or "none of them"
            raise InputError(f"no row for the metric '{metric.key}'; of those in the logs it has: {listed}", path=path)
        common.setdefault(metric.key, float(np.mean(of_archs)) if of_archs else np.nan)
    return References(common, by_arch, origin=f"the baseline {path}")


def _read_rows(text: str, path: object, keys: set[str]) -> dict[tuple[str, str], float]:
    """(architecture or "", metric key) -> reference, for the metrics that are asked for."""
    rows: dict[tuple[str, str], float] = {}
    reader = csv.DictReader(text.splitlines())
    found = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = found
    for column in ("task", "metric", "value"):
        if column not in found:
            raise InputError(
                f"column '{column}' is missing; a baseline has the columns task, metric, value and optionally arch, "
                f"found: {', '.join(found) or 'none'}",
                path=path,
                line=1,
            )
    for row in reader:
        line = reader.line_num
        task, name, arch, number = ((row.get(column) or "").strip() for column in ("task", "metric", "arch", "value"))
        key = Metric(task or MAIN_TASK, name, "max").key
        if key not in keys:
            continue
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"'{number}' is not a number", path=path, line=line, column="value") from None
        _check_reference(value, f"the reference of '{key}'", path=path, line=line)
        if rows.setdefault((arch, key), value) != value:
            raise InputError(
                f"'{key}' has two references, {rows[arch, key]:g} and {value:g}; keep one (or their mean)",
                path=path,
                line=line,
                column="value",
            )
    return rows


def centre_and_scale(
    metrics: Sequence[Metric], population: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and inter-quartile range of each metric over runs, shapes [K] and [K]; NaN where no run has a value.

    A scale that would be 0 (all runs alike) is the standard deviation instead, or 1 if that is 0, too.

    Args:
        metrics: the K metrics.
        population: values of N runs, [N, K]; NaN where a run diverged or lacks the metric.

    Raises:
        NotEnoughDataError: no run has a value of any metric.
    """
    centre, scale = np.full((2, len(metrics)), np.nan)
    for k in range(len(metrics)):
        column = np.empty(0) if population is None else population[:, k]
        column = column[np.isfinite(column)]
        if len(column):
            low, centre[k], high = np.quantile(column, (0.25, 0.5, 0.75))
            scale[k] = (high - low) or column.std() or 1.0
    if np.isnan(centre).all():
        raise nothing_to_compare([metric.key for metric in metrics])
    return centre, scale


def nothing_to_compare(keys: Sequence[str]) -> NotEnoughDataError:
    """The error where none of the metrics that count has a value in any run."""
    names = " or ".join(f"'{key}'" for key in keys)
    return NotEnoughDataError(
        f"no finished run has a final value of {names}, so there is nothing to measure it against; "
        "give finished runs, or single-task references as a baseline"
    )


def left_out_text(keys: Sequence[str]) -> str:
    """The remark on metrics that have no say, since none of the runs to compare with ends with a value of them."""
    return (
        f"left out of the score, since none of the runs to compare with ends with a value: {', '.join(keys)}; it "
        f"counts once a run finishes with one; --ignore '{keys[0]}' leaves it out without this remark"
    )


def faint_text(faint: Mapping[str, str]) -> str:
    """The remark on metrics that have no say in Δm, since a gain relative to their medians has no meaning."""
    told = ", ".join(f"{key} ({what})" for key, what in faint.items())
    return (
        f"left out of Δm, since a gain relative to a value of 0, or near it, outweighs all others: {told}; give "
        "references with --baseline, or choose --objective mean"
    )


def _from_medians(metrics: Sequence[Metric], population: NDArray[np.float64] | None) -> References:
    """The medians of the runs; a metric whose median is 0 or near it (a detector's score, early on) is left out."""
    centre, _ = centre_and_scale(metrics, population)
    assert population is not None  # or there would be no centre
    known, there = np.isfinite(centre), np.abs(centre) > ZERO
    if not there.any():
        first = int(np.flatnonzero(known)[0])
        _check_reference(float(centre[first]), f"the reference of '{metrics[first].key}'", path=None)
    better = np.array([_better_quartile(metric, column) for metric, column in zip(metrics, population.T, strict=True)])
    clear = there & (np.abs(centre) >= FAINT * np.abs(better - centre))
    usable = clear if clear.any() else there  # of one task alone, or several alike, none outweighs the others
    runs = f"the median of {len(population)} runs is"
    faint = {
        metric.key: f"{runs} {median:.2g}, the better quartile {quartile:.2g}" if far else f"{runs} 0"
        for metric, median, quartile, far, out in zip(metrics, centre, better, there, known & ~usable, strict=True)
        if out
    }
    counts = np.isfinite(population).sum(0)[known]
    some = f"{counts.min()} to " if counts.min() < counts.max() else ""
    origin = f"the {_MEASURED} {some}{counts.max()} runs (no single-task baseline was given)"
    return References(
        {metric.key: float(value) for metric, value in zip(metrics, np.where(usable, centre, np.nan), strict=True)},
        origin=f"{origin}, without {', '.join(faint)}" if faint else origin,
        unmeasured=tuple(metric.key for metric, seen in zip(metrics, known, strict=True) if not seen),
        faint=faint,
    )


def _better_quartile(metric: Metric, values: NDArray[np.float64]) -> float:
    """The value that a quarter of the runs reaches or betters; NaN where no run has one."""
    values = values[np.isfinite(values)]
    return float(np.quantile(values, 0.75 if metric.direction == "max" else 0.25)) if len(values) else np.nan


def _from_mapping(baseline: Mapping[str, float], metrics: Sequence[Metric]) -> References:
    keys = [metric.key for metric in metrics]
    unknown, missing = [key for key in baseline if key not in keys], [key for key in keys if key not in baseline]
    if unknown:
        raise UsageError(f"the baseline names '{unknown[0]}', which is not measured; there are: {', '.join(keys)}")
    if missing:
        raise UsageError(f"the baseline lacks '{missing[0]}'; give a value for each of: {', '.join(keys)}")
    return References({key: _as_reference(key, value) for key, value in baseline.items()})


def _as_reference(key: object, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"the reference of '{key}' is {value!r}; give a number") from None


def _check_reference(value: float, what: str, *, path: object, line: int | None = None) -> None:
    if not np.isfinite(value) or abs(value) <= ZERO:
        raise InputError(
            f"{what} is {value:g}, and a gain relative to it has no meaning; "
            "give another baseline, or choose the objective mean or worst",
            path=path,
            line=line,
            column=None if path is None else "value",
        )

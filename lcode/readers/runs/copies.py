"""The same run logged twice: by two loggers at once, or in a folder that was copied. It is read once.

Read twice it would count as a repeat, and confirm itself. Runs are told to be one by their values alone, whatever they
and their metrics are called, and only across files: the runs of one file are told apart by whoever wrote it. Of two
loggers one may have rounded what the other has in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart, without_runs
from lcode.readers.raw import as_number
from lcode.readers.runs.rounding import Rounding, equal_but_for, roundings_of
from lcode.readers.understanding.curve_names import split_name

_BEGIN = 3
"""Values at the beginning of a curve by which curves are looked up; a shorter one is no evidence."""

_DIGITS = 20
"""Significant digits that distinct values of two runs must share. Three full numbers or five shares of four digits do
not come out alike by chance; counts of right answers in a small test set may."""

_LOOKED_AT = 50
"""Values of a curve whose digits are counted."""

_Values = NDArray[np.float32]


@dataclass(eq=False)
class _Run:
    """What is known of a run.

    Attributes:
        source: what wrote it.
        name: what it is called there.
        file: where it stands.
        place: order in which it was found.
        curves: values by name in order of the epochs, in single precision, as TensorBoard keeps them.
        config: its configuration, and that of the copies which were found so far.
        told: what else is said of it, such as its seed.
        kept: the run that is read in its place; None: it is read itself.
    """

    source: str
    name: str
    file: Path
    place: int
    curves: Mapping[str, _Values]
    config: dict[str, Any]
    told: Mapping[str, Any]
    kept: _Run | None = None

    @property
    def last(self) -> _Run:
        """What is read of all its copies."""
        return self if self.kept is None else self.kept.last

    def worth(self, other: _Run) -> tuple[int, int, int, bool, bool, int]:
        """By what it is preferred to a copy: more values of what both have, more digits, curves, a configuration.

        Of files that hold the same `log.csv` is read and not `log - Copy.csv`.
        """
        both = [mine for mine, _ in _alike(self, other, self.curves.values(), other.curves.values())]
        moving = sum(len(np.unique(values[:_LOOKED_AT])) >= _BEGIN for values in self.curves.values())
        plain = self.file.parent == other.file.parent and self.file.stem in other.file.stem
        return sum(map(len, both)), sum(map(_digits, both)), moving, bool(self.config), plain, -self.place


def without_copies(sources: Mapping[str, LogPart]) -> tuple[dict[str, LogPart], list[str]]:
    """The runs of all sources, each once, and remarks on which were left out.

    Args:
        sources: what wrote them -> the runs, as logged.
    """
    if len({file for part in sources.values() for file in part.sources.values()}) < 2:
        return dict(sources), []
    runs = _runs(sources)
    for one, other in _candidates(runs):
        one, other = one.last, other.last
        if one is other or not _same(one, other):
            continue
        kept, lost = (one, other) if one.worth(other) > other.worth(one) else (other, one)
        lost.kept = kept
        kept.config = {**lost.config, **kept.config}
    lost_runs = [run for run in runs if run.kept is not None]
    if not lost_runs:
        return dict(sources), []
    left = {}
    for source, part in sources.items():
        lost_here = {run.name for run in lost_runs if run.source == source}
        configs = {run.name: run.config for run in runs if run.source == source}
        rest = without_runs(replace(part, configs={**part.configs, **configs}), lost_here)
        if len(rest.runs):
            left[source] = rest
    return left, list(_remarks(lost_runs))


def _runs(sources: Mapping[str, LogPart]) -> list[_Run]:
    """All runs with their curves."""
    found: list[_Run] = []
    for source, part in sources.items():
        if not len(part.points):
            continue
        codes = [part.points[name].cat.codes.to_numpy().astype(np.int64) for name in ("run", "metric")]
        order = np.lexsort((part.points["epoch"].to_numpy(), codes[1], codes[0]))
        run, metric = (code[order] for code in codes)
        values = part.points["value"].to_numpy(np.float64)[order]
        with np.errstate(over="ignore"):
            single = values.astype(np.float32)
        starts = np.flatnonzero((np.diff(run, prepend=-1) != 0) | (np.diff(metric, prepend=-1) != 0))
        names, keys = (list(map(str, part.points[name].cat.categories)) for name in ("run", "metric"))
        curves: dict[str, dict[str, _Values]] = {name: {} for name in map(str, part.runs.index)}
        for start, cells in zip(starts, np.split(single, starts[1:]), strict=True):
            curves[names[run[start]]][keys[metric[start]]] = cells
        seeds, archs = (part.runs[name].tolist() for name in ("seed", "arch"))
        for (name, its), *said in zip(curves.items(), seeds, archs, strict=True):
            told = {key: value for key, value in zip(("seed", "arch"), said, strict=True) if value is not None}
            config = dict(part.configs.get(name, {}))
            found.append(_Run(source, name, part.sources[name], len(found), its, config, told))
    return found


def _candidates(runs: list[_Run]) -> Iterator[tuple[_Run, _Run]]:
    """Pairs of runs of different files of which some curve begins with the same values, as far as loggers keep them."""
    seen = _roundings_by_source(runs)
    begins: dict[tuple[Rounding | None, bytes], list[_Run]] = {}
    for run in runs:
        wanted = (None, *(set().union(*seen.values()) if len(seen) > 1 else ()))
        for values, rounding in product(run.curves.values(), wanted):
            begin = _begin(values if rounding is None else rounding.apply(values))
            if begin is not None:
                alike = begins.setdefault((rounding, begin), [])
                if not alike or alike[-1] is not run:
                    alike.append(run)
    for (rounding, _), alike in begins.items():
        for one, other in combinations(alike, 2):
            if one.file != other.file and (rounding is None or one.source != other.source):
                yield one, other


def _roundings_by_source(runs: list[_Run]) -> dict[str, set[Rounding]]:
    """How each source has rounded the curves of the first of its runs, which are all written alike."""
    first = {run.source: run for run in reversed(runs) if run.curves}
    return {
        source: set().union(*(roundings_of(values) for values in run.curves.values())) for source, run in first.items()
    }


def _same(one: _Run, other: _Run) -> bool:
    """Whether two runs are one: no setting and no curve of one name differs, and all that one measured is alike.

    What is measured in the training counts only where there is nothing else: one logger may keep every step of it and
    another the mean of an epoch, and schedules are alike in many runs.
    """
    for mine, theirs in ((one.config, other.config), (one.told, other.told)):
        if any(_differ(mine[name], theirs[name]) for name in mine.keys() & theirs.keys()):
            return False
    rounded = one.source != other.source
    for name in one.curves.keys() & other.curves.keys():
        first, second = one.curves[name], other.curves[name]
        if len(first) == len(second) and not _begins_alike(first, second, rounded=rounded):
            return False
    measured = [_measured(run) for run in (one, other)]
    alike = list(_alike(one, other, *measured))
    told = sum(min(map(_digits, pair)) for pair in alike)
    return len(alike) == min(map(len, measured)) and told >= _DIGITS


def _differ(one: object, other: object) -> bool:
    return str(one) != str(other) and (as_number(one) is None or as_number(one) != as_number(other))


def _measured(run: _Run) -> list[_Values]:
    """The curves that move, without those of the training where there are others."""
    moving = {name: values for name, values in run.curves.items() if _begin(values) is not None}
    return [values for name, values in moving.items() if split_name(name)[0] != "train"] or list(moving.values())


def _alike(
    one: _Run, other: _Run, mine: Iterable[_Values], theirs: Iterable[_Values]
) -> Iterator[tuple[_Values, _Values]]:
    """Curves of two runs of both of which one is the beginning of the other, or all of it; each curve once.

    Of runs of two sources one may be rounded.
    """
    rounded = one.source != other.source
    free: dict[bytes, list[_Values]] = {}
    for values in theirs:
        if (begin := _begin(values)) is not None:
            free.setdefault(b"" if rounded else begin, []).append(values)
    for values in mine:
        begin = _begin(values)
        same = [] if begin is None else free.get(b"" if rounded else begin, [])
        at = next((at for at, found in enumerate(same) if _begins_alike(values, found, rounded=rounded)), None)
        if at is not None:
            yield values, same.pop(at)


def _begin(values: _Values) -> bytes | None:
    """What a curve is looked up by: its first values from where it begins to move; None: it tells too little."""
    moving = int((values != values[0]).argmax()) - 1
    begin = values[moving : moving + _BEGIN] if moving >= 0 else values[:0]
    return begin.tobytes() if len(set(begin.tolist())) == _BEGIN else None


def _begins_alike(one: _Values, other: _Values, *, rounded: bool) -> bool:
    both = min(len(one), len(other))
    one, other = one[:both], other[:both]
    return equal_but_for(roundings_of(one) ^ roundings_of(other) if rounded else (), one, other)


def _digits(values: _Values) -> int:
    """Significant digits of the distinct values of a curve; one value of all is no evidence."""
    distinct = np.unique(values[:_LOOKED_AT][np.isfinite(values[:_LOOKED_AT])])
    if len(distinct) < _BEGIN:
        return 0
    mantissas = (np.format_float_scientific(value, unique=True, trim="-").partition("e")[0] for value in distinct)
    return sum(len(mantissa.strip("-").replace(".", "")) for mantissa in mantissas)


def _remarks(lost: list[_Run]) -> Iterator[str]:
    """A line for the copies of each pair of sources, and for each reason."""
    grouped: dict[tuple[str, str, str], list[_Run]] = {}
    for run in lost:
        mine, theirs = (sum(map(len, one.curves.values())) for one in (run, run.last))
        less = sum(_digits(values) for values in run.curves.values()) < sum(map(_digits, run.last.curves.values()))
        why = "it holds fewer values" if mine < theirs else "it holds them rounded" if less else "it holds the same"
        grouped.setdefault((run.source, run.last.source, why), []).append(run)
    for (source, kept, why), copies in grouped.items():
        first = copies[0]
        where = (f" of {source}", f" of {kept}") if source != kept else ("", "")
        more = f", and {len(copies) - 1} more so" if len(copies) > 1 else ""
        file = f"{first.file.parent.name}/{first.file.name}"
        yield (
            f"logged twice and read once: '{first.name}'{where[0]} ({file}) has the values of '{first.last.name}'"
            f"{where[1]} and is left out, since {why}{more}; if they are two runs, read them one by one."
        )

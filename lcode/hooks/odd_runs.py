"""A run that counts or measures otherwise than the others of its sweep: steps among epochs, per cent among shares."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from lcode.hooks.live_run import LiveRun
from lcode.table import Metric, RunTable, as_epochs
from lcode.table.metric_names import known_metric

FAR = 50
"""Runs count otherwise where both their last epochs and their reports lie so many times as far apart. In one unit both
grow together where each run is evaluated as often as any other, however long it trains; but an epoch has seldom fewer
steps than this, and trainings of one sweep differ more seldom still by so much."""

HUNDRED = (20.0, 300.0)
"""So many times a share that is written as a part of 1 is the same in per cent, give or take what runs differ by."""

OFTEN = 5
"""Reports after which a share that is at most 1 is a part of 1: of 1000 classes a run may begin so low in per cent."""

FIRST = 10
"""A run is looked at in its first so many reports, and as long as it is odd: it hardly changes its unit later."""


class Pace(NamedTuple):
    """How a run counts: its last planned epoch, and the least epochs from one report to the next.

    A run has none before its second report: the first may come late, as where a training goes on that began elsewhere.
    """

    end: float
    each: float

    def is_far_from(self, other: Pace) -> bool:
        """Whether the two cannot well be counted in one unit."""
        longer, shorter = (self, other) if self.end > other.end else (other, self)
        return longer.end >= FAR * shorter.end and longer.each >= FAR * shorter.each


class OddRuns:
    """Says it once of each run that it does not count as most others do, and of a metric that one is in per cent.

    Args:
        history: the runs known before.
    """

    def __init__(self, history: RunTable) -> None:
        self._paces = _paces(history)
        self._usual = Counter(self._paces.values())
        largest = history.points.groupby("metric", observed=True)["value"].max()
        self._largest = {str(key): float(value) for key, value in largest.items()}
        self._alike, self._told = set[str](), set[str]()

    def counted_otherwise(self, live: LiveRun, runs: Mapping[str, LiveRun]) -> str | None:
        """Why a run is not compared with the others by its epochs; None where it is, as nearly always.

        Before its second report that is a suspicion, by its first epoch, which nobody is told of.

        Args:
            live: the run; it has reported.
            runs: all live ones by name.
        """
        if len(live.values) > FIRST and live.name in self._alike:
            return None
        own = Pace(live.end, live.last_epoch if live.apart is None else live.apart)
        others = self._usual - Counter(self._paces[run] for run in runs if run in self._paces)
        others.update(Pace(one.end, one.apart) for one in runs.values() if one is not live and one.apart is not None)
        far = sorted(pace for pace in others if own.is_far_from(pace))
        number = sum(others[pace] for pace in far)
        if 2 * number <= others.total():
            self._alike.add(live.name)
            return None
        self._alike.discard(live.name)
        usual = max(far, key=others.__getitem__)
        the_others = f"{'the other' if others.total() == 1 else 'most others'} every {usual.each:g} of {usual.end:g}"
        if live.apart is None:
            begun = f"it begins at {own.each:g} of {own.end:g}"
            return f"compared with no other run before its second report: {begun}, {the_others}"
        why = f"compared with no other run: it reports every {own.each:g} of {own.end:g}, {the_others}"
        self._tell(
            f"run '{live.name}'",
            f"run '{live.name}': {why}. Does one count steps, the other epochs? "
            "Count reports, horizon and min_epochs alike in all runs",
        )
        return why

    def tell_of_shares(self, live: LiveRun, runs: Mapping[str, LiveRun], metrics: Collection[Metric]) -> None:
        """Warn where a share of this run is in per cent and those of all others are parts of 1, or the reverse.

        Those that are at most 1 must have been reported `OFTEN` times; runs of the history count as they are.

        Args:
            live: the run; it has reported.
            runs: all live ones by name.
            metrics: those that are measured.
        """
        if len(live.values) > FIRST:
            return
        for metric in metrics:
            key, facts = metric.key, known_metric(metric.key)
            own = live.largest.get(key)
            if own is None or key in self._told or facts is None or not facts.share or facts.upper != 1:
                continue
            rivals = [one for one in runs.values() if one is not live and key in one.largest]
            others = [one.largest[key] for one in rivals]
            if key in self._largest:
                others.append(self._largest[key])
            if not others:
                continue
            low, high = sorted((own, max(others)))
            percent, part = own > 1 >= max(others), own < 1 < min(others)  # 1 % of 100 classes is no part of 1
            far = HUNDRED[0] * low <= high <= HUNDRED[1] * low
            if (percent or part) and far and all(_lasts(one, key) for one in (rivals if percent else [live])):
                self._tell(
                    key,
                    f"{key} of run '{live.name}' is about {'100 times' if percent else 'a hundredth of'} that of all "
                    f"others ({own:g}, the others up to {max(others):g}): one is in per cent, and what is better is "
                    "told by the unit. Report it alike in all runs",
                )

    def _tell(self, of: str, text: str) -> None:
        if of not in self._told:
            self._told.add(of)
            warnings.warn(text, stacklevel=7)


def _paces(table: RunTable) -> dict[str, Pace]:
    """How the runs of a table count, of those with a second report."""
    codes, epochs = table.points["run"].cat.codes.to_numpy(), table.points["epoch"].to_numpy()
    order = np.lexsort((epochs, codes))
    runs, gaps = codes[order][1:], np.diff(epochs[order])
    later = (np.diff(codes[order]) == 0) & (gaps > 0)
    least = np.full(len(table.run_ids), np.iinfo(np.int64).max)
    np.minimum.at(least, runs[later], gaps[later])
    paced = np.unique(runs[later])
    ends = as_epochs(table.runs["horizon"].to_numpy()[paced], table.epoch_unit)
    apart = as_epochs(least[paced], table.epoch_unit)
    names = [table.run_ids[code] for code in paced]
    return {run: Pace(*pace) for run, *pace in zip(names, ends.tolist(), apart.tolist(), strict=True)}


def _lasts(live: LiveRun, key: str) -> bool:
    """Whether a run has reported a metric `OFTEN` times."""
    return sum(key in values for values in live.values.values()) >= OFTEN

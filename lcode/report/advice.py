"""What to do with each run, and the one sentence that sums it up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lcode.decisions import Action, Ranking, epochs_to_come
from lcode.forecast import Forecast
from lcode.show import counted, printable, probability
from lcode.table import RunTable

Advice = Literal["stop", "skip", "start", "continue", "finished", "stopped", "failed"]
"""The ranking's action for a run that is being trained, `start` or `skip` for a candidate that has not begun, and what
became of a run that is over."""


def advice(forecast: Forecast, ranking: Ranking, table: RunTable | None = None) -> dict[str, Advice]:
    """What to do with each run, best first.

    Args:
        forecast: of R runs.
        ranking: of the same runs.
        table: says which runs have finished, were stopped or failed, and so have nothing left to stop, even if some
            metric of theirs was never logged and is forecast.
    """
    over = dict(zip(forecast.run_ids, (forecast.status == "finished").all(axis=1), strict=True))
    last = dict(zip(forecast.run_ids, forecast.observed.max(axis=1, initial=-1).tolist(), strict=True))
    of_candidate: dict[Action, Advice] = {"continue": "start", "stop": "skip"}
    ended: dict[str, Advice] = {}
    if table is not None:
        ended = {str(run): status for run, status in table.runs["status"].items() if status != "running"}
    return {
        run: "finished" if over[run] else ended.get(run, action if last[run] >= 0 else of_candidate[action])
        for run, action in zip(ranking.runs, ranking.action, strict=True)
    }


@dataclass(frozen=True)
class Headline:
    """What to do with all runs, in short.

    Attributes:
        stop: runs to stop, best first, with their probability of ending best.
        counts: how many runs there are of each advice.
        saved: share of the epochs still to come that stopping and skipping saves, 0 to 1; 0 where none is to come.
        best: the run that is likeliest to end best, or None where nothing is forecast or there is one run.
        p_best: its probability.
        start: the candidate to start first, the likeliest of them to end best, or None where none is to be started.
        assumed: whether runs count as finished by a horizon that nobody stated.
    """

    stop: dict[str, float]
    counts: Counter[Advice]
    saved: float
    best: str | None
    p_best: float
    start: str | None = None
    assumed: bool = False

    @property
    def candidates(self) -> int:
        """Runs that have not begun."""
        return self.counts["start"] + self.counts["skip"]

    @property
    def sentence(self) -> str:
        """For the top of a page: `Stop 13 of 20 runs: that saves 62 % of the epochs still to come. …`."""
        begun = self.counts.total() - self.candidates
        going, skipped = self.counts["continue"], self.counts["skip"]
        less = [f"stop {len(self.stop):,} of {counted(begun, 'run')}"] if self.stop else []
        if skipped:
            which = "all" if skipped == self.candidates > 1 else f"{skipped:,} of"
            less.append(f"skip {which} {counted(self.candidates, 'candidate')}")
        told = []
        if less:
            what = " and ".join(less)
            what += f": that saves {100 * self.saved:.0f} % of the epochs still to come" if self.saved else ""
            told.append(f"{what[0].upper()}{what[1:]}.")
        elif going:
            told.append(
                f"Let {'the run' if going == 1 else f'all {going:,} unfinished runs'} go on: none is hopeless so far."
            )
        elif not self.candidates:
            which = "the run has" if begun == 1 else f"all {begun:,} runs have"
            told.append(f"Nothing is left to stop: {which} ended.")
        if self.start is not None:
            told.append(f"Start {printable(self.start)}{self._first_of('the other ' if skipped else '')}.")
        if self.best is not None:
            told.append(f"Best bet: {printable(self.best)} (P(best) {probability(self.p_best)}).")
        return " ".join(told)

    def _first_of(self, which: str) -> str:
        """What is to be started after the first candidate: ` first of 12 candidates`; empty for one alone."""
        many = self.counts["start"]
        return f" first of {which}{counted(many, 'candidate')}" if many > 1 else ""

    @property
    def caveat(self) -> str:
        """What must be known beside it; empty where there is nothing."""
        if not self.assumed:
            return ""
        return "The horizon is assumed to be the largest epoch so far; --horizon N says how long runs are to train."

    @property
    def line(self) -> str:
        """For a log: `stop r3 (P 0.01), continue 12, best bet r0022 P 0.63`."""
        stop = ", ".join(f"{printable(run)} (P {probability(p)})" for run, p in self.stop.items()) or "none"
        begin = [] if self.start is None else [f"start {printable(self.start)}{self._first_of('')}"]
        others = [
            f"{name} {self.counts[name]}" for name in ("continue", "finished", "failed", "skip") if self.counts[name]
        ]
        if self.counts["stopped"]:
            others.append(f"already stopped {self.counts['stopped']}")
        best = [] if self.best is None else [f"best bet {printable(self.best)} P {probability(self.p_best)}"]
        assumed = ["horizon assumed"] if self.assumed else []
        return ", ".join([f"stop {stop}", *begin, *others, *best, *assumed])


def headline(forecast: Forecast, ranking: Ranking, table: RunTable | None = None) -> Headline:
    """Sum up a ranking; see `advice` for the arguments."""
    told = advice(forecast, ranking, table)
    ahead = dict(zip(forecast.run_ids, epochs_to_come(forecast).tolist(), strict=True))
    open_epochs = {run: ahead[run] for run, what in told.items() if what in ("stop", "skip", "start", "continue")}
    chance = dict(zip(ranking.runs, ranking.p_best.tolist(), strict=True))
    stop = {run: chance[run] for run, what in told.items() if what == "stop"}
    to_come = sum(open_epochs.values())
    best = max(chance, key=lambda run: chance[run], default=None)
    # Of a single run it says nothing that it is the best, and one that was stopped is no bet.
    known = best is not None and chance[best] > 0 and len(chance) > 1 and told[best] not in ("stopped", "failed")
    return Headline(
        stop=stop,
        counts=Counter(told.values()),
        saved=sum(open_epochs[run] for run, what in told.items() if what in ("stop", "skip")) / to_come
        if to_come
        else 0.0,
        best=best if known else None,
        p_best=chance[best] if best is not None else 0.0,
        start=max((run for run, what in told.items() if what == "start"), key=lambda run: chance[run], default=None),
        assumed=bool(
            table is not None and table.reading and table.reading.assumed_horizon and "finished" in told.values()
        ),
    )


def likelier_than_first(ranking: Ranking) -> str:
    """Why a run further down may be likelier to end best than one above it; empty where none is.

    Runs that will end nowhere (stopped, failed, diverged) may stand above both, with a probability of 0.
    """
    if not len(ranking):
        return ""
    places = (int(ranking.p_best.argmax()), int((ranking.p_best > 0).argmax()))
    if places[0] == places[1]:
        return ""
    likelier, first = (f"{printable(ranking.runs[i])} ({probability(float(ranking.p_best[i]))})" for i in places)
    return (
        f"{likelier} is ranked {places[0] + 1}, by the score that it is as likely to exceed as not, and is yet "
        f"likelier to end best than {first}: its forecast is less certain, so that more of it lies above all others."
    )

"""Trials as a storage of Optuna's keeps them, and the monitor that follows from these alone.

Of each trial the storage keeps its reports in the order in which they came, and the last verdict on it. What is decided
depends on the trial's own reports, on the complete trials in the order in which they ended, and on the last verdicts on
those that run or were stopped. So every worker decides alike, and one that is resumed as the one that was killed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lcode.decisions import Verdict
from lcode.decisions.ending import Ending
from lcode.hooks.monitor import Monitor
from lcode.hooks.trials import plain_config
from lcode.readers.loggers.optuna_told import VERDICT, Report, digest_of, is_decided, reported, reports_of, was_stopped
from lcode.table.reading import listed

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class StoredTrial:
    """What the storage knows of one trial.

    Attributes:
        frozen: the trial.
        value_name: what Optuna's own reports of one value are called, where there are no others.
    """

    frozen: FrozenTrial
    value_name: str

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.frozen.number

    @cached_property
    def reports(self) -> list[Report]:
        """Its reports, in the order in which they came."""
        return reported(self.frozen.user_attrs, self.frozen.intermediate_values, self.value_name)

    @cached_property
    def is_named(self) -> bool:
        """Whether it reported metrics by name, as `LcodeTrial` does, and not a value as Optuna's own trials do."""
        return bool(reports_of(self.frozen.user_attrs))

    @cached_property
    def names(self) -> set[str]:
        """The metrics in its reports."""
        return {name for _, values in self.reports for name in values}

    @cached_property
    def verdict(self) -> Verdict | None:
        """The last verdict on it, if there was one."""
        kept = {name: value for name, value in self._stored.items() if name not in ("reports", "which", "thought")}
        return Verdict(**kept) if kept else None

    @property
    def is_decided(self) -> bool:
        """Whether the last verdict has seen all that was reported."""
        return is_decided(self.frozen.user_attrs, self.reports)

    @property
    def is_running(self) -> bool:
        """Whether it is being trained, for all that the storage knows."""
        return self.frozen.state.name == "RUNNING"

    @cached_property
    def is_stopped(self) -> bool:
        """Whether it ended when it was told to stop, pruned or with a forecast for its value."""
        return self.frozen.state.name in ("PRUNED", "COMPLETE") and was_stopped(self.frozen.user_attrs, self.reports)

    @cached_property
    def is_finished(self) -> bool:
        """Whether it was trained to its end."""
        return self.frozen.state.name == "COMPLETE" and bool(self.reports) and not self.is_stopped

    @property
    def ended(self) -> tuple[datetime, int]:
        """When it ended; what orders the complete trials."""
        return self.frozen.datetime_complete or datetime.min, self.number

    @property
    def thought(self) -> Verdict | None:
        """The last verdict, with what is thought of the trial's end where that one has no forecast."""
        if self.verdict is None:
            return None
        ending = self.looks[-1] if self.looks else None
        return replace(self.verdict, score=self._stored["thought"]["score"], ending=ending)

    @property
    def looks(self) -> list[Ending]:
        """The forecasts of it that have a say, the latest one last."""
        return [Ending.from_json(plain) for plain in self._stored.get("thought", {}).get("looks", ())]

    def to_store(self, verdict: Verdict, looks: Sequence[Ending]) -> dict[str, Any]:
        """What the storage is to keep of a verdict that was given just now.

        Args:
            verdict: the verdict.
            looks: the forecasts that have a say now.
        """
        plain = verdict.to_json()
        thought = {"score": verdict.score, "looks": [look.to_json() for look in looks]}
        if verdict.ending is None and self.verdict is not None and verdict.epoch >= self.verdict.epoch:
            thought = self._stored["thought"]  # an earlier epoch says that the trial was started again
        return {"reports": len(self.reports), "which": digest_of(self.reports), "thought": thought, **plain}

    @property
    def _stored(self) -> Mapping[str, Any]:
        stored: Mapping[str, Any] = self.frozen.user_attrs.get(VERDICT, {})
        return stored


class StoredStudy:
    """Decides on the trials of one study, from what the storage knows of them.

    The monitor is kept as long as it is the one that the storage would lead to, else it is made anew.
    """

    def __init__(self, value_name: str, new_monitor: Callable[[Sequence[str]], Monitor]) -> None:
        """Begin without trials.

        Args:
            value_name: what Optuna's own reports of one value are called.
            new_monitor: makes a monitor of these metrics.
        """
        self._value_name, self._new_monitor = value_name, new_monitor
        self._ended: dict[int, StoredTrial] = {}
        self._told: _Told | None = None
        self._left_out: set[int] = set()

    def trials(self, frozen: Iterable[FrozenTrial]) -> dict[int, StoredTrial]:
        """The trials by number; what was read of one that is complete is kept, for it does not change."""
        found = {}
        for one in frozen:
            trial = self._ended.get(one.number) or StoredTrial(one, self._value_name)
            found[one.number] = trial
            if one.state.is_finished():
                self._ended[one.number] = trial
        return found

    def decide(self, trials: Mapping[int, StoredTrial], number: int) -> tuple[Verdict, dict[str, Any]]:
        """The verdict on a trial after its last report, and what the storage is to keep of it.

        Args:
            trials: all of the study that run, are complete, or were pruned, by number.
            number: of the trial, which runs and has reported.
        """
        trial, run = trials[number], run_of(number)
        told = self._follow(self._like(trials, named=trial.is_named))
        told.take_up(trial, trial.reports[:-1])
        verdict = told.monitor.report(run, *trial.reports[-1])
        kept = trial.to_store(verdict, told.monitor.looks(run))
        told.reports[number] = len(trial.reports)
        told.recalled.add(number)
        if told.monitor.status(run) == "finished":
            told.monitor.finish(run, "stopped")  # it is finished when the storage says so, to all workers alike
        return verdict, kept

    def follow(self, trials: Mapping[int, StoredTrial]) -> Monitor:
        """The monitor that knows the finished trials, and what is thought of those that run or were stopped.

        Args:
            trials: all of the study that run, are complete, or were pruned, by number.
        """
        latest = max((number for number, trial in trials.items() if trial.reports), default=None)
        named = latest is not None and trials[latest].is_named
        return self._follow(self._like(trials, named=named)).monitor

    def _like(self, trials: Mapping[int, StoredTrial], *, named: bool) -> dict[int, StoredTrial]:
        """Without the trials that report by Optuna's `report` what no trial with names has, or the other way round.

        In a study that began with `trial.report` and went on with `LcodeTrial` no trial would ever have all metrics.
        """
        alike = {number: trial for number, trial in trials.items() if trial.is_named == named}
        names = set().union(*(trial.names for trial in alike.values()))
        kept = {number: trial for number, trial in trials.items() if trial.names <= names}
        others = [number for number in sorted(trials.keys() - kept.keys()) if number not in self._left_out]
        if others:
            self._left_out.update(others)
            theirs = sorted(set().union(*(trials[number].names for number in others)) - names)
            warnings.warn(
                f"{listed([*map(run_of, others)])} reported {listed(theirs)}, where the trials now report "
                f"{listed(sorted(names))}: these are not compared with those",
                stacklevel=2,
            )
        return kept

    def _follow(self, trials: Mapping[int, StoredTrial]) -> _Told:
        names = tuple(sorted(set().union(*(trial.names for trial in trials.values()))))
        finished = sorted((trial for trial in trials.values() if trial.is_finished), key=lambda trial: trial.ended)
        numbers = [trial.number for trial in finished]
        told = self._told
        if told is None or names != told.names or numbers[: len(told.finished)] != told.finished:
            told = self._told = _Told(self._new_monitor(names), names)
        for trial in finished[len(told.finished) :]:
            told.take_up(trial, trial.reports)
            told.monitor.finish(run_of(trial.number))
            told.finished.append(trial.number)
        counts = {number: trial for number, trial in trials.items() if trial.is_running or trial.is_stopped}
        for number in told.recalled - counts.keys() - set(told.finished):
            told.monitor.finish(run_of(number), "failed")
        told.recalled = {number for number, trial in counts.items() if trial.thought is not None}
        for number in sorted(told.recalled):
            trial = counts[number]
            told.monitor.recall(run_of(number), (), verdict=trial.thought, before=trial.looks[:-1])
        return told


@dataclass
class _Told:
    """A monitor, and what it was told.

    Attributes:
        monitor: the monitor.
        names: the metrics that it knows.
        finished: the trials that have finished, in the order in which they did.
        recalled: those whose verdicts count, since they run or were stopped.
        reports: how many reports of each trial.
    """

    monitor: Monitor
    names: tuple[str, ...]
    finished: list[int] = field(default_factory=list)
    recalled: set[int] = field(default_factory=set)
    reports: dict[int, int] = field(default_factory=dict)

    def take_up(self, trial: StoredTrial, reports: Sequence[Report]) -> None:
        """These are the trial's reports; the monitor is told those that it does not know."""
        run = run_of(trial.number)
        if trial.number not in self.reports:
            self.monitor.start(run, config=plain_config(trial.frozen.params))
        self.monitor.recall(run, reports[self.reports.get(trial.number, 0) :])
        self.reports[trial.number] = len(reports)


def run_of(number: int) -> str:
    """What the monitor calls a trial."""
    return f"trial {number}"

"""What hooks of tuners have in common: the trials of a tuner as runs of a monitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Verdict
from lcode.errors import UsageError
from lcode.hooks.monitor import Monitor
from lcode.table import Direction, Metric, RunStatus, RunTable

SHOWN_KEYS = 30
"""So many keys of a result are listed where one is missing."""


def only_metric(values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """The objective of a sweep with one metric: the metric itself, in its own unit, larger better."""
    return metrics[0].sign * values[..., 0]


def make_monitor(
    names: Sequence[str], *, directions: Mapping[str, Direction], horizon: float, options: Mapping[str, Any]
) -> Monitor:
    """The monitor of a tuner's study, which knows from the start what is measured.

    A sweep of one metric is compared by that metric itself, which needs no references, so that it may be negative or 0.

    Args:
        names: the metrics that trials report.
        directions: `min` or `max` by metric, where it is known.
        horizon: last planned epoch of each trial, as `Monitor` counts.
        options: of `lcode.Monitor`, by name.

    Raises:
        UsageError: an option out of range, a metric whose direction is not known, or another one than the history's.
    """
    history = options.get("history")
    chosen = {"objective": only_metric, **options} if len(names) == 1 else dict(options)
    if not (isinstance(history, RunTable) and history.metrics):
        chosen["directions"] = directions
    monitor = Monitor(**chosen, horizon=horizon)
    monitor.announce(names)
    monitor.announce({name: directions[name] for name in names if name in directions})  # as the history says, too
    return monitor


def plain_config(config: Mapping[str, Any]) -> dict[str, bool | int | float | str | None]:
    """A tuner's configuration as hyper-parameters: names of nested ones are joined by dots, as the readers of logs do.

    What is neither a number nor text, such as a data set or a list, is no hyper-parameter and is left out.
    """
    return dict(_leaves(config, ""))


class TrialRuns:
    """The trials of a tuner that hands over flat results, as Ray Tune and Syne Tune do.

    It is pickled with its tuner: the copy has the same settings and knows the same reports, and so decides the same.

    Attributes:
        monitor: decides.
        names: the metrics.
        directions: `min` or `max` by metric; empty for those that say it by their names.
        time_attr: the key of the epoch in a result.
    """

    def __init__(
        self,
        metrics: Mapping[str, Direction] | Sequence[str],
        *,
        horizon: float,
        time_attr: str,
        options: Mapping[str, Any],
    ) -> None:
        """Begin without trials.

        Args:
            metrics: the keys of the metrics in a result; as a mapping, with `min` or `max` for each.
            horizon: last planned epoch of each trial.
            time_attr: the key of the epoch in a result.
            options: of `lcode.Monitor`, by name.

        Raises:
            UsageError: no metric, or see `make_monitor`.
        """
        self.directions = dict(metrics) if isinstance(metrics, Mapping) else {}
        self.names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        if not self.names:
            raise UsageError("no metric is given; name those that trials report, such as metrics={'seg/miou': 'max'}")
        self.time_attr = time_attr
        self._horizon, self._options = horizon, dict(options)
        self._seen: set[str] = set()
        self._runs: dict[str, None] = {}
        self.monitor = self._new_monitor()

    def start(self, run: str, config: Mapping[str, Any]) -> None:
        """A trial begins, or goes on after a restore."""
        self.monitor.start(run, config=plain_config(config))
        self._runs[run] = None

    def report(self, run: str, result: Mapping[str, Any]) -> Verdict:
        """The verdict on a trial that has just reported.

        The first result of the sweep has all metrics, so that a name that is spelled wrongly is noticed; later ones may
        lack some. What is None was not measured.

        Raises:
            UsageError: the result lacks the epoch or a metric; the text lists what it has.
        """
        for name in (self.time_attr, *(name for name in self.names if name not in self._seen)):
            if name not in result:
                raise UsageError(f"trial '{run}': its result has no '{name}'; {_keys_of(result)}")
        self._seen.update(self.names)
        values = {name: result[name] for name in self.names if result.get(name) is not None}
        return self.monitor.report(run, result[self.time_attr], values)

    @property
    def begun(self) -> bool:
        """Whether there was a trial."""
        return bool(self._runs)

    @property
    def ended(self) -> int:
        """How many trials have ended otherwise than by a verdict."""
        return sum(self.monitor.status(run) in ("finished", "failed") for run in self._runs)

    def reconsider(self, run: str) -> Verdict:
        """The verdict on a trial that is paused, by what is known now."""
        return self.monitor.reconsider(run)

    def is_over(self, run: str) -> bool:
        """Whether the trial has reached the horizon."""
        return self.monitor.status(run) == "finished"

    def complete(self, run: str, result: Mapping[str, Any]) -> None:
        """A trial has ended by itself, or by what its tuner was told: its last values are what it ends with.

        Args:
            run: the trial.
            result: its last one, which may not have been reported; without an epoch, it never reported any.
        """
        if self.monitor.status(run) == "running" and self.time_attr in result:
            self.report(run, result)
        self.end(run, "finished")

    def end(self, run: str, status: RunStatus) -> None:
        """A trial has ended otherwise than by a verdict; one that has been told to stop, or is finished, stays so."""
        if self.monitor.status(run) == "running":
            self.monitor.finish(run, status)

    def told(self) -> str:
        """The last verdict, as a line for a console."""
        last = self.monitor.log[-1:]
        return f"lcode: {last[0].action} {last[0].run}: {last[0].reason}" if last else "lcode: no verdict yet"

    def state_dict(self) -> dict[str, Any]:
        """All that was reported, as plain JSON values."""
        return {"monitor": self.monitor.state_dict(log=False), "seen": sorted(self._seen)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state that was saved with the same settings.

        Raises:
            UsageError: the state is of another version.
        """
        self.monitor.load_state_dict({**state["monitor"], "log": []})
        self._seen = set(state["seen"])
        self._runs = dict.fromkeys(run["name"] for run in state["monitor"]["runs"])

    def __getstate__(self) -> dict[str, Any]:
        settings = {name: value for name, value in vars(self).items() if name != "monitor"}
        return {"settings": settings, "state": self.state_dict()}

    def __setstate__(self, plain: Mapping[str, Any]) -> None:
        vars(self).update(plain["settings"])
        self.monitor = self._new_monitor()
        self.load_state_dict(plain["state"])

    def _new_monitor(self) -> Monitor:
        return make_monitor(self.names, directions=self.directions, horizon=self._horizon, options=self._options)


def _keys_of(result: Mapping[str, Any]) -> str:
    keys = [key for key, value in result.items() if isinstance(value, Real | None)]
    more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    return f"there are: {', '.join(keys[:SHOWN_KEYS])}{more} (report None for what is not measured yet)"


def _leaves(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, bool | int | float | str | None]]:
    for name, value in config.items():
        inner = value.item() if isinstance(value, np.generic) else value
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{name}.")
        elif inner is None or isinstance(inner, bool | str | Real):
            yield f"{prefix}{name}", inner  # type: ignore[misc]  # as_config makes them plain

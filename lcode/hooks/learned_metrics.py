"""Metrics that nobody announced: what a report names, with the direction that is stated, known or well known."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

from lcode.errors import UsageError
from lcode.table import Direction, Metric, infer_direction, split_key
from lcode.table.direction import as_direction


def stated_directions(directions: Mapping[str, object]) -> dict[str, Direction]:
    """The directions that a user states, by name; one that contradicts a well-known name is told of, and taken.

    Raises:
        UsageError: one that is neither `min` nor `max`.
    """
    stated = {str(name): as_direction(side, of=f"'{name}'") for name, side in directions.items()}
    for name, side in stated.items():
        if (usual := infer_direction(name)) not in (None, side):
            warnings.warn(
                f"'{name}' is said to be best at its {side}, and what has such a name is usually best at its {usual}",
                stacklevel=5,
            )
    return stated


class LearnedMetrics:
    """The metrics of a monitor, by their names in a report.

    Attributes:
        metrics: those known so far, in the order in which they came.
    """

    def __init__(
        self,
        metrics: Iterable[Metric],
        *,
        directions: Mapping[str, Direction] | None = None,
        known: Iterable[Metric] = (),
        learns: bool = True,
    ) -> None:
        """Begin with these metrics.

        Args:
            metrics: of the history.
            directions: `min` or `max` by `task/metric`, or by a bare name for every task that has it.
            known: metrics that the model was fitted on, whose directions serve where none is stated.
            learns: whether a name that is not known is a new metric, or a mistake.

        Raises:
            UsageError: a direction that is neither `min` nor `max`.
        """
        self.metrics = tuple(metrics)
        self._learns = learns
        self._stated = stated_directions(directions or {})
        self._known = {metric.key: metric.direction for metric in known}
        self._keys = {name: metric.key for metric in self.metrics for name in _names(metric)}

    def keys(self, names: Iterable[str]) -> dict[str, str]:
        """Name in a report -> key of the metric; new ones are learned, all or none.

        Raises:
            UsageError: a name that is not known and cannot be learned; the text says what to do.
        """
        names = list(names)
        learned = {name: self._learned(name) for name in names if name not in self._keys}
        self.add(learned.values())
        return {name: learned[name].key if name in learned else self._keys[name] for name in names}

    def add(self, metrics: Iterable[Metric]) -> None:
        """Know these metrics as well."""
        new = [metric for metric in metrics if metric.key not in self._keys]
        self.metrics = tuple(dict.fromkeys((*self.metrics, *new)))
        self._keys.update({name: metric.key for metric in new for name in _names(metric)})

    def learn(self, metrics: Iterable[Metric]) -> None:
        """Know these metrics as well, unless those of a history are all that there are.

        Raises:
            UsageError: one has the other direction than is known or stated; none is learned.
        """
        metrics = list(metrics)
        self.check(metrics)
        if self._learns:
            self.add(metrics)

    def check(self, metrics: Iterable[Metric]) -> None:
        """Refuse metrics with another direction than is known or stated.

        Raises:
            UsageError: the text names the first of them.
        """
        known = {name: metric.direction for metric in self.metrics for name in _names(metric)}
        for metric in metrics:
            here = known.get(metric.key) or self._direction_stated(metric.task, metric.name)
            if here not in (None, metric.direction):
                raise UsageError(f"{metric.key} is said to be best at its {metric.direction}, and here at its {here}")

    def _direction_stated(self, task: str, name: str) -> Direction | None:
        return self._stated.get(f"{task}/{name}") or self._stated.get(name)

    def _learned(self, name: str) -> Metric:
        if not self._learns:
            raise UsageError(f"no metric '{name}'; there are: {', '.join(m.key for m in self.metrics)}")
        task, short = split_key(name)
        direction = (
            self._direction_stated(task, short)
            or self._known.get(Metric(task, short, "min").key)
            or infer_direction(name)
        )
        if direction is None:
            raise UsageError(
                f"cannot tell whether larger or smaller values of '{name}' are better; state it with "
                f"Monitor(directions={{'{name}': 'max'}}) (or 'min'), or report it with signals= if it is no metric"
            )
        return Metric(task, short, direction)


def _names(metric: Metric) -> tuple[str, str]:
    return metric.key, f"{metric.task}/{metric.name}"

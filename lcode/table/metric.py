"""What a curve measures: the task, the metric's name and its direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lcode.arguments import check_kind, found
from lcode.errors import UsageError
from lcode.table.direction import Direction, as_direction
from lcode.table.metric_names import known_metric

MAIN_TASK = "main"
"""The task of a curve whose column carries no task name; its key is the bare metric name."""


@dataclass(frozen=True, order=True)
class Metric:
    """One measured quantity of a run.

    Attributes:
        task: name of the task; `MAIN_TASK` where a run has a single unnamed one.
        name: name of the metric, such as `miou`.
        direction: whether smaller (`min`) or larger (`max`) values are better.

    Raises:
        UsageError: the direction is neither `min` nor `max`.

    Examples:
        >>> import lcode
        >>> lcode.Metric("seg", "miou", "max").key
        'seg/miou'
    """

    task: str
    name: str
    direction: Direction

    def __post_init__(self) -> None:
        as_direction(self.direction, of=f"metric '{self.key}'")

    @property
    def key(self) -> str:
        """`task/name`, or just `name` for the unnamed task: the column name in a wide table."""
        return self.name if self.task == MAIN_TASK else f"{self.task}/{self.name}"

    @property
    def sign(self) -> int:
        """+1 where larger is better, -1 where smaller is."""
        return 1 if self.direction == "max" else -1


def as_metrics(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """The metrics of a table, in their order.

    Raises:
        UsageError: what was given are no metrics, or two have one key.
    """
    expected = "a list of metrics, such as [lcode.Metric('seg', 'miou', 'max')]"
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise UsageError(f"metrics is {found(metrics)}; give {expected}")
    measured = tuple(metrics)
    for place, metric in enumerate(measured):
        check_kind(f"metrics[{place}]", metric, Metric, expected)
    keys = [metric.key for metric in measured]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise UsageError(f"the metric '{twice[0]}' is given twice; give each once")
    return measured


def split_key(key: str) -> tuple[str, str]:
    """Split `task/name` into its two parts; a bare name belongs to `MAIN_TASK`."""
    task, slash, name = key.rpartition("/")
    return (task, name) if slash and task else (MAIN_TASK, name)


def infer_direction(name: str) -> Direction | None:
    """Direction of a well-known metric by its name or key, or None if the name does not say it."""
    facts = known_metric(name)
    return None if facts is None else facts.direction

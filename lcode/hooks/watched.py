"""The metrics that a hook watches: names with directions, and what of a history is about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lcode.arguments import check_kind
from lcode.errors import UsageError
from lcode.hooks.learned_metrics import stated_directions
from lcode.table import Direction, Metric, RunTable, infer_direction, split_key

Watched = Mapping[str, Direction] | Sequence[str] | str
"""The metrics to watch, with `min` or `max` for each; a mere name must say by itself which is better."""


def watched(monitor: Watched) -> dict[str, Direction]:
    """The metrics with their directions.

    Raises:
        UsageError: none, a name that does not say which direction is better, or no direction.
    """
    if isinstance(monitor, Mapping):
        found = stated_directions(monitor)
    else:
        check_kind("monitor", monitor, Iterable, "the metrics to watch, such as {'A/acc': 'max', 'B/loss': 'min'}")
        found = {name: _inferred(name) for name in ([monitor] if isinstance(monitor, str) else monitor)}
    if not found:
        raise UsageError("no metric is watched; name some, such as monitor={'A/acc': 'max', 'B/loss': 'min'}")
    keys = [metric_key(name) for name in found]
    if len(set(keys)) < len(keys):
        raise UsageError(f"a metric is watched under two names: {', '.join(found)}")
    return found


def metric_key(name: str) -> str:
    """The key of a metric that is reported under this name."""
    return Metric(*split_key(name), "min").key


def about(history: RunTable, names: Mapping[str, Direction]) -> RunTable:
    """The history of these metrics alone: a run in progress will not report the others.

    Raises:
        UsageError: the history lacks one, or says that the other direction is better.
    """
    metrics = [history.metric(name) for name in names]
    for metric, (name, direction) in zip(metrics, names.items(), strict=True):
        if metric.direction != direction:
            raise UsageError(f"'{name}' is watched for its {direction}, but the history says {metric.direction}")
    points = history.points[history.points["metric"].isin([metric.key for metric in metrics])]
    return RunTable.from_points(
        points.astype({"run": object, "metric": object}),
        metrics,
        runs=history.runs,
        configs=history.configs,
        graphs=history.graphs,
        signals=history.signals,
        schedules=history.schedules,
        epoch_unit=history.epoch_unit,
    )


def _inferred(name: object) -> Direction:
    direction = infer_direction(name) if isinstance(name, str) else None
    if direction is None:
        raise UsageError(
            f"cannot tell whether larger or smaller values of {name!r} are better; say monitor={{{name!r}: 'max'}} (or "
            "'min')"
        )
    return direction

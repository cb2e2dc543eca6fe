"""What a live run may still gain, by its own forecast: needs no other run to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lcode.decisions import GainRule
from lcode.forecasters.base import Forecaster
from lcode.hooks.judge import summary
from lcode.hooks.live_run import Epoch, LiveRun
from lcode.isolation import isolated
from lcode.table import Metric, as_ticks


@dataclass(frozen=True)
class Outlook:
    """What is known of a live run, and what is to be expected of it.

    Attributes:
        epoch: its last epoch.
        end: its last planned epoch.
        best: epoch and value of the best value so far, by metric key; without those that have none.
        chances: probability that a metric becomes better than that, 0 to 1, by its key; NaN where nothing is known.
        forecast: by metric key the `median`, `q05` and `q95` at the end, in natural units.
    """

    epoch: Epoch
    end: Epoch
    best: Mapping[str, tuple[Epoch, float]]
    chances: Mapping[str, float]
    forecast: Mapping[str, Mapping[str, float]]


def outlook(
    live: LiveRun,
    metrics: tuple[Metric, ...],
    unit: float,
    model: Callable[[], Forecaster],
    rule: GainRule,
    num_threads: int,
) -> Outlook:
    """Ask the forecaster what a run may still gain.

    Args:
        live: the run, before its end.
        metrics: the K metrics.
        unit: of the epochs.
        model: gives the forecaster, which may have learned since.
        rule: says what counts as a gain.
        num_threads: torch threads while forecasting.
    """
    best = {metric.key: point for metric in metrics if (point := live.best(metric)) is not None}
    last, end = as_ticks([live.last_epoch, live.end], unit).tolist()
    with isolated(num_threads):
        forecast = model().predict(live.to_table(metrics, unit), {live.name: rule.epochs(last, end)})
    chances = rule.chances(forecast, {m.key: (live.first(m), best[m.key][1]) for m in metrics if m.key in best})
    return Outlook(live.last_epoch, live.end, best, chances, summary(forecast))

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest

from lcode.decisions import StopRule
from lcode.evaluation.replay import ForecastPolicy, RecordedSweep
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.table import RunTable

Recorded = Callable[..., RecordedSweep]


class Watched(LastValueForecaster):
    """Learns in a sweep, and remembers what it was asked."""

    min_finished: ClassVar[int] = 2

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[frozenset[str], tuple[str, ...], int]] = []
        self.known: frozenset[str] = frozenset()
        self.taught: list[frozenset[str]] = []

    def in_context(self, runs: RunTable) -> Watched:
        other = Watched()
        other.asked, other.known = self.asked, frozenset(runs.run_ids)
        self.taught.append(other.known)
        return other

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        self.asked.append((self.known, table.run_ids, int(table.last_epochs.max())))
        return super().predict(table, at)


CURVES = [[level] * 12 for level in np.linspace(0.9, 0.1, 10)]


def test_before_it_has_learned_each_run_is_forecast_alone_as_live(recorded: Recorded) -> None:
    model = Watched()
    recorded(CURVES).replay(ForecastPolicy(model, StopRule(keep=0)), workers=4)
    assert model.asked and all(len(runs) == 1 for known, runs, _ in model.asked if not known)


def test_it_is_taught_by_finished_runs_alone(recorded: Recorded) -> None:
    model = Watched()
    result = recorded(CURVES).replay(ForecastPolicy(model, StopRule(keep=4)), order_seed=1)
    finished = {run for run in result.order if run not in result.stopped}
    assert len(finished) >= 4 and model.taught
    assert all(known <= finished for known in model.taught)


def test_the_same_finished_runs_are_learned_from_once(recorded: Recorded) -> None:
    model, sweep = Watched(), recorded(CURVES)
    for delta in (0.05, 0.2):  # last values are sure: the threshold makes no difference
        sweep.replay(ForecastPolicy(model, StopRule(keep=4, delta=delta)), order_seed=1)
    assert len(model.taught) == len(set(model.taught))
    assert len(model.asked) == len(set(model.asked))


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_make_no_difference(recorded: Recorded, workers: int) -> None:
    class Alone(LastValueForecaster):
        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            return super().predict(table, at)

    generator = np.random.default_rng(3)
    curves = np.cumsum(generator.uniform(0, 0.1, (20, 12)), axis=1).tolist()
    sweep = recorded(curves)
    first = sweep.replay(ForecastPolicy(Alone(), StopRule(keep=1)), workers=workers)
    again = recorded(curves).replay(ForecastPolicy(Watched(), StopRule(keep=1)), workers=workers)
    assert first.stopped == again.stopped and [v.reason for v in first.verdicts] == [v.reason for v in again.verdicts]

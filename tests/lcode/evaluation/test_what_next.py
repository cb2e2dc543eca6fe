from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lcode.errors import UsageError
from lcode.evaluation.what_next import WAYS, Found, RecordedPool, by_halving, by_price, in_random_order
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.table import Metric, RunTable

EPOCHS = 8
ERROR = (Metric("main", "error", "min"),)


def recorded(finals: list[float], sure: float = 0.0) -> RecordedPool:
    """Runs that stand at their final score from the first epoch on, forecast with an error of `sure`."""
    scores = np.repeat(np.array(finals)[:, None], EPOCHS, axis=1)
    spread = np.linspace(-1, 1, 16) * sure
    fresh = np.broadcast_to(np.linspace(min(finals), max(finals), 16), (len(finals), 16))
    seen = np.array(finals)[:, None] + spread
    return RecordedPool(scores, np.stack([fresh, *[seen] * (EPOCHS - 1)]), persistence=0.9, best_known=-np.inf)


FINALS = list(np.linspace(0, 1, 20))


def test_in_random_order_every_run_costs_its_epochs() -> None:
    found = [in_random_order(recorded(FINALS), seed) for seed in range(5)]
    order = [np.random.default_rng(seed).permutation(20).tolist().index(19) + 1 for seed in range(5)]
    assert [one.best for one in found] == [place * EPOCHS for place in order]
    # One run of twenty is good: the best.
    assert all(one.good == one.best for one in found)


def test_halving_trains_every_run_to_its_first_rung() -> None:
    # 20 × 1, 10 × 1 more, 5 × 2 more, 2 × 4 more, and the better one of these comes first.
    assert by_halving(recorded(FINALS)) == Found(44, 44)
    found = by_halving(recorded(FINALS), first=2, keep=4)
    assert 20 * 2 + 5 * 6 - 24 <= found.best <= 20 * 2 + 5 * 6


def test_by_price_every_run_is_looked_at_once_and_the_best_trained_to_its_end() -> None:
    found = by_price(recorded(FINALS))
    assert found.best <= 20 + EPOCHS - 1
    assert found.best < min(by_halving(recorded(FINALS)).best, 30)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_finds_the_best_whatever_the_forecasts_say(way: str) -> None:
    rng = np.random.default_rng(1)
    pool = recorded(rng.permutation(FINALS).tolist(), sure=0.1)
    pool.ends = rng.uniform(0, 1, pool.ends.shape)
    pool.ends.sort(axis=-1)
    found = WAYS[way](pool, 0)
    assert EPOCHS <= found.good <= found.best <= 20 * EPOCHS


def table(finals: list[float]) -> RunTable:
    rows = [
        (f"r{i}", epoch, "error", final + 1 / epoch) for i, final in enumerate(finals) for epoch in range(1, EPOCHS + 1)
    ]
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), ERROR)


class LastOrZero(LastValueForecaster):
    """The last value, and 0 for a run that has not begun."""

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        forecast = super().predict(table, at)
        return replace(forecast, quantiles=np.nan_to_num(forecast.quantiles))


def test_a_pool_is_forecast_after_every_epoch_without_looking_ahead() -> None:
    runs = table([0.3, 0.1, 0.2])
    pool = RecordedPool.of(runs, LastOrZero().fit(runs), history=runs.select(["r0"]))
    assert pool.scores.shape == (3, EPOCHS) and pool.ends.shape[:2] == (EPOCHS, 3)
    np.testing.assert_allclose(pool.scores[:, 0], [-1.3, -1.1, -1.2])
    assert pool.best_known == pytest.approx(-(0.3 + 1 / EPOCHS))
    # After 4 epochs the last value is 0.25 above what the run began from.
    np.testing.assert_allclose(np.median(pool.ends[4], axis=-1), [-0.55, -0.35, -0.45], atol=0.05)
    assert (np.diff(pool.ends, axis=-1) >= 0).all()


def test_runs_of_several_metrics_or_lengths_are_no_pool() -> None:
    short = table([0.3, 0.1])
    ragged = short.select(["r0"]).prefix(3).concat(short.select(["r1"]))
    with pytest.raises(UsageError, match="as many epochs in every run"):
        RecordedPool.of(ragged, LastOrZero().fit(short))
    with pytest.raises(UsageError, match="from its configuration alone"):
        RecordedPool.of(short, LastValueForecaster().fit(short))

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lcode.decisions.budget import RegretBudget
from lcode.decisions.regret_rule import RegretRule
from lcode.evaluation.replay import RecordedSweep
from lcode.evaluation.replay.thaw import FreezeThaw
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.table import RunTable

Recorded = Callable[..., RecordedSweep]

FLAT = [[level] * 12 for level in np.linspace(0.9, 0.1, 10)]


class Wide(LastValueForecaster):
    """The last value, give or take something."""

    def __init__(self, width: float) -> None:
        self.width = width

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        forecast = super().predict(table, at)
        quantiles = forecast.quantiles
        quantiles += np.linspace(-self.width, self.width, quantiles.shape[-1])
        return forecast


def thaw(width: float = 0.0, **settings: float) -> FreezeThaw:
    rule = RegretRule(regret=RegretBudget(1.0), **{"keep": 1, "alpha": 0.1, "factor": 1.0, **settings})  # type: ignore[arg-type]
    return FreezeThaw(Wide(width), rule)


@pytest.mark.parametrize("workers", [1, 8])
def test_sure_forecasts_train_all_to_the_first_stop_and_the_best_to_its_end(recorded: Recorded, workers: int) -> None:
    result = recorded(FLAT).replay(thaw(), order_seed=3, workers=workers)
    assert result.regret == 0 and "r0" not in result.stopped
    if workers == 1:
        assert result.epochs_trained == 10 * 2 + 10 and set(result.stopped.values()) == {2}


def test_so_many_are_trained_to_their_ends(recorded: Recorded) -> None:
    result = recorded(FLAT).replay(thaw(keep=3))
    assert set(result.order) - set(result.stopped) == {"r0", "r1", "r2"}


def test_who_may_end_higher_goes_on_until_that_is_unlikely(recorded: Recorded) -> None:
    careful, bold = (recorded(FLAT).replay(thaw(0.3, alpha=alpha)) for alpha in (0.01, 0.5))
    assert careful.epochs_trained > bold.epochs_trained
    # r1 is 9 points behind r0; give or take 30, it ends above r0 by more than 1 with a chance of a third.
    assert careful.stopped.get("r1", 12) > 2 and bold.stopped["r1"] == 2
    assert careful.stopped["r9"] == bold.stopped["r9"] == 2


def test_a_late_riser_is_found_where_forecasts_allow_for_it(recorded: Recorded) -> None:
    curves = [*FLAT, [0.5] * 3 + [0.95] * 9]
    found = recorded(curves).replay(thaw(0.6, alpha=0.01))
    assert found.regret == 0 and "r10" not in found.stopped
    assert recorded(curves).replay(thaw(0.0)).regret == pytest.approx(5)


def test_the_order_makes_no_difference(recorded: Recorded) -> None:
    sweep = recorded([[level] * 12 for level in np.random.default_rng(0).uniform(0.1, 0.9, 10)])
    one, other = (sweep.replay(thaw(0.1), order_seed=seed) for seed in (0, 1))
    assert one.order != other.order and one.stopped == other.stopped


def test_a_run_that_diverges_is_not_gone_on_with(recorded: Recorded) -> None:
    lost = [0.99, 0.99, *[np.nan] * 10]
    result = recorded([*FLAT, lost]).replay(thaw())
    assert result.regret == 0 and result.stopped["r10"] < 12

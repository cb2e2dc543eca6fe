"""A study is ended when nothing is left to gain, and not before."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from lcode.curves.arrays import curve_arrays
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.hooks.optuna import LcodePruner
from lcode.hooks.optuna_stop import ATTRIBUTE, NothingToGain
from lcode.table import RunTable


class Oracle(Forecaster):
    """Knows that a trial ends at 1 − (x − 0.5)², give or take 0.1, from its parameter alone."""

    name: ClassVar[str] = "oracle"

    def fit(self, table: RunTable) -> Self:
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        ends = 1 - (table.configs["x"].to_numpy(float) - 0.5) ** 2
        band = 0.1 * (2 * LEVELS - 1)
        values = (ends[:, None] + band)[:, None, None, :]
        return assemble(table, curve_arrays(table), query_epochs(table, at), values)


@pytest.fixture(autouse=True)
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def run(
    stop: NothingToGain, objective: Callable[[optuna.Trial], float], *xs: float, model: Forecaster | None = None
) -> optuna.Study:
    pruner = LcodePruner(horizon=3, model=model or Oracle(), dry_run=True, min_epochs=1)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for x in xs:
        study.enqueue_trial({"x": x})
    study.optimize(objective, n_trials=len(xs), callbacks=[stop])
    return study


def ended(study: optuna.Study) -> int:
    return len(study.get_trials(states=[TrialState.COMPLETE]))


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 0, 1)
    for epoch in range(1, 4):
        trial.report(1 - (x - 0.5) ** 2, epoch)
        trial.should_prune()
    return 1 - (x - 0.5) ** 2


def test_it_ends_when_the_best_is_as_good_as_can_be_expected() -> None:
    """The best end that a draw can have is 1 ± 0.1, uniformly: 0.025 to be gained over a trial that ended at 1."""
    study = run(NothingToGain(0.027, min_trials=2), objective, 0.0, 0.1, 0.2, 0.5, 0.3, 0.4)
    assert ended(study) == 4
    reason = study.user_attrs[ATTRIBUTE]
    assert reason.startswith("the largest expected gain of 64 new trials is 0.02") and reason.endswith("below 0.027")
    assert ended(run(NothingToGain(0.02, min_trials=2), objective, 0.0, 0.1, 0.2, 0.5, 0.3, 0.4)) == 6


def test_it_waits_for_enough_trials_and_for_something_to_compare() -> None:
    assert ended(run(NothingToGain(10, min_trials=4), objective, 0.5, 0.5, 0.5, 0.5, 0.5)) == 4
    assert ended(run(NothingToGain(10, min_trials=1), lambda trial: trial.suggest_float("x", 0, 1), 0.1, 0.2)) == 2
    assert ended(run(NothingToGain(10, min_trials=1), lambda trial: 1.0, 0.1, 0.2)) == 2


def test_a_configuration_that_cannot_be_forecast_may_gain_anything() -> None:
    class Unknowing(Oracle):
        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            configs = table.configs.assign(x=np.where(np.arange(len(table)) == 3, np.nan, table.configs["x"]))
            return super().predict(RunTable(**{**vars(table), "configs": configs}), at)

    stop = NothingToGain(10, min_trials=1)
    assert ended(run(stop, objective, 0.5, 0.4)) == 1
    assert ended(run(stop, objective, 0.5, 0.4, model=Unknowing())) == 2


def test_what_cannot_be_is_refused() -> None:
    for gain in (0, float("nan"), float("inf"), True):
        with pytest.raises(UsageError, match="a number above 0"):
            NothingToGain(gain)
    with pytest.raises(UsageError, match="candidates is 0"):
        NothingToGain(1, candidates=0)
    study = optuna.create_study()
    with pytest.raises(UsageError, match="pruner is a MedianPruner"):
        study.optimize(objective, n_trials=1, callbacks=[NothingToGain(1)])

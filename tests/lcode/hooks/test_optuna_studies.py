"""The pruner where a study is not what it was: begun anew, gone on with by other reports, or a trial tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks.optuna import LcodePruner, LcodeTrial

HORIZON = 6

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def pruner() -> LcodePruner:
    return LcodePruner(horizon=HORIZON, model=LastValueForecaster(), keep=0)


def train(study: optuna.Study, finals: Sequence[float], *, named: bool = False) -> None:
    """A trial for each of these values, which it has from its first epoch on."""

    def objective(plain: optuna.Trial) -> float:
        value = plain.suggest_float("final", 0, 1)
        trial: Any = LcodeTrial(plain) if named else plain
        for epoch in range(HORIZON):
            trial.report({"seg/miou": value, "depth/abs_err": 2 - value} if named else value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    for final in finals:
        study.enqueue_trial({"final": final})
    study.optimize(objective, n_trials=len(finals))


def outcomes(study: optuna.Study) -> list[tuple[str, int | None]]:
    return [(trial.state.name, trial.last_step) for trial in study.trials]


def test_a_study_of_the_name_of_one_that_was_deleted_begins_without_its_trials() -> None:
    storage, shared = optuna.storages.InMemoryStorage(), pruner()

    def study(finals: Sequence[float]) -> optuna.Study:
        begun = optuna.create_study(study_name="s", storage=storage, direction="maximize", pruner=shared)
        train(begun, finals)
        return begun

    assert outcomes(study([0.9, 0.1, 0.2]))[1:] == [("PRUNED", 3), ("PRUNED", 3)]
    optuna.delete_study(study_name="s", storage=storage)
    anew = study([0.1, 0.9, 0.2])
    assert outcomes(anew) == [("COMPLETE", 5), ("COMPLETE", 5), ("PRUNED", 3)]
    assert "P(beats trial 1 (ended at 0.9))" in anew.trials[2].user_attrs["lcode:verdict"]["reason"]


@pytest.mark.parametrize("named", [True, False])
def test_trials_that_report_otherwise_are_left_out_and_named(*, named: bool) -> None:
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.NopPruner())
    if named:
        train(study, [0.5, 0.95])
        study.pruner = pruner()
    else:
        study.pruner = pruner()
        train(study, [0.5, 0.95], named=True)
    with pytest.warns(UserWarning, match="trial 0, trial 1 reported .*not compared") as told:
        train(study, [0.6, 0.9, 0.3], named=named)
    assert len([one for one in told if "not compared" in str(one.message)]) == 1
    assert [state for state, _ in outcomes(study)][-3:] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert "trial 3 (ended" in study.trials[-1].user_attrs["lcode:verdict"]["reason"]


def test_a_trial_that_is_tried_again_without_its_reports_is_judged_by_its_own() -> None:
    study = optuna.create_study(direction="maximize", pruner=pruner())
    train(study, [0.8])
    study.enqueue_trial({"final": 0.1})
    bad = study.ask({"final": optuna.distributions.FloatDistribution(0, 1)})
    for epoch in range(4):
        bad.report(0.1, epoch)
    assert bad.should_prune()
    study.tell(bad, state=TrialState.FAIL)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        retry = optuna.storages.RetryHeartbeatStaleTrialCallback()
    retry(study, study.trials[-1])  # takes the attributes along, with the verdict, but not what Optuna was told
    again = study.ask({"final": optuna.distributions.FloatDistribution(0, 1)})
    assert "lcode:verdict" in again.user_attrs
    for epoch in range(4):
        again.report(0.9, epoch)
    assert not again.should_prune()

"""The pruner in real studies: decisions from the storage alone, several metrics and objectives, forecasts as values."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from lcode.decisions import Verdict
from lcode.decisions.rule import LASTING
from lcode.errors import MissingExtraError, UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.hooks.optuna import LcodePruner, LcodeTrial
from lcode.readers import read_logs
from lcode.table import RunTable

HORIZON = 6
NAN = float("nan")

pytestmark = pytest.mark.usefixtures("quiet")

Reports = Sequence[tuple[int, dict[str, float]]]


@pytest.fixture
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


class Unsure(LastValueForecaster):
    """The last value, give or take 0.1."""

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        certain = super().predict(table, at)
        return replace(certain, quantiles=certain.quantiles + 0.1 * (2 * LEVELS - 1))


def pruner(**options: Any) -> LcodePruner:
    return LcodePruner(**{"horizon": HORIZON, "model": LastValueForecaster(), "keep": 0, **options})


def study_of(ways: Sequence[Any] = ("maximize",), **options: Any) -> optuna.Study:
    return optuna.create_study(directions=ways, pruner=pruner(**options))


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "depth/abs_err": 1.5 - seg}


def flat(seg: float, epochs: int = HORIZON) -> Reports:
    return [(epoch, values(seg)) for epoch in range(1, epochs + 1)]


def train(study: optuna.Study, reports: Reports, *, lr: float = 0.1) -> tuple[optuna.Trial, list[Verdict]]:
    """A trial that reports these, and asks after each; it stays running."""
    study.enqueue_trial({"lr": lr})
    trial = study.ask({"lr": optuna.distributions.FloatDistribution(0, 1)})
    return trial, more(trial, reports)


def more(trial: optuna.Trial, reports: Reports) -> list[Verdict]:
    wrapped, verdicts = LcodeTrial(trial), []
    for epoch, reported in reports:
        wrapped.report(reported, epoch)
        verdict = wrapped.verdict()
        assert verdict is not None and wrapped.should_prune() == verdict.stop
        verdicts.append(verdict)
    return verdicts


def complete(study: optuna.Study, *finals: float) -> None:
    """Trials that were trained to the end, and stayed at these values of seg/miou."""
    for seg in finals:
        trial, _ = train(study, flat(seg))
        study.tell(trial, [seg, 1.5 - seg][: len(study.directions)])


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_it_takes_the_place_of_any_pruner(direction: str, sign: int) -> None:
    def objective(trial: optuna.Trial) -> float:
        value = sign * trial.suggest_float("final", -1, 1)
        for epoch in range(HORIZON):
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    study = study_of([direction])
    for final in (-0.1, 0.1, 0.9, 0.5, 1.0):
        study.enqueue_trial({"final": final})
    study.optimize(objective, n_trials=5)
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.COMPLETE] * 3 + [TrialState.PRUNED, TrialState.COMPLETE]
    assert study.trials[3].last_step == 3  # the first epoch that is at least min_epochs
    verdict = study.trials[3].user_attrs["lcode:verdict"]
    assert verdict["forecast"]["value"]["median"] == pytest.approx(0.5 * sign)
    assert verdict["reason"].startswith("P(beats trial 2 (ended at 0.9)) = 0.000 < 0.2; expected 0.5")


@pytest.mark.parametrize("directions", [("maximize",), ("maximize", "minimize")])
def test_several_metrics_are_reported_whatever_the_number_of_objectives(directions: Sequence[str]) -> None:
    study = study_of(directions)
    complete(study, 0.6, 0.7, 0.8)
    _, good = train(study, flat(0.9))
    trial, bad = train(study, flat(0.5, 3))
    assert not any(verdict.stop for verdict in good)
    assert [verdict.stop for verdict in bad] == [False, False, True]
    assert "P(beats trial 2 (ended" in bad[-1].reason
    assert study.trials[trial.number].user_attrs["lcode:verdict"]["reason"] == bad[-1].reason
    study.tell(trial, state=TrialState.PRUNED)
    assert len(study.best_trials) == 1


@pytest.mark.parametrize("options", [{"min_epochs": 2, "every": 2, "keep": 0}, {"regret": 5.0}])
def test_it_decides_as_a_monitor_that_was_told_the_same(options: dict[str, Any]) -> None:
    study = optuna.create_study(pruner=LcodePruner(horizon=HORIZON, model=Unsure(), **options))
    watch = Monitor(Unsure(), horizon=HORIZON, **options)
    watch.announce(["depth/abs_err", "seg/miou"])
    stopped = 0
    for number, seg in enumerate((0.6, 0.7, 0.8, 0.75, 0.5, 0.79, 0.85, 0.78)):
        watch.start(f"trial {number}", config={"lr": seg})
        trial, _ = train(study, (), lr=seg)
        for report in flat(seg):
            (verdict,) = more(trial, [report])
            assert verdict == watch.report(f"trial {number}", *report)
            if verdict.stop:
                stopped += 1
                break
        study.tell(trial, **({"state": TrialState.PRUNED} if verdict.stop else {"values": 0.0}))
    assert stopped >= 2


@cache
def finished() -> optuna.Study:
    study = study_of()
    complete(study, 0.6, 0.7, 0.8)
    return study


REPORTS = st.lists(
    st.tuples(st.integers(0, HORIZON), st.sampled_from([0.5, 0.75, 0.9, NAN, None])), min_size=1, max_size=10
)


@settings(max_examples=12)
@given(REPORTS, st.sampled_from(["stop", "skip"]))
def test_restarts_repeats_and_gaps_are_what_they_are_to_a_monitor(
    reports: list[tuple[int, float | None]], nan: str
) -> None:
    """Undefined, late, repeated and partial reports, an epoch before the last with other values."""
    study = study_of(nan=nan)
    study.add_trials(finished().get_trials())
    told = [(epoch, {"depth/abs_err": 0.7, **({} if seg is None else {"seg/miou": seg})}) for epoch, seg in reports]
    watch = Monitor(LastValueForecaster(), keep=0, horizon=HORIZON, nan=nan)  # type: ignore[arg-type]
    watch.announce(["depth/abs_err", "seg/miou"])
    for number, seg in enumerate((0.6, 0.7, 0.8)):
        watch.recall(f"trial {number}", flat(seg))
        watch.finish(f"trial {number}")
    _, verdicts = train(study, told)
    for verdict, (epoch, said) in zip(verdicts, told, strict=True):
        expected = watch.report("trial 3", epoch, said)
        assert (verdict.stop, verdict.reason, verdict.epoch) == (expected.stop, expected.reason, expected.epoch)


def test_a_metric_that_stays_undefined_prunes_and_one_that_comes_back_does_not() -> None:
    study = study_of(min_epochs=HORIZON)
    complete(study, 0.6, 0.7, 0.8)
    gap = {**values(0.9), "seg/miou": NAN}
    _, back = train(study, [(1, values(0.9)), (2, gap), (3, gap), (4, values(0.9))])
    assert not any(verdict.stop for verdict in back)
    _, lost = train(study, [(1, values(0.9)), *[(epoch, gap) for epoch in range(2, 2 + LASTING)]])
    assert [verdict.stop for verdict in lost] == [False] * LASTING + [True]


def sweep(study: optuna.Study, ask: Any) -> list[Verdict | None]:
    """Trials of two workers that take turns; `ask` makes the pruner that decides next."""
    verdicts: list[Verdict | None] = []
    trials: dict[str, optuna.Trial] = {}
    finals = {"a": 0.6, "b": 0.7, "c": 0.75, "d": 0.5, "e": 0.8, "f": 0.4, "g": 0.74, "h": 0.9, "i": 0.85, "j": 0.5}
    names = list(finals)
    for pair in zip(names[::2], names[1::2], strict=True):
        for name in pair:
            study.enqueue_trial({"lr": finals[name]})
            trials[name] = study.ask({"lr": optuna.distributions.FloatDistribution(0, 1)})
        live = list(pair)
        for epoch in range(1, 5):
            for name in list(live):
                study.pruner = ask()
                trial = LcodeTrial(trials[name])
                said = {**values(finals[name]), **({"normals/mean": 20.0} if name > "a" else {})}
                trial.report(said, epoch)
                verdicts.append(trial.verdict())
                stops = trial.should_prune()
                if stops:
                    live.remove(name)
                    study.tell(trials[name], state=TrialState.PRUNED)
                elif epoch == 4:
                    study.tell(trials[name], finals[name])
    return verdicts


@pytest.mark.parametrize("options", [{"keep": 1}, {"regret": "0.3 spread"}], ids=["threshold", "budget"])
def test_every_worker_and_a_resumed_one_decide_alike(options: dict[str, Any]) -> None:
    """One process that sees all, two that take turns, and one that is started anew for every decision."""

    def worker() -> LcodePruner:
        return LcodePruner(horizon=4, model=Unsure(), min_epochs=2, **options)

    kept, others = worker(), cycle([worker(), worker()])
    alone = sweep(study_of(), lambda: kept)
    assert sum(verdict is not None and verdict.stop for verdict in alone) >= 2
    assert sweep(study_of(), lambda: next(others)) == alone
    assert sweep(study_of(), worker) == alone


def test_a_study_that_was_killed_goes_on_from_its_storage(tmp_path: Path) -> None:
    def resumed() -> optuna.Study:
        return optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db", pruner=pruner())

    optuna.create_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db", direction="maximize")
    in_memory = study_of()
    first = resumed()
    for study in (first, in_memory):
        study.add_trials(finished().get_trials())
        trial, verdicts = train(study, flat(0.7, 3))
    again = optuna.Trial(resumed(), first.trials[-1]._trial_id)
    assert LcodeTrial(again).verdict() == verdicts[-1]
    assert more(again, [(4, values(0.95))]) == more(trial, [(4, values(0.95))])


def test_a_trial_that_failed_is_nobodys_rival() -> None:
    study = study_of(min_epochs=1, dry_run=True)
    for others in (False, True):
        trial, _ = train(study, [(1, {"acc": 0.9})])
        if others:
            assert f"P(beats trial {trial.number} (expected at 0.9))" in train(study, [(1, {"acc": 0.5})])[1][0].reason
        study.tell(trial, state=TrialState.FAIL)
        rival = "P(beats trial 3 (expected at 0.5))" if others else "no other run to compare with"
        last, (verdict,) = train(study, [(1, {"acc": 0.4})])
        assert rival in verdict.reason
        study.tell(last, state=TrialState.FAIL)


def test_a_trial_that_is_retried_goes_on_with_its_reports() -> None:
    study = study_of()
    complete(study, 0.6, 0.7, 0.8)
    trial, _ = train(study, flat(0.9, 4))
    study.tell(trial, state=TrialState.FAIL)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        retry = optuna.storages.RetryHeartbeatStaleTrialCallback()
    retry(study, study.trials[-1])
    again = study.ask({"lr": optuna.distributions.FloatDistribution(0, 1)})
    restarted = more(again, flat(0.5, 3))
    assert restarted[0].epoch == 1 and restarted[-1].stop


def test_the_value_of_a_pruned_trial_is_its_forecast_and_no_end_to_learn_from(tmp_path: Path) -> None:
    def objective(plain: optuna.Trial) -> Sequence[float]:
        trial = LcodeTrial(plain)
        seg = trial.suggest_float("seg", 0, 1)
        for epoch in range(1, HORIZON + 1):
            trial.report(values(seg), epoch)
            if trial.should_prune():
                return trial.predicted_values("seg/miou", "depth/abs_err")
        return seg, 1.5 - seg

    storage = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=storage, directions=["maximize", "minimize"], pruner=pruner())
    for final in (0.6, 0.7, 0.8, 0.5, 0.4):
        study.enqueue_trial({"seg": final})
    study.optimize(objective, n_trials=5)
    cut = study.trials[3]
    assert cut.state == TrialState.COMPLETE and cut.values == pytest.approx([0.5, 1.0])
    assert len([key for key in cut.user_attrs if key.startswith("lcode:report:")]) == 3
    ended = read_logs(tmp_path / "study.db").runs["status"].tolist()
    assert ended == ["finished", "finished", "finished", "stopped", "stopped"]
    study.enqueue_trial({"seg": 0.9})
    _, verdicts = train(study, flat(0.9, 4))
    assert not verdicts[-1].stop and "trial 2" in verdicts[-1].reason


def test_a_trial_without_a_forecast_is_pruned_without_values() -> None:
    study = study_of()
    complete(study, 0.6, 0.7, 0.8)
    gap = {**values(0.9), "seg/miou": NAN}
    trial, verdicts = train(study, [(epoch, gap) for epoch in range(1, 1 + LASTING)])
    assert verdicts[-1].stop
    with pytest.raises(optuna.TrialPruned, match="diverged: seg/miou is nan"):
        LcodeTrial(trial).predicted_values("seg/miou")
    other, _ = train(study, flat(0.5, 3))
    with pytest.raises(UsageError, match="no forecast of 'miou'; there are: depth/abs_err, seg/miou"):
        LcodeTrial(other).predicted_values("miou")


def test_trials_of_an_earlier_study_are_a_history_from_the_first_trial_on() -> None:
    study = study_of()
    for seg in (0.6, 0.7, 0.8):
        curve = dict.fromkeys(range(HORIZON), seg)
        study.add_trial(optuna.trial.create_trial(value=seg, intermediate_values=curve))
    trial = study.ask()
    stops = []
    for epoch in range(4):
        trial.report(0.5, epoch)
        stops.append(trial.should_prune())
    assert stops == [False, False, False, True]


def test_the_studys_own_names_tell_the_directions() -> None:
    study = study_of(["maximize", "minimize"])
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names(["seg/xyz", "depth/uvw"])
    train(study, [(1, {"seg/xyz": 0.5, "depth/uvw": 0.5})])
    with pytest.raises(UsageError, match="cannot tell whether larger or smaller values of 'normals/zzz' are better"):
        train(study, [(1, {"normals/zzz": 0.5})])
    train(study_of(directions={"normals/zzz": "min"}), [(1, {"normals/zzz": 0.5})])


def test_one_metric_may_be_zero_or_negative() -> None:
    study = study_of()
    for value in (-0.1, 0.0, 0.1):
        trial, _ = train(study, [(epoch, {"reward": value}) for epoch in range(1, HORIZON + 1)])
        study.tell(trial, value)
    _, verdicts = train(study, [(epoch, {"reward": -0.2}) for epoch in range(1, 4)])
    assert verdicts[-1].stop and "ended at 0.1" in verdicts[-1].reason


def test_a_trial_that_went_on_after_a_verdict_or_in_a_dry_run_is_read_as_finished(tmp_path: Path) -> None:
    storage = JournalStorage(JournalFileBackend(f"{tmp_path}/journal.log"))
    study = optuna.create_study(storage=storage, direction="maximize", pruner=pruner())
    complete(study, 0.6, 0.7, 0.8)
    gone_on, verdicts = train(study, flat(0.5, 3))
    assert verdicts[-1].stop
    LcodeTrial(gone_on).report(values(0.5), 4)
    study.tell(gone_on, 0.5)
    study.pruner = pruner(dry_run=True)
    advised, verdicts = train(study, flat(0.5, 3))
    assert verdicts[-1].action == "stop"
    study.tell(advised, 0.5)
    assert read_logs(tmp_path / "journal.log").runs["status"].tolist() == ["finished"] * 5


def test_a_dry_run_prunes_nothing_and_its_trials_count() -> None:
    study = study_of(dry_run=True)
    complete(study, 0.6, 0.7, 0.8)
    trial, verdicts = train(study, flat(0.5))
    assert not any(verdict.stop for verdict in verdicts) and verdicts[-2].action == "stop"
    study.tell(trial, 0.5)


def test_threads_of_one_process_share_the_pruner() -> None:
    def objective(plain: optuna.Trial) -> float:
        trial = LcodeTrial(plain)
        seg = trial.suggest_float("seg", 0, 1)
        for epoch in range(1, HORIZON + 1):
            trial.report(values(seg), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return seg

    study = optuna.create_study(direction="maximize", pruner=pruner(), sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=12, n_jobs=3)
    states = {trial.state for trial in study.trials}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}


def test_a_study_may_be_pickled_with_its_pruner() -> None:
    study = study_of()
    complete(study, 0.6, 0.7, 0.8)
    copy = pickle.loads(pickle.dumps(study))
    assert train(copy, flat(0.5, 3))[1] == train(study, flat(0.5, 3))[1]


def test_an_objective_is_tried_without_a_study() -> None:
    study = study_of()
    complete(study, 0.6)
    for outside in (optuna.trial.FixedTrial({"lr": 0.1}), study.best_trial):
        trial = LcodeTrial(outside)
        assert trial.suggest_float("lr", 0, 1) == 0.1
        trial.report(values(0.5), 1)
        assert not trial.should_prune() and trial.verdict() is None
        with pytest.raises(UsageError, match=r"trial .*seg/miou is 'x'"):
            trial.report({"seg/miou": "x"}, 1)  # type: ignore[dict-item]


def test_what_cannot_be_is_refused_before_the_first_trial() -> None:
    with pytest.raises(UsageError, match="delta is 2"):
        pruner(delta=2)
    with pytest.raises(UsageError, match="pruner is a MedianPruner; give it ours"):
        LcodeTrial(optuna.create_study(pruner=optuna.pruners.MedianPruner()).ask())
    assert not study_of().ask().should_prune()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "lcode.hooks.optuna")
    with pytest.raises(MissingExtraError, match=r"pip install 'lcode\[optuna\]'"):
        import_module("lcode.hooks.optuna")


def test_the_storage_is_read_as_logs(tmp_path: Path) -> None:
    study = optuna.create_study(
        study_name="s", storage=f"sqlite:///{tmp_path}/study.db", directions=["maximize", "minimize"], pruner=pruner()
    )
    trial, _ = train(study, [(1, values(0.5)), (2, {"seg/miou": 0.6, "depth/abs_err": NAN}), (3, values(0.7))])
    study.tell(trial, (0.7, 0.8))
    table = read_logs(tmp_path / "study.db")
    assert table.curve("s/trial-0", "seg/miou").values.tolist() == [0.5, 0.6, 0.7]
    assert table.curve("s/trial-0", "depth/abs_err").epochs.tolist() == [1, 3]
    assert not any("left out" in note for note in table.notes)

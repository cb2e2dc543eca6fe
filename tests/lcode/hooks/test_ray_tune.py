"""The scheduler with light trials, its memory, and one sweep of the real Ray that is interrupted."""

from __future__ import annotations

import json
import pickle
import re
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune
from ray.tune import ResultGrid

from lcode.errors import MissingExtraError, UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks.ray_tune import LcodeScheduler

HORIZON = 6
METRICS = {"seg/miou": "max", "depth/abs_err": "min"}


def fake(name: str, config: dict[str, Any] | None = None) -> Any:
    """As much of a trial of Ray's as a scheduler sees."""
    return SimpleNamespace(trial_id=name, config=config or {})


def scheduler(**options: Any) -> LcodeScheduler:
    return LcodeScheduler(
        **{"metrics": METRICS, "horizon": HORIZON, "model": LastValueForecaster(), "keep": 0, **options}
    )


def result(epoch: int, seg: float) -> dict[str, Any]:
    return {
        "seg/miou": seg,
        "depth/abs_err": 1.5 - seg,
        "training_iteration": epoch,
        "time_total_s": 1.0,
        "done": False,
    }


def train(watch: LcodeScheduler, name: str, seg: float, epochs: range = range(1, HORIZON + 1)) -> list[str]:
    trial = fake(name, {"lr": seg})
    watch.on_trial_add(None, trial)
    decisions = []
    for epoch in epochs:
        decisions.append(watch.on_trial_result(None, trial, result(epoch, seg)))
        if decisions[-1] == "STOP":
            watch.on_trial_complete(None, trial, result(epoch, seg))
            break
    return decisions


def finished(**options: Any) -> LcodeScheduler:
    watch = scheduler(**options)
    for name, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        assert train(watch, name, seg) == ["CONTINUE"] * (HORIZON - 1) + ["STOP"]
    return watch


def test_a_hopeless_trial_is_stopped_and_a_good_one_reaches_its_end() -> None:
    watch = finished()
    assert train(watch, "bad", 0.5) == ["CONTINUE"] * 2 + ["STOP"]
    assert watch.debug_string().startswith("lcode: stop bad: P(beats c (ended at")
    assert train(watch, "good", 0.9) == ["CONTINUE"] * (HORIZON - 1) + ["STOP"]
    assert "good (ended at" in watch.trials.report("d", result(3, 0.5)).reason


def test_a_dry_run_ends_nothing() -> None:
    watch = scheduler(dry_run=True)
    for name, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8), ("bad", 0.5)):
        assert train(watch, name, seg) == ["CONTINUE"] * HORIZON
    assert [verdict.action for verdict in watch.trials.monitor.log[-3:-1]] == ["stop", "stop"]


def test_the_metric_of_the_tuner_will_do() -> None:
    watch = LcodeScheduler(horizon=HORIZON, model=LastValueForecaster(), keep=0)
    with pytest.raises(UsageError, match="no metric is known"):
        train(watch, "a", 0.6)
    assert watch.set_search_properties("depth/abs_err", "min", num_samples=4)
    for name, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        train(watch, name, seg)
    assert train(watch, "bad", 0.5)[-1] == "STOP"
    both = scheduler()
    assert both.set_search_properties("seg/miou", "max") and both.trials.names == tuple(METRICS)


def test_a_second_sweep_begins_anew_and_takes_the_metric_of_its_own_tuner() -> None:
    given, asked = finished(), LcodeScheduler(horizon=HORIZON, model=LastValueForecaster(), keep=0)
    log = given.trials.monitor.log
    for watch in (given, asked):
        assert watch.set_search_properties("seg/miou", "max")
        assert train(watch, "bad", 0.5) == ["CONTINUE"] * (HORIZON - 1) + ["STOP"]
    assert len(log) == 3 * HORIZON and given.trials.names == tuple(METRICS)
    assert asked.set_search_properties("depth/abs_err", "min") and asked.trials.names == ("depth/abs_err",)
    assert asked.set_search_properties(None, None)
    with pytest.raises(UsageError, match="no metric is known"):
        train(asked, "a", 0.6)


def test_a_scheduler_that_has_seen_nothing_yet_stays_as_it_is_when_its_sweep_begins() -> None:
    watch = scheduler()
    trials = watch.trials
    assert watch.set_search_properties(None, None) and watch.trials is trials


def test_what_a_result_lacks_is_said_with_what_it_has() -> None:
    watch = scheduler(metrics={"seg/miou": "max", "depth/error": "min"})
    with pytest.raises(
        UsageError, match="trial 'a': its result has no 'depth/error'; there are: seg/miou, depth/abs_err, t"
    ):
        train(watch, "a", 0.6)
    with pytest.raises(UsageError, match="has no 'epoch'"):
        train(scheduler(time_attr="epoch"), "a", 0.6)


def test_a_metric_may_be_measured_now_and_then() -> None:
    watch, trial = scheduler(), fake("a")
    watch.on_trial_add(None, trial)
    for epoch, partial in ((1, {"depth/abs_err": None}), (2, {}), (3, {"depth/abs_err": 0.5})):
        told = {"training_iteration": epoch, "seg/miou": 0.6, **partial}
        assert watch.on_trial_result(None, trial, told) == "CONTINUE"


@pytest.mark.filterwarnings("ignore:3 runs have finished, all at epoch")
def test_the_last_result_of_a_trial_that_the_tuner_ends_counts() -> None:
    """`stop={"training_iteration": 4}`: Ray asks no scheduler about the last result."""
    watch = scheduler()
    for name, seg in (("a", 0.6), ("b", 0.7), ("c", 0.9)):
        train(watch, name, seg - 0.05, range(1, 4))
        watch.on_trial_complete(None, fake(name), result(4, seg))
    assert "P(beats c" in watch.trials.report("d", result(3, 0.8)).reason
    silent = fake("e")
    watch.on_trial_add(None, silent)
    watch.on_trial_complete(None, silent, {})


def test_a_failed_or_removed_trial_counts_no_more_and_may_be_tried_again() -> None:
    watch = finished()
    train(watch, "best", 0.95, range(1, 5))
    assert "keep" not in watch.debug_string()
    watch.on_trial_error(None, fake("best"))
    assert watch.trials.monitor.status("best") == "failed"
    # From the beginning, with other values: the first attempt is given up.
    assert train(watch, "best", 0.5) == ["CONTINUE"] * 2 + ["STOP"]
    train(watch, "waits", 0.9, range(1, 3))
    watch.on_trial_remove(None, fake("waits"))
    assert watch.trials.monitor.status("waits") == "stopped"


def test_a_trial_whose_metric_stays_undefined_is_stopped() -> None:
    watch, gap = scheduler(), float("nan")
    trial = fake("a")
    watch.on_trial_add(None, trial)
    decisions = [watch.on_trial_result(None, trial, result(epoch, gap)) for epoch in range(1, 6)]
    assert decisions == ["CONTINUE"] * 4 + ["STOP"]


class Controller:
    """As much of what runs Ray's trials as a scheduler sees."""

    def __init__(self, watch: LcodeScheduler, **status: str) -> None:
        self._watch = watch
        self.trials = [
            SimpleNamespace(trial_id=name, config={}, status=now, PENDING="PENDING", PAUSED="PAUSED", RUNNING="RUNNING")
            for name, now in status.items()
        ]

    def get_trials(self) -> list[Any]:
        return self.trials

    def stop_trial(self, trial: Any) -> None:
        trial.status = "TERMINATED"
        self._watch.on_trial_remove(self, trial)


def paused() -> LcodeScheduler:
    """One trial that does well, and one that waits."""
    watch = scheduler(action="pause", min_epochs=3)
    train(watch, "good", 0.9, range(1, 5))
    assert train(watch, "low", 0.5, range(1, 4)) == ["CONTINUE"] * 2 + ["PAUSE"]
    return watch


def test_a_paused_trial_waits_until_its_rival_has_failed() -> None:
    watch = paused()
    controller: Any = Controller(watch, good="RUNNING", low="PAUSED")
    assert [watch.choose_trial_to_run(controller) for _ in range(2)] == [None, None]
    watch.on_trial_error(controller, controller.trials[0])
    controller.trials[0].status = "ERROR"
    assert [watch.choose_trial_to_run(controller) for _ in range(2)] == [controller.trials[1]] * 2
    assert watch.trials.monitor.status("low") == "running"
    assert train(watch, "low", 0.5, range(4, HORIZON + 1))[-1] == "STOP" and watch.trials.is_over("low")


def test_what_waits_when_all_others_have_ended_is_stopped() -> None:
    watch = paused()
    controller: Any = Controller(watch, good="PENDING", low="PAUSED")
    chosen: Any = watch.choose_trial_to_run(controller)
    assert chosen.trial_id == "good"
    assert train(watch, "good", 0.9, range(5, HORIZON + 1)) == ["CONTINUE", "STOP"]
    controller.trials[0].status = "TERMINATED"
    assert watch.choose_trial_to_run(controller) is None
    assert controller.trials[1].status == "TERMINATED" and watch.trials.monitor.status("low") == "stopped"


def test_another_action_is_refused() -> None:
    with pytest.raises(UsageError, match="action is 'wait'; it is 'stop' or 'pause'"):
        scheduler(action="wait")


def test_a_restored_scheduler_decides_as_the_one_that_was_killed() -> None:
    """Ray unpickles scheduler and callback as they were before the sweep, then hands the callback its state."""
    watch = scheduler(keep=1)
    before = pickle.dumps((watch, watch.as_callback()))
    for name, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        train(watch, name, seg)
    train(watch, "d", 0.75, range(1, 5))
    state = json.loads(json.dumps(watch.as_callback().get_state()))
    again, callback = pickle.loads(before)
    callback.set_state(state)
    for name, seg, epochs in (("d", 0.75, range(4, 7)), ("e", 0.5, range(1, 7)), ("f", 0.9, range(1, 5))):
        assert train(watch, name, seg, epochs) == train(again, name, seg, epochs)
    assert watch.trials.monitor.log[-6:] == again.trials.monitor.log[-6:]


def test_a_scheduler_that_is_pickled_in_the_middle_goes_on() -> None:
    watch = finished()
    train(watch, "d", 0.5, range(1, 3))
    copy = pickle.loads(pickle.dumps(watch))
    assert train(copy, "d", 0.5, range(3, 7)) == train(watch, "d", 0.5, range(3, 7)) == ["STOP"]


def test_hyper_parameters_are_flat_and_plain() -> None:
    watch = scheduler()
    config = {
        "lr": 0.1,
        "model": {"width": 8, "act": "relu"},
        "data": object(),
        "sizes": [1, 2],
        "amp": True,
        "wd": None,
    }
    watch.on_trial_add(None, fake("a", config))
    (run,) = watch.trials.state_dict()["monitor"]["runs"]
    assert run["config"] == {"lr": 0.1, "model.width": 8, "model.act": "relu", "amp": True, "wd": None}


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.tune", None)
    monkeypatch.delitem(sys.modules, "lcode.hooks.ray_tune")
    with pytest.raises(MissingExtraError, match=r"pip install 'lcode\[ray\]'"):
        import_module("lcode.hooks.ray_tune")


def epochs_of(results: ResultGrid) -> dict[float, int]:
    frame = results.get_dataframe()
    return dict(zip(frame["config/seg"], frame["training_iteration"], strict=True))


@pytest.mark.usefixtures("real_ray")
def test_a_sweep_of_ray_is_interrupted_and_restored(tmp_path: Path) -> None:
    """The fourth trial, a hopeless one, fails before it can be stopped; restored, it is stopped by the first three."""
    mended = tmp_path / "mended"

    def objective(config: dict[str, Any]) -> None:
        for epoch in range(1, 7):
            if config["seg"] == 0.5 and epoch == 3 and not mended.exists():
                raise RuntimeError("the disk is full")
            tune.report({"seg": {"miou": config["seg"]}, "depth": {"abs_err": 1.5 - config["seg"]}})

    watch = scheduler()
    tuner = tune.Tuner(
        objective,
        param_space={"seg": tune.grid_search([0.6, 0.7, 0.8, 0.5])},
        tune_config=tune.TuneConfig(scheduler=watch, max_concurrent_trials=1, reuse_actors=True),
        run_config=tune.RunConfig(name="sweep", storage_path=str(tmp_path), callbacks=[watch.as_callback()], verbose=0),
    )
    first = tuner.fit()
    assert epochs_of(first) == {0.6: 6, 0.7: 6, 0.8: 6, 0.5: 2} and first.num_errors == 1
    mended.touch()
    results = tune.Tuner.restore(str(tmp_path / "sweep"), objective, restart_errored=True).fit()
    assert epochs_of(results) == {0.6: 6, 0.7: 6, 0.8: 6, 0.5: 3} and results.num_errors == 0
    second = tune.Tuner(
        objective,
        param_space={"seg": 0.5},
        tune_config=tune.TuneConfig(scheduler=watch),
        run_config=tune.RunConfig(
            name="second", storage_path=str(tmp_path), callbacks=[watch.as_callback()], verbose=0
        ),
    )
    assert epochs_of(second.fit()) == {0.5: 6}  # there is no better trial in this sweep


@pytest.mark.usefixtures("real_ray")
def test_a_trial_of_ray_is_paused_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """The better one fails while the other waits, which then is worth it after all."""
    ahead, behind = tmp_path / "ahead", tmp_path / "behind"

    def objective(config: dict[str, Any]) -> None:
        saved = tune.get_checkpoint()
        first = 1 if saved is None else json.loads((Path(saved.path) / "epoch").read_text()) + 1
        for epoch in range(first, HORIZON + 1):
            if config["seg"] == 0.9 and epoch == 5:
                raise RuntimeError("the disk is full")
            # Whichever starts first: the worse one is judged beside the better one, which has not failed yet.
            mine, others, place = (ahead, behind, 4) if config["seg"] == 0.9 else (behind, ahead, 3)
            if epoch == place:
                mine.touch()
                while not others.exists():
                    time.sleep(0.01)
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "epoch").write_text(str(epoch))
                told = {"seg": {"miou": config["seg"]}, "depth": {"abs_err": 0.5}, "first": first, "epoch": epoch}
                tune.report(told, checkpoint=tune.Checkpoint.from_directory(folder))

    watch = scheduler(action="pause", min_epochs=3, time_attr="epoch")
    results = tune.Tuner(
        objective,
        param_space={"seg": tune.grid_search([0.9, 0.5])},
        tune_config=tune.TuneConfig(scheduler=watch, max_concurrent_trials=2),
        run_config=tune.RunConfig(name="paused", storage_path=str(tmp_path), verbose=0),
    ).fit()
    frame = results.get_dataframe().set_index("config/seg")
    low = frame.loc[0.5].to_dict()
    assert results.num_errors == 1 and low["epoch"] == HORIZON and low["first"] > 1


@pytest.mark.usefixtures("real_ray")
def test_the_example_of_the_documentation_runs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "hooks-tuners.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(from ray import tune.*?)```", page, flags=re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "docs/hooks-tuners.md", "exec"), namespace)
    results, log = namespace["results"], namespace["scheduler"].trials.monitor.log
    assert len(results) == 4 and results.num_errors == 0 and len({verdict.run for verdict in log}) == 4

"""The scheduler around another one: with trials as a tuner hands them over, and with the tuner itself."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import dill
import numpy as np
import pandas as pd
import pytest
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.backend.trial_status import Trial
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular
from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend
from syne_tune.config_space import randint, uniform
from syne_tune.optimizer.baselines import RandomSearch
from syne_tune.optimizer.schedulers.asha import AsynchronousSuccessiveHalving

from lcode.errors import MissingExtraError, UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks.syne_tune import LcodeScheduler
from lcode.table import Metric, RunTable

HORIZON = 6
METRICS = {"miou": "max", "abs_err": "min"}
SPACE = {"seg": uniform(0, 1)}


def scheduler(inner: Any = None, **options: Any) -> LcodeScheduler:
    given = {"metrics": METRICS, "horizon": HORIZON, "time_attr": "epoch", "model": LastValueForecaster(), "keep": 0}
    inner = inner or RandomSearch(SPACE, metrics=["miou"], do_minimize=False, random_seed=0)
    return LcodeScheduler(inner, **{**given, **options})


def trial(number: int, seg: float = 0.0) -> Trial:
    return Trial(number, {"seg": seg}, datetime(2026, 1, 1))


def train(watch: LcodeScheduler, number: int, seg: float, epochs: range = range(1, HORIZON + 1)) -> list[str]:
    """A trial as `Tuner` leads it."""
    one, decisions = trial(number, seg), []
    watch.on_trial_add(one)
    for epoch in epochs:
        decisions.append(watch.on_trial_result(one, {"epoch": epoch, "miou": seg, "abs_err": 1.5 - seg}))
        if decisions[-1] != "CONTINUE":
            watch.on_trial_remove(one)
            break
    return decisions


def finished(**options: Any) -> LcodeScheduler:
    watch = scheduler(**options)
    for number, seg in enumerate((0.6, 0.7, 0.8)):
        assert train(watch, number, seg) == ["CONTINUE"] * (HORIZON - 1) + ["STOP"]
    return watch


def test_a_hopeless_trial_is_stopped_and_a_good_one_reaches_its_end() -> None:
    watch = finished()
    assert train(watch, 3, 0.5) == ["CONTINUE"] * 2 + ["STOP"]
    assert "P(beats trial 2 (ended at" in watch.trials.told()
    assert len(train(watch, 4, 0.9)) == HORIZON


def test_what_the_other_scheduler_decides_is_heard() -> None:
    halving = AsynchronousSuccessiveHalving(
        SPACE, metric="miou", do_minimize=False, time_attr="epoch", max_t=HORIZON, reduction_factor=3, random_seed=0
    )
    watch = scheduler(halving)
    train(watch, 0, 0.9, range(1, 3))
    assert train(watch, 1, 0.5) == ["STOP"]
    assert watch.trials.monitor.status("trial 1") == "stopped" and halving.num_stopped == 1
    suggestion = watch.suggest()
    assert suggestion is not None and suggestion.config is not None and 0 <= suggestion.config["seg"] <= 1


def test_each_metric_has_its_own_direction() -> None:
    watch = scheduler()
    assert watch.metric_names() == ["miou", "abs_err"] and watch.metric_mode() == ["max", "min"]
    assert scheduler(metrics=["miou", "abs_err"]).metric_mode() == ["max", "min"]
    said = watch.metadata()
    assert said["scheduler_name"] == "LcodeScheduler" and said["metric_mode"] == ["max", "min"]
    with pytest.raises(UsageError, match="no metric is given"):
        scheduler(metrics={})


def test_a_history_has_directions_of_its_own() -> None:
    rows = [(f"h{i}", epoch, "miou", seg) for i, seg in enumerate((0.6, 0.7, 0.8)) for epoch in range(1, HORIZON + 1)]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    history = RunTable.from_points(points, [Metric("main", "miou", "max")])
    watch = scheduler(metrics={"miou": "max"}, history=history)
    assert train(watch, 0, 0.5) == ["CONTINUE"] * 2 + ["STOP"] and "P(beats h2 (ended at 0.8))" in watch.trials.told()
    with pytest.raises(UsageError, match="miou"):
        scheduler(metrics={"miou": "min"}, history=history)
    with pytest.raises(UsageError, match="no metric 'abs_err'; there are: "):
        scheduler(history=history)


@pytest.mark.filterwarnings("ignore:3 runs have finished, all at epoch")
def test_a_trial_that_ends_by_itself_counts_and_one_that_failed_does_not() -> None:
    watch = scheduler()
    for number, seg in enumerate((0.6, 0.7, 0.8, 0.9)):
        train(watch, number, seg, range(1, 5))
        if seg < 0.9:
            watch.on_trial_complete(trial(number), {"epoch": 4, "miou": seg, "abs_err": 1.5 - seg})
        else:
            watch.on_trial_error(trial(number))
    train(watch, 4, 0.75, range(1, 4))
    assert "P(beats trial 2 (ended at" in watch.trials.told()


def test_a_trial_that_is_started_again_gives_its_first_attempt_up() -> None:
    watch = finished()
    train(watch, 3, 0.9, range(1, 5))
    assert train(watch, 3, 0.5) == ["CONTINUE"] * 2 + ["STOP"]


def test_a_loaded_scheduler_decides_as_the_one_that_was_killed() -> None:
    watch = finished(keep=1)
    train(watch, 3, 0.75, range(1, 5))
    again = dill.loads(dill.dumps(watch))
    for number, seg, epochs in ((3, 0.75, range(4, 7)), (4, 0.5, range(1, 7)), (5, 0.9, range(1, 5))):
        assert train(watch, number, seg, epochs) == train(again, number, seg, epochs)
    assert watch.trials.monitor.log[-6:] == again.trials.monitor.log[-6:]


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index is deprecated:DeprecationWarning")
def test_the_tuner_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Syne Tune's simulation of a sweep, in which all trials after the third are hopeless."""
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    ends = np.array([0.6, 0.7, 0.8, 0.5, 0.4, 0.3])
    epochs = np.arange(1, HORIZON + 1)
    space = {"per_cent": randint(10, 80), "width": randint(1, 8)}
    tried = pd.DataFrame({"per_cent": np.rint(100 * ends).astype(int), "width": 8})
    table = np.stack([*np.broadcast_arrays(ends[:, None], 1.5 - ends[:, None], 60.0 * epochs)], axis=-1)[:, None]
    box = BlackboxTabular(
        tried,
        configuration_space=space,
        fidelity_space={"epoch": randint(1, HORIZON)},
        objectives_evaluations=table,
        objectives_names=["miou", "abs_err", "elapsed"],
    )
    points = tried.to_dict("records")
    watch = scheduler(RandomSearch(space, ["miou"], do_minimize=False, random_seed=0, points_to_evaluate=points))
    tuner = Tuner(
        trial_backend=UserBlackboxBackend(box, elapsed_time_attr="elapsed"),
        scheduler=watch,
        stop_criterion=StoppingCriterion(max_num_trials_finished=5),
        n_workers=1,
        sleep_time=0,
        callbacks=[SimulatorCallback()],
        save_tuner=False,
    )
    tuner.run()
    seen = {run["name"]: len(run["values"]) for run in watch.trials.state_dict()["monitor"]["runs"]}
    assert [seen[f"trial {number}"] for number in range(5)] == [6, 6, 6, 3, 3]


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "syne_tune.optimizer.scheduler", None)
    monkeypatch.delitem(sys.modules, "lcode.hooks.syne_tune")
    with pytest.raises(MissingExtraError, match=r"pip install 'lcode\[syne-tune\]'"):
        import_module("lcode.hooks.syne_tune")

"""One run alone stops when nothing is left to gain; beside others also when they will be better."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.hooks.decision import Decision
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.shared import SharedMonitor
from lcode.readers import read_logs
from lcode.table import Direction, Metric, RunTable

WATCHED: dict[str, Direction] = {"A/acc": "max", "B/loss": "min"}
NAN = float("nan")


def values(epoch: int, *, until: int = 12, best: float = 0.8) -> dict[str, float]:
    """Accuracy that rises by equal steps until an epoch, and a loss that has fallen for half as long."""
    return {"A/acc": best * min(epoch, until) / until, "B/loss": 1 - 0.5 * min(2 * epoch, until) / until, "lr": 0.1}


def train(stopper: EarlyStopper, epochs: Iterable[int] = range(1, 31), **shape: Any) -> list[Decision]:
    decisions = []
    for epoch in epochs:
        decisions.append(stopper.update(epoch, values(epoch, **shape)))
        if decisions[-1]:
            break
    return decisions


def test_a_run_alone_stops_when_the_last_of_its_metrics_has_come_to_its_end(trend: Forecaster) -> None:
    told = train(EarlyStopper(WATCHED, 30, model=trend, min_epochs=3))
    assert [decision.kind for decision in told] == ["going on"] * 12 + ["nothing to gain"]
    last = told[-1]
    assert last.stop and last.saved_epochs == 17 and last.epoch == 13
    assert last.best == {"A/acc": (12, pytest.approx(0.8)), "B/loss": (6, 0.5)}
    assert last.forecast["A/acc"]["median"] == pytest.approx(0.8)
    assert last.reason == "P(better than its best so far, until epoch 30): A/acc 0.00, B/loss 0.08 (all < 0.1)"
    assert told[7].reason == "P(better than its best so far, until epoch 30): A/acc 1.00, B/loss 0.08 (not all < 0.1)"


def test_no_run_stops_before_min_epochs_and_a_decision_that_no_longer_holds_binds_nobody(trend: Forecaster) -> None:
    stopper = EarlyStopper({"acc": "max"}, 30, model=trend, min_epochs=6, min_delta=0.02)
    flat = [stopper.update(epoch, {"acc": 0.5}) for epoch in range(1, 6)]
    assert not any(flat)
    assert not stopper.update(6, {"acc": 0.6}) and stopper.update(7, {"acc": 0.6})


def test_what_counts_as_an_improvement_is_said_by_metric(trend: Forecaster) -> None:
    stopper = EarlyStopper({"acc": "max"}, 30, model=trend, min_epochs=3, min_delta={"acc": 0.2})
    assert [bool(stopper.update(epoch, {"acc": 0.1 * epoch})) for epoch in (1, 2, 3)] == [False, False, True]


def test_a_dry_run_says_what_it_would_do(trend: Forecaster) -> None:
    told = train(EarlyStopper(WATCHED, 30, model=trend, min_epochs=3, dry_run=True))
    assert len(told) == 30 and not any(told)
    assert told[20].kind == "nothing to gain" and told[20].saved_epochs == 0 and told[-1].kind == "finished"


@pytest.mark.parametrize("killed_after", [1, 5, 12, 13])
def test_a_training_that_goes_on_after_a_kill_decides_the_same(killed_after: int, trend: Forecaster) -> None:
    whole = train(EarlyStopper(WATCHED, 30, model=trend, min_epochs=3))
    first = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    told = train(first, range(1, killed_after + 1))
    second = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert json.dumps(second.state_dict()) == json.dumps(first.state_dict())
    if not told[-1]:
        told += train(second, range(killed_after + 1, 31))
    assert told == whole


def test_beside_finished_runs_a_hopeless_one_is_beaten(trend: Forecaster) -> None:
    monitor = Monitor(trend, keep=0, min_epochs=3, horizon=30, objective="mean")
    monitor.announce(WATCHED)
    for run, best in (("x", 0.7), ("y", 0.8), ("z", 0.9)):
        reports = [(epoch, values(epoch, best=best)) for epoch in range(1, 31)]
        monitor.recall(run, [(epoch, {name: told[name] for name in WATCHED}) for epoch, told in reports])
        monitor.finish(run)
    told = train(EarlyStopper(WATCHED, 30, run="low", sweep=monitor), best=0.2)
    assert told[-1].kind == "beaten" and told[-1].epoch < 13 and "P(beats z (ended at" in told[-1].reason


@pytest.mark.filterwarnings("ignore:'A/acc' is said to be best at its min")
def test_beside_a_history_of_more_metrics_only_the_watched_ones_count(trend: Forecaster) -> None:
    rows = [
        (run, epoch, metric, value)
        for run, best in (("x", 0.7), ("y", 0.8), ("z", 0.9))
        for epoch in range(1, 31)
        for metric, value in {**values(epoch, best=best), "C/err": 1.0}.items()
        if metric != "lr"
    ]
    metrics = (Metric("A", "acc", "max"), Metric("B", "loss", "min"), Metric("C", "err", "min"))
    history = RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), metrics)
    stopper = EarlyStopper(WATCHED, 30, history=history, model=trend, min_epochs=3)
    assert "P(beats" in train(stopper, range(1, 5))[-1].reason
    with pytest.raises(UsageError, match="'A/acc' is watched for its min, but the history says max"):
        EarlyStopper({"A/acc": "min"}, 30, history=history, model=trend).update(1, {"A/acc": 0.1})


def test_runs_of_several_processes_meet_in_a_folder(tmp_path: Path, trend: Forecaster) -> None:
    def stopper(
        run: str, min_epochs: int = 3
    ) -> EarlyStopper:  # each has a monitor of its own, as in a process of its own
        sweep = SharedMonitor(tmp_path, trend, keep=0, min_epochs=min_epochs)
        return EarlyStopper(WATCHED, 30, run=run, config={"lr": 0.1, "net": object()}, sweep=sweep)

    for run, best in (("x", 0.7), ("y", 0.8), ("z", 0.9)):
        train(stopper(run, min_epochs=30), best=best)
    assert not train(stopper("low"), [1, 2], best=0.2)[-1]
    assert train(stopper("low"), range(3, 31), best=0.2)[-1].kind == "beaten"  # taken up by another process
    table = read_logs(tmp_path)
    assert table.runs["status"].to_dict() == {"low": "stopped", "x": "finished", "y": "finished", "z": "finished"}
    assert table.configs["lr"].tolist() == [0.1] * 4 and list(table.configs) == ["lr"]


def test_a_folder_may_be_named_by_its_path(tmp_path: Path, trend: Forecaster) -> None:
    stopper = EarlyStopper(WATCHED, 30, sweep=tmp_path / "runs", model=trend, run="a")
    stopper.update(1, values(1))
    stopper.finish("failed")
    assert read_logs(tmp_path / "runs").runs["status"].to_dict() == {"a": "failed"}


def test_a_run_that_diverges_is_stopped_and_one_undefined_epoch_is_none(trend: Forecaster) -> None:
    stopper = EarlyStopper({"loss": "min"}, 30, model=trend, min_epochs=20)
    told = [stopper.update(epoch, {"loss": value}) for epoch, value in enumerate([1.0, NAN, 0.9, *[NAN] * 5], start=1)]
    assert [decision.kind for decision in told] == ["going on"] * 7 + ["diverged"]


def test_a_metric_that_is_never_reported_is_said_once(trend: Forecaster) -> None:
    stopper = EarlyStopper({"acc": "max", "val_los": "min"}, 30, model=trend, min_epochs=2)
    stopper.update(1, {"acc": 0.5, "val_loss": 0.3})
    with pytest.warns(UserWarning, match=r"val_los was never reported.*there are: acc, val_loss"):
        stopper.update(2, {"acc": 0.5, "val_loss": 0.3})
    assert not stopper.update(3, {"acc": 0.5, "val_loss": 0.3})


def test_what_never_came_in_a_short_training_is_said_at_its_end(trend: Forecaster) -> None:
    stopper = EarlyStopper({"acc": "max", "f1": "max"}, 30, model=trend)
    stopper.update(1, {"a_acc": 0.5})
    stopper.update(1, {"b_acc": 0.5, "a_acc": 0.6})
    with pytest.warns(UserWarning, match=r"acc, f1 was never reported, so nothing.*there are: a_acc, b_acc$"):
        stopper.finish()
    stopper.finish()  # once
    failed = EarlyStopper("acc", 30, model=trend)
    failed.update(1, {})
    failed.finish("failed")


def test_what_a_folder_knows_has_come_before_the_training_was_resumed(tmp_path: Path, trend: Forecaster) -> None:
    def make() -> EarlyStopper:
        return EarlyStopper({"acc": "max"}, 30, model=trend, min_epochs=2, sweep=tmp_path, config={"lr": 0.1})

    make().update(1, {"acc": 0.5})
    resumed = make()
    resumed.update(2, {"loss": 0.5})
    resumed.finish()


def test_a_run_whose_metric_never_moves_is_stopped() -> None:
    stopper = EarlyStopper({"seg/miou": "max"}, max_epochs=100)
    stopped = [epoch for epoch in range(1, 41) if stopper.update(epoch, {"seg/miou": 0.02}).stop]
    assert stopped and stopper.decision is not None and stopper.decision.best == {"seg/miou": (1, 0.02)}


def test_an_epoch_without_a_measurement_keeps_what_was_known(trend: Forecaster) -> None:
    stopper = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    assert stopper.update(1, {}).reason == "no watched metric was reported"
    known = [stopper.update(epoch, values(epoch)) for epoch in range(2, 7)][-1]
    for epoch in (7, 8):
        decision = stopper.update(epoch, {"lr": 0.1})
        assert not decision and (decision.epoch, decision.best, decision.forecast) == (
            epoch,
            known.best,
            known.forecast,
        )
        assert decision.reason == f"no watched metric was reported; at epoch 6: {known.reason}"


def test_names_whose_direction_is_known_need_none() -> None:
    assert EarlyStopper(["val_loss", "A/acc"], 9).monitor == {"val_loss": "min", "A/acc": "max"}
    assert EarlyStopper("val_loss", 9).monitor == {"val_loss": "min"}


@pytest.mark.parametrize(
    ("monitor", "options", "text"),
    [
        (["foo"], {}, r"whether larger or smaller values of 'foo' are better; say monitor=\{'foo': 'max'\}"),
        ({"foo": "up"}, {}, "direction of 'foo' is 'up'"),
        ({}, {}, "no metric is watched; name some"),
        ({"a": "max", "main/a": "max"}, {}, "under two names: a, main/a"),
        ("loss", {"confidence": 2}, "confidence is 2"),
        ("loss", {"max_epochs": 0}, "horizon is 0; it is above 0"),
        ("loss", {"sweep": "runs", "run": "r/1"}, "run name 'r/1' cannot be a file name"),
        ("loss", {"sweep": 3}, "sweep is 3 .*give a Monitor, or the folder"),
        ("loss", {"min_epochs": -1}, "min_epochs is -1; it must be a whole number, at least 0"),
        ("loss", {"min_epochs": "3"}, "min_epochs is '3'; it must be a whole number"),
        (["loss", "acc"], {"min_delta": {"acct": 0.1}}, "min_delta is of 'acct', watched are loss, acc"),
    ],
)
def test_wrong_settings_are_refused_at_once(monitor: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        EarlyStopper(monitor, **options)


def test_how_long_a_run_trains_must_be_said(trend: Forecaster) -> None:
    with pytest.raises(UsageError, match="run 'a': how long will it train"):
        EarlyStopper("loss", model=trend, run="a").update(1, {"loss": 0.3})
    with pytest.raises(UsageError, match="has a history and a model of its own"):
        EarlyStopper("loss", 9, sweep=Monitor(trend), model=trend)


def test_what_is_no_epoch_no_metrics_and_no_state_is_refused(trend: Forecaster) -> None:
    stopper: Any = EarlyStopper(WATCHED, 30, model=trend)
    with pytest.raises(UsageError, match="run 'run': epoch is None"):
        stopper.update(None, {})
    with pytest.raises(UsageError, match=r"run 'run', epoch 1: metrics is \[0.5\] \(list\); give values by metric"):
        stopper.update(1, [0.5])
    for state in (None, {}, {"seen": 3, "monitor": None}):
        with pytest.raises(UsageError, match="this is no whole state of a stopper"):
            stopper.load_state_dict(state)
    with pytest.raises(UsageError, match="monitor is None"):
        EarlyStopper(None)  # type: ignore[arg-type]


def test_a_checkpoint_that_counted_epochs_goes_on_in_steps(trend: Forecaster) -> None:
    before = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    train(before, range(1, 9))
    after = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    after.load_state_dict(json.loads(json.dumps(before.state_dict())))
    after.begin(epochs_each=8)
    told = [after.update(8 * epoch, values(epoch)) for epoch in range(9, 14)]
    alone = train(EarlyStopper(WATCHED, 30, model=trend, min_epochs=3))
    assert [decision.kind for decision in told] == [decision.kind for decision in alone[8:]]
    assert told[-1].best == {"A/acc": (96, pytest.approx(0.8)), "B/loss": (48, 0.5)}


def test_a_checkpoint_with_other_steps_per_epoch_is_counted_in_the_new_ones(trend: Forecaster) -> None:
    before = EarlyStopper(WATCHED, 5, model=trend)
    before.begin(epochs_each=100)
    for epoch in (1, 2, 3):
        before.update(100 * epoch, values(epoch))
    after = EarlyStopper(WATCHED, 5, model=trend)
    after.load_state_dict(before.state_dict())
    after.begin(epochs_each=200)
    after.update(800, values(4))
    assert [epoch for epoch, _ in after.state_dict()["monitor"]["runs"][0]["values"]] == [200, 400, 600, 800]


@pytest.mark.parametrize("run", ["a", None])
def test_the_state_of_one_run_of_a_monitor_leaves_the_others_alone(run: str | None, trend: Forecaster) -> None:
    def make(sweep: Monitor, name: str | None) -> EarlyStopper:
        return EarlyStopper(WATCHED, 30, run=name, sweep=sweep, dry_run=True)

    def reported(monitor: Monitor) -> dict[str, list[float]]:
        return {one["name"]: [epoch for epoch, _ in one["values"]] for one in monitor.state_dict()["runs"]}

    monitor, fresh = Monitor(trend), Monitor(trend)
    first = make(monitor, run)
    train(first, range(1, 4))
    state = json.loads(json.dumps(first.state_dict()))
    train(make(monitor, "b"), range(1, 6))
    for sweep, others in ((monitor, {"b": [1, 2, 3, 4, 5]}), (fresh, {"c": [1, 2]})):
        if sweep is fresh:
            train(make(sweep, "c"), range(1, 3))
        resumed = make(sweep, run)
        resumed.load_state_dict(state)
        train(resumed, range(4, 6))
        assert reported(sweep) == {first.run: [1, 2, 3, 4, 5], **others}


def test_recall_before_begin_says_what_is_missing(trend: Forecaster) -> None:
    with pytest.raises(UsageError, match=r"call begin\(\) before recall\(\)"):
        EarlyStopper(WATCHED, 30, model=trend).recall([(1, values(1))])


def test_a_stopper_that_begins_in_another_unit_forgets_what_it_counted(trend: Forecaster) -> None:
    stopper = EarlyStopper(WATCHED, 30, model=trend, min_epochs=3)
    train(stopper, range(1, 9))
    stopper.begin(epochs_each=8)
    told = [stopper.update(8 * epoch, values(epoch, until=1)) for epoch in range(1, 4)]
    assert [decision.kind for decision in told] == ["going on", "going on", "nothing to gain"]


def test_a_state_of_another_run_or_of_other_metrics_is_told_of(trend: Forecaster) -> None:
    stopper = EarlyStopper(WATCHED, 30, model=trend)
    train(stopper, range(1, 4))
    state = stopper.state_dict()
    with pytest.warns(UserWarning, match="state of run 'run', and the stopper's run is 'other': nothing of it counts"):
        EarlyStopper(WATCHED, 30, run="other").load_state_dict(state)
    with pytest.warns(UserWarning, match="a stopper of A/acc, B/loss, and watched are A/acc: B/loss counts as missing"):
        EarlyStopper({"A/acc": "max"}, 30).load_state_dict(state)

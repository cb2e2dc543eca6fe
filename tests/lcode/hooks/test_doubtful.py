"""What is told of reports and settings that are probably not meant so."""

from __future__ import annotations

import warnings

import pytest

from lcode.errors import UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.hooks.early_stopper import EarlyStopper
from lcode.hooks.shared import SharedMonitor


def monitor(**options: object) -> Monitor:
    return Monitor(LastValueForecaster(), **{"horizon": 12, "min_epochs": 2, **options})  # type: ignore[arg-type]


def test_a_first_report_far_beyond_the_horizon_is_refused() -> None:
    watch = monitor()
    for _ in range(2):
        with pytest.raises(UsageError, match=r"run 'a': epoch 500 is reported, planned were 12; count the horizon in"):
            watch.report("a", 500, {"acc": 0.5})
    with pytest.raises(UsageError, match="epoch 500 is reported"):
        EarlyStopper({"acc": "max"}, max_epochs=12).update(500, {"acc": 0.5})
    assert not watch.report("a", 500, {"acc": 0.5}, horizon=5000).stop
    assert watch.status("a") == "running"


def test_a_run_that_goes_on_beyond_the_horizon_is_told_of_once() -> None:
    watch = monitor()
    watch.report("a", 5, {"acc": 0.5})
    watch.report("a", 10, {"acc": 0.5})
    with pytest.warns(UserWarning, match="epoch 15 is reported, planned were 12: a run counts as finished there"):
        assert watch.report("a", 15, {"acc": 0.5}).reason.startswith("finished")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.report("a", 20, {"acc": 0.5})


def test_what_was_reported_elsewhere_is_taken_as_it_is() -> None:
    watch = monitor()
    watch.announce(["acc"])
    watch.recall("a", [(500, {"acc": 0.5})])
    assert watch.report("b", 1, {"acc": 0.5}).stop is False


def test_ends_that_all_come_long_before_the_horizon_are_told_of() -> None:
    watch = monitor(horizon=30)
    for number in range(3):
        for epoch in range(1, 11):
            watch.report(f"r{number}", epoch, {"acc": 0.5 + number / 10})
        if number < 2:
            watch.finish(f"r{number}")
    with pytest.warns(UserWarning, match="3 runs have finished, all at epoch 10 of 30 planned"):
        watch.finish("r2")
    various = monitor(horizon=30)
    for number in range(3):
        various.report(f"r{number}", 10 + number, {"acc": 0.5})
        various.finish(f"r{number}")


def test_a_state_with_another_direction_than_is_stated_is_refused_whole() -> None:
    saved = monitor(directions={"foo": "max"})
    saved.report("a", 1, {"foo": 0.5})
    watch = monitor(directions={"foo": "min"})
    with pytest.raises(UsageError, match="foo is said to be best at its max, and here at its min"):
        watch.load_state_dict(saved.state_dict())
    assert not watch.metrics and watch.status("a") is None
    again = monitor(directions={"foo": "max"})
    again.load_state_dict(saved.state_dict())
    assert again.status("a") == "running"


def test_a_direction_that_contradicts_its_name_is_told_of() -> None:
    with pytest.warns(UserWarning, match="'val/accuracy' is said to be best at its min"):
        watch = monitor(directions={"val/accuracy": "min"})
    watch.report("a", 1, {"val/accuracy": 0.5})
    assert watch.metrics[0].direction == "min"  # as stated
    with pytest.warns(UserWarning, match="best at its min"):
        EarlyStopper({"val_acc": "min"}, max_epochs=60)


NAN = float("nan")


@pytest.mark.parametrize("shared", [False, True])
def test_an_ended_run_that_is_announced_anew_begins_anew(shared: bool, tmp_path: object) -> None:
    watch = SharedMonitor(tmp_path, LastValueForecaster(), horizon=12) if shared else monitor()  # type: ignore[arg-type]
    watch.start("x", config={"lr": 0.1})
    for epoch, value in enumerate([0.1, 0.1, *[NAN] * 6], start=1):
        verdict = watch.report("x", epoch, {"val/acc": value})
    assert verdict.stop and "diverged" in verdict.reason
    if shared:  # whose log has its configuration
        return
    watch.start("x", config={"lr": 0.001})
    verdict = watch.report("x", 1, {"val/acc": 0.1})  # chance level, as before
    assert not verdict.stop and verdict.epoch == 1 and watch.status("x") == "running"
    assert not watch.report("x", 2, {"val/acc": 0.2}).stop


def test_a_report_that_is_told_again_changes_nothing() -> None:
    watch = monitor()
    watch.start("x", config={"lr": 0.1})
    for epoch, value in enumerate([0.1, *[NAN] * 6], start=1):
        watch.report("x", epoch, {"val/acc": value})
    watch.start("x", config={"lr": 0.1})  # as a tuner does that goes on
    assert watch.report("x", 1, {"val/acc": 0.1}).stop


def test_a_dry_run_is_only_told() -> None:
    with pytest.warns(UserWarning, match="epoch 500 is reported, planned were 12"):
        assert not monitor(dry_run=True).report("a", 500, {"acc": 0.5}).stop


def test_ends_whose_next_evaluation_would_lie_beyond_the_horizon_are_none() -> None:
    watch = monitor(horizon=45)
    for number in range(3):
        for epoch in (10, 20, 30, 40):
            watch.report(f"r{number}", epoch, {"acc": 0.5 + number / 10})
        watch.finish(f"r{number}")

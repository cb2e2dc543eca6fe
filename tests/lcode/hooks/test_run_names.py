"""Runs of a sweep that were given no name get one each; one that goes on keeps its own."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.hooks.early_stopper import EarlyStopper
from lcode.readers import read_logs

Given = tuple[int, int]


def train(stopper: EarlyStopper, *, best: float = 0.8, epochs: Given = (1, 10), lr: float | None = None) -> str:
    """Reports of these epochs, as a hook makes them; the run's name."""
    stopper.begin(10, config=None if lr is None else {"lr": lr})
    for epoch in range(epochs[0], epochs[1] + 1):
        stopper.update(epoch, {"acc": best * (1 - 0.7**epoch)})
    return stopper.run


def stopper(sweep: Path | Monitor, trend: Forecaster, run: str | None = None) -> EarlyStopper:
    model = None if isinstance(sweep, Monitor) else trend
    return EarlyStopper({"acc": "max"}, run=run, sweep=sweep, model=model, dry_run=True)


def test_each_training_without_a_name_is_a_run_of_its_own(tmp_path: Path, trend: Forecaster) -> None:
    assert [train(stopper(tmp_path, trend), best=0.5 + n / 10) for n in range(3)] == ["run", "run-2", "run-3"]
    one = stopper(tmp_path, trend)
    assert [train(one, best=0.8 + n / 10) for n in range(2)] == ["run-4", "run-5"]  # a callback for all models
    assert len(read_logs(tmp_path)) == 5


def test_copies_of_a_callback_share_the_monitor(trend: Forecaster) -> None:
    monitor = Monitor(trend, min_epochs=3, keep=0)
    given = stopper(monitor, trend)
    assert [train(copy.deepcopy(given), best=0.8 - 0.1 * n) for n in range(3)] == ["run", "run-2", "run-3"]
    assert {verdict.run for verdict in monitor.log} == {"run", "run-2", "run-3"}


def test_a_copy_is_of_another_training(tmp_path: Path, trend: Forecaster) -> None:
    given = stopper(tmp_path, trend)
    train(given, epochs=(1, 3))
    copied = copy.deepcopy(given)
    assert copied.decision is None and train(copied) == "run-2"
    assert train(given, epochs=(4, 10)) == "run"
    alone = EarlyStopper({"acc": "max"}, 10, model=trend, dry_run=True)
    train(alone, epochs=(1, 3))
    other = copy.deepcopy(alone)
    other.update(1, {"acc": 0.1})
    assert other.state_dict()["monitor"]["runs"][0]["values"] == [[1, {"acc": 0.1}]]


def test_a_training_that_goes_on_keeps_its_name(tmp_path: Path, trend: Forecaster) -> None:
    train(stopper(tmp_path, trend), epochs=(1, 4), lr=0.1)
    own = stopper(tmp_path, trend)
    train(own, epochs=(1, 4), lr=0.2)
    assert train(stopper(tmp_path, trend), epochs=(5, 10), lr=0.1) == "run"  # known by its configuration
    state = own.state_dict()
    again = stopper(tmp_path, trend)
    again.load_state_dict(state)
    assert train(again, epochs=(5, 10)) == "run-2"  # or by its state
    assert train(stopper(tmp_path, trend), epochs=(1, 10), lr=0.1) == "run-3"
    monitor = Monitor(trend)
    first, second = stopper(monitor, trend), stopper(monitor, trend)
    assert [train(first, epochs=(1, 5)), train(second, epochs=(1, 5)), train(first, epochs=(6, 10))] == [
        "run",
        "run-2",
        "run",
    ]


def test_a_run_of_which_nothing_is_known_takes_none_over(tmp_path: Path, trend: Forecaster) -> None:
    first = stopper(tmp_path, trend)
    assert train(first, epochs=(1, 3)) == "run"
    assert train(stopper(tmp_path, trend), epochs=(5, 5)) == "run-2"  # it validates every five epochs
    assert train(first, epochs=(4, 5)) == "run"
    monitor = Monitor(trend)
    for name in ("run", "run-2"):
        recalls = stopper(monitor, trend)
        recalls.begin(10)
        recalls.recall([(epoch, {"acc": 0.1 * epoch}) for epoch in (1, 2)])
        assert recalls.run == name


def test_a_run_that_would_count_in_another_unit_is_another_run(tmp_path: Path, trend: Forecaster) -> None:
    unnamed, named = stopper(tmp_path, trend), stopper(tmp_path, trend, run="a")
    for one in (unnamed, named):
        train(one)
    with pytest.raises(UsageError, match=r"run 'a' has counted epochs so far, and would count steps .* run='a-2'"):
        named.begin(80, epochs_each=8)
    unnamed.begin(80, epochs_each=8)
    unnamed.update(16, {"acc": 0.5})
    assert unnamed.run == "run-2"

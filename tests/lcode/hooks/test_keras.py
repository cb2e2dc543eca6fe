"""The callback in real trainings of Keras 3, on torch: of a network of one weight, whose metrics are made up."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.readers import read_logs
from lcode.table import Direction

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # the backend is chosen before

from lcode.hooks.keras import LcodeCallback

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

WATCHED: dict[str, Direction] = {"val_acc": "max", "val_loss": "min"}


class Script(keras.callbacks.Callback):
    """Puts made-up values into the logs: they improve up to epoch 12."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if any(name.startswith("val_") for name in logs):
            done = min((epoch + 1) / 12, 1.0)
            logs.update({"val_acc": 0.8 * done, "val_loss": 1 - 0.5 * done})


def fit(callback: LcodeCallback, *others: Any, **options: Any) -> int:
    """Train; the number of the last epoch."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.zeros((2, 1), "float32")
    settings = {"epochs": 30, "validation_data": (x, x), "verbose": 0, **options}
    return model.fit(x, x, callbacks=[*others, Script(), callback], **settings).epoch[-1] + 1


def test_training_ends_when_no_metric_improves(trend: Forecaster, caplog: pytest.LogCaptureFixture) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3)
    assert fit(callback) == 13
    decision = callback.decision
    assert decision is not None and (decision.kind, decision.saved_epochs) == ("nothing to gain", 17)
    assert decision.best["val_acc"] == (12, pytest.approx(0.8))
    assert "lcode stops run 'run' (nothing to gain): P(better" in caplog.text


def test_epochs_without_a_validation_are_none(trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=5, min_delta=0.02)
    assert fit(callback, validation_freq=4) == 16
    assert callback.decision is not None and callback.decision.best["val_acc"][0] == 12


def test_a_metric_that_never_came_is_said_at_the_end(trend: Forecaster) -> None:
    with pytest.warns(UserWarning, match="val_f1 was never reported.*there are: loss, val_loss"):
        fit(LcodeCallback({"val_f1": "max"}, model=trend), epochs=2)


def test_a_training_that_is_killed_and_goes_on_decides_as_one_that_was_not(tmp_path: Path, trend: Forecaster) -> None:
    class Killed(Exception):
        pass

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 7:
                raise Killed

    def make(name: str) -> LcodeCallback:
        return LcodeCallback(WATCHED, model=trend, min_epochs=3, sweep=tmp_path / name, run="a")

    whole, resumed = make("whole"), make("killed")
    fit(whole)
    backup = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(make("killed"), keras.callbacks.BackupAndRestore(backup), Kill())
    assert fit(resumed, keras.callbacks.BackupAndRestore(backup)) == 13
    assert resumed.decision == whole.decision
    assert read_logs(tmp_path / "killed").curve("a", "val_acc").epochs.tolist() == list(range(1, 14))


def test_a_list_of_callbacks_of_ones_own_may_have_no_parameters(trend: Forecaster) -> None:
    callback = LcodeCallback("loss", max_epochs=3, model=trend)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    steps = keras.callbacks.CallbackList([callback], model=model)
    steps.on_train_begin()
    for epoch in range(3):
        steps.on_epoch_end(epoch, {"loss": 1 / (epoch + 1)})
    assert callback.decision is not None and callback.decision.kind == "finished"
    with pytest.raises(UsageError, match="how long will it train"):
        keras.callbacks.CallbackList([LcodeCallback("loss", model=trend)], model=model).on_train_begin()


def test_fits_in_a_loop_that_each_begin_at_the_first_epoch_are_told_of_once(trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, max_epochs=10, model=trend)
    fit(callback, epochs=1)
    with pytest.warns(UserWarning, match=r"epoch 1 comes again.*such as fit\(initial_epoch=1, epochs=2\)") as told:
        fit(callback, epochs=1)
        fit(callback, epochs=1)
    assert sum("comes again" in str(one.message) for one in told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        right = LcodeCallback(WATCHED, max_epochs=3, model=trend)
        assert [fit(right, initial_epoch=epoch, epochs=epoch + 1) for epoch in range(3)] == [1, 2, 3]
        fit(right, epochs=3)  # another model

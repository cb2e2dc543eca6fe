"""LibMTL through its meter. LibMTL itself wants a CUDA device and torchvision, so its trainer's loop is played here."""

from __future__ import annotations

from typing import Any

import pytest

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks.libmtl import LibMTLStopper

TASKS: dict[str, dict[str, Any]] = {
    "seg": {"metrics": ["mIoU", "pixAcc"], "weight": [1, 1]},
    "normal": {"metrics": ["mean", "<11.25"], "weight": [0, 1]},
}


class Meter:
    """What of LibMTL's `_PerformanceMeter` the hook relies on."""

    def __init__(self) -> None:
        self.task_dict, self.has_val = TASKS, False
        self.results: dict[str, list[float]] = {}
        self.told: list[Any] = []

    def display(self, mode: str, epoch: int) -> None:
        self.told.append((mode, epoch))

    def display_best_result(self) -> None:
        self.told.append("best")

    def reinit(self) -> None:
        self.results = {task: [] for task in self.task_dict}


class Trainer:
    """Trains as LibMTL's does: train, val if there is one, and test in every epoch; metrics improve for 12 epochs."""

    def __init__(self) -> None:
        self.meter = Meter()

    def train(self, epochs: int, *, val: bool = False, fail_at: int | None = None) -> None:
        for epoch in range(epochs):
            if epoch == fail_at:
                raise RuntimeError("a bug")
            for mode in ("train", "val", "test") if val else ("train", "test"):
                self.meter.has_val |= mode == "val"
                done = min(epoch + 1, 12) / 12 - (0.0 if mode != "train" else 0.5)
                self.meter.results = {"seg": [0.4 * done, 0.7 * done], "normal": [30 - 10 * done, 0.5 * done]}
                self.meter.display(epoch=epoch, mode=mode)
                self.meter.reinit()
        self.meter.display_best_result()


@pytest.mark.parametrize("val", [False, True])
def test_the_training_is_left_after_the_epoch_with_its_best_result(val: bool, trend: Forecaster) -> None:
    trainer = Trainer()
    with LibMTLStopper(trainer, 30, model=trend, min_epochs=3, min_delta=0.05) as hook:
        trainer.train(30, val=val)
    assert hook.stopper.monitor == {
        "seg/mIoU": "max",
        "seg/pixAcc": "max",
        "normal/mean": "min",
        "normal/<11.25": "max",
    }
    assert hook.decision is not None and (hook.decision.kind, hook.decision.epoch) == ("nothing to gain", 13)
    assert hook.decision.best["normal/mean"] == (12, 20)
    assert trainer.meter.told[-2:] == [("test", 12), "best"]
    trainer.train(40)  # outside of the block nobody listens
    assert hook.decision.epoch == 13


def test_metrics_may_be_chosen(trend: Forecaster) -> None:
    trainer = Trainer()
    assert LibMTLStopper(trainer, 30, "normal/mean").stopper.monitor == {"normal/mean": "min"}
    assert LibMTLStopper(trainer, 30, ["seg/mIoU"]).stopper.monitor == {"seg/mIoU": "max"}
    with pytest.raises(UsageError, match="no metric 'seg/miou' in task_dict; there are: seg/mIoU"):
        LibMTLStopper(trainer, 30, ["seg/miou"])
    with pytest.raises(UsageError, match="is no LibMTL Trainer: its meter has no 'display'"):
        LibMTLStopper(object(), 30)


def test_a_bug_of_the_training_is_not_swallowed(trend: Forecaster) -> None:
    trainer = Trainer()
    with pytest.raises(RuntimeError, match="a bug"), LibMTLStopper(trainer, 30, model=trend) as hook:
        trainer.train(30, fail_at=2)
    assert hook.stopper.decision is not None and "display" not in vars(trainer.meter)


def test_a_training_that_is_resumed_decides_as_one_that_was_not(trend: Forecaster) -> None:
    whole, first, second = Trainer(), Trainer(), Trainer()
    with LibMTLStopper(whole, 30, model=trend, min_epochs=3, min_delta=0.05) as one:
        whole.train(30)
    with LibMTLStopper(first, 30, model=trend, min_epochs=3, min_delta=0.05) as killed:
        first.train(7)
    resumed = LibMTLStopper(second, 30, model=trend, min_epochs=3, min_delta=0.05)
    resumed.stopper.load_state_dict(killed.stopper.state_dict())
    with resumed:
        second.train(30)  # from the start: LibMTL has no checkpoints
    assert resumed.decision == one.decision

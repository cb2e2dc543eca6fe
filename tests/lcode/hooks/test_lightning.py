"""The callback in real trainings of Lightning: short ones, whose metrics are made up."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks.lightning import LcodeCallback
from lcode.readers import read_logs
from lcode.table import Direction

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers.*",
    "ignore:.*The number of training batches.*",
    "ignore:.*GPU available but not used.*",
    "ignore:.*resuming from a checkpoint that ended before the epoch ended.*",
    r"ignore:Checkpoint directory .* exists and is not empty",
    "ignore:.*LeafSpec.*:FutureWarning",
    "ignore:Be aware that when using `ckpt_path`, callbacks used to create",
)

WATCHED: dict[str, Direction] = {"A/acc": "max", "B/loss": "min"}


class Scripted(pl.LightningModule):
    """A network of one weight. After so many batches its accuracy has risen to 0.8, and its loss has fallen."""

    def __init__(self, lr: float = 0.1, bend: int = 24) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = nn.Linear(1, 1)
        self.seen = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.epochs_told: list[float] = []

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        self.seen.data += 1
        self.log("train_loss", 0.5)
        return self.layer(batch[0]).square().mean()

    def validation_step(self, batch: Any, index: int) -> None:
        done = min(float(self.seen) / self.hparams["bend"], 1.0)
        self.log("A/acc", 0.8 * done)
        self.log("B/loss", 1 - 0.5 * done)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["lr"])


def loader(batches: int = 2) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.ones(batches, 1)), batch_size=1)


def fit(callback: LcodeCallback, folder: Path, *, module: Scripted | None = None, **options: Any) -> Any:
    resume = options.pop("resume", None)
    settings = {"max_epochs": 30, "logger": False, "enable_checkpointing": False, **options}
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        callbacks=[callback, *settings.pop("callbacks", [])],
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(Scripted() if module is None else module, loader(), loader(), ckpt_path=resume)
    return trainer


def test_training_ends_when_no_metric_improves(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3)
    trainer = fit(callback, tmp_path)
    # Two batches an epoch: the curves bend at epoch 12. The sanity check was no epoch.
    assert callback.decision is not None and callback.decision.kind == "nothing to gain"
    assert trainer.current_epoch == 13 and callback.decision.saved_epochs == 17
    assert callback.decision.best["A/acc"] == (12, pytest.approx(0.8))


def test_a_metric_that_never_came_is_said_at_the_end(tmp_path: Path, trend: Forecaster) -> None:
    with pytest.warns(UserWarning, match="A/f1 was never reported.*there are: .*A/acc"):
        fit(LcodeCallback({"A/f1": "max"}, model=trend), tmp_path, max_epochs=2)


@pytest.mark.parametrize(
    ("options", "last", "end"),
    [
        ({"val_check_interval": 0.5}, 25, 60),  # validated at every step
        ({"check_val_every_n_epoch": 2}, 28, 60),  # steps as well, as in Lightning's own EarlyStopping
        ({"val_check_interval": 0.5, "max_epochs": -1, "max_steps": 50}, 25, 50),
        ({"max_epochs": -1, "max_steps": 50}, 13, 25),
    ],
    ids=str,
)
def test_where_validation_is_not_once_an_epoch_steps_are_counted(
    options: dict[str, Any], last: int, end: int, tmp_path: Path, trend: Forecaster
) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3)
    fit(callback, tmp_path, **options)
    assert callback.decision is not None and callback.decision.kind == "nothing to gain"
    assert (callback.decision.epoch, callback.decision.saved_epochs) == (last, end - last)


def test_min_epochs_of_the_trainer_are_not_ended_by_what_was_said_before(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=1, min_delta=0.02)
    module = Scripted(bend=4)  # flat from epoch 2 on
    assert fit(callback, tmp_path, module=module, min_epochs=6).current_epoch == 6
    again = LcodeCallback(WATCHED, model=trend, min_epochs=2, min_delta=0.02)
    assert fit(again, tmp_path, module=Scripted(bend=4)).current_epoch == 3


def test_a_try_of_a_few_batches_and_a_validation_on_its_own_report_nothing(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=1)
    trainer = fit(callback, tmp_path, fast_dev_run=True)
    trainer.validate(Scripted(), loader(), verbose=False)
    assert callback.decision is None


@pytest.mark.parametrize("killed_after", [7, 12])
def test_a_training_that_is_killed_and_resumed_decides_as_one_that_was_not(
    killed_after: int, tmp_path: Path, trend: Forecaster
) -> None:
    class Killed(Exception):
        pass

    class Kill(pl.Callback):
        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.current_epoch == killed_after:
                raise Killed

    def make() -> LcodeCallback:
        return LcodeCallback(WATCHED, model=trend, min_epochs=3)

    whole = make()
    fit(whole, tmp_path / "whole")
    save = pl.callbacks.ModelCheckpoint(dirpath=tmp_path, save_last=True)
    with pytest.raises(Killed):
        fit(make(), tmp_path, callbacks=[save, Kill()], enable_checkpointing=True)
    resumed = make()
    trainer = fit(resumed, tmp_path, resume=str(tmp_path / "last.ckpt"))
    assert trainer.current_epoch == 13 and resumed.decision == whole.decision


def test_a_run_of_a_shared_folder_is_logged_there(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3, run="a", sweep=tmp_path / "runs")
    fit(callback, tmp_path)
    table = read_logs(tmp_path / "runs")
    assert table.runs["status"].to_dict() == {"a": "finished"} and int(table.last_epochs["a"]) == 13
    assert table.configs.loc["a"].to_dict() == {"lr": 0.1, "bend": 24}

    class Broken(Scripted):
        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            if self.current_epoch == 2:
                raise RuntimeError("a bug")
            return super().training_step(batch, index)

    with pytest.raises(RuntimeError, match="a bug"):
        fit(LcodeCallback(WATCHED, model=trend, run="b", sweep=tmp_path / "runs"), tmp_path, module=Broken())
    assert read_logs(tmp_path / "runs").runs["status"].to_dict() == {"a": "finished", "b": "failed"}


def test_a_training_without_an_end_cannot_be_forecast(tmp_path: Path, trend: Forecaster) -> None:
    with pytest.raises(UsageError, match=r"no end to forecast; say Trainer\(max_epochs=200\)"):
        fit(LcodeCallback(WATCHED, model=trend), tmp_path, max_epochs=-1)


def test_scripts_that_know_lightning_by_its_older_name_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytorch_lightning = pytest.importorskip("pytorch_lightning")
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    monkeypatch.delitem(sys.modules, "lcode.hooks.lightning")
    callback = import_module("lcode.hooks.lightning").LcodeCallback(WATCHED)
    assert isinstance(callback, pytorch_lightning.Callback)


TWO_PROCESSES = """
import sys
sys.path.insert(0, sys.argv[2])
import multiprocessing
import lightning.pytorch as pl
from conftest import TrendForecaster
from test_lightning import Scripted, WATCHED, loader
from lcode.hooks.lightning import LcodeCallback

if __name__ == "__main__":
    callback = LcodeCallback(WATCHED, model=TrendForecaster(), min_epochs=2, min_delta=0.02, run="a", sweep=sys.argv[1])
    # A process that is forked has what took seconds to import.
    strategy = "ddp_fork" if "fork" in multiprocessing.get_all_start_methods() else "ddp_spawn"
    trainer = pl.Trainer(accelerator="cpu", devices=2, strategy=strategy, max_epochs=8, logger=False,
                         enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
                         callbacks=[callback])
    trainer.fit(Scripted(bend=3), loader(), loader())
"""


@pytest.mark.slow
def test_on_two_processes_one_decides_and_both_hear(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_PROCESSES, str(tmp_path / "runs"), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Each process has one of the two batches of an epoch, so the curves bend at epoch 3.
    table = read_logs(tmp_path / "runs")
    assert table.runs["status"].to_dict() == {"a": "finished"} and int(table.last_epochs["a"]) == 4
    assert "max_epochs=8` reached" not in done.stderr

"""The callback in real trainings of Hugging Face's `Trainer`: of a network of one weight, whose metrics are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks.huggingface import LcodeCallback
from lcode.readers import read_logs
from lcode.table import Direction

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*", "ignore:.*pin_memory.*")

WATCHED: dict[str, Direction] = {"A_acc": "max", "eval_B_loss": "min"}


class Scripted(nn.Module):
    """Its accuracy rises to 0.8 in 24 optimiser steps, and stays."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.seen = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.training:
            self.seen.data += 1
        return {"loss": (self.weight - 1) ** 2, "logits": self.seen.expand(len(x))}


def measured(predictions: Any) -> dict[str, float]:
    done = min(float(predictions.predictions[0]) / 24, 1.0)
    return {"A_acc": 0.8 * done, "B_loss": 1 - 0.5 * done}


ROWS = [{"x": 0.0, "labels": 0.0} for _ in range(4)]  # two batches


class Killed(Exception):
    pass


def train(
    callback: LcodeCallback, folder: Path, *, kill_at: int | None = None, resume: bool = False, **options: Any
) -> Any:
    class Kill(transformers.TrainerCallback):
        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == kill_at:
                raise Killed

    rows = options.pop("eval_dataset", ROWS)
    settings = {"eval_strategy": "epoch", "num_train_epochs": 30, "save_strategy": "no", **options}
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_strategy="no",
        **settings,
    )
    trainer = transformers.Trainer(
        model=Scripted(),
        args=arguments,
        train_dataset=ROWS,
        eval_dataset=rows,
        compute_metrics=measured,
        callbacks=[callback, Kill()],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=resume or None)
    return trainer


def test_training_ends_when_no_metric_improves(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3, run="a", sweep=tmp_path / "runs")
    trainer = train(callback, tmp_path)
    decision = callback.decision
    assert decision is not None and (decision.kind, decision.epoch, decision.saved_epochs) == (
        "nothing to gain",
        13,
        17,
    )
    assert decision.best == {"A_acc": (12, pytest.approx(0.8)), "eval_B_loss": (12, 0.5)}
    trainer.evaluate()  # afterwards, which is no report
    table = read_logs(tmp_path / "runs")
    assert table.runs["status"].to_dict() == {"a": "finished"} and int(table.last_epochs["a"]) == 13
    assert table.configs.loc["a", "per_device_train_batch_size"] == 2


def test_where_it_is_evaluated_by_steps_steps_are_counted(tmp_path: Path, trend: Forecaster) -> None:
    callback = LcodeCallback(WATCHED, model=trend, min_epochs=3)
    train(callback, tmp_path, eval_strategy="steps", eval_steps=3, eval_on_start=True)
    decision = callback.decision
    assert decision is not None and (decision.kind, decision.epoch, decision.saved_epochs) == (
        "nothing to gain",
        27,
        33,
    )


@pytest.mark.parametrize("killed_at", [4, 16])
def test_a_training_that_is_killed_and_resumed_decides_as_one_that_was_not(
    killed_at: int, tmp_path: Path, trend: Forecaster
) -> None:
    def make() -> LcodeCallback:
        return LcodeCallback(WATCHED, model=trend, min_epochs=3)

    whole, resumed = make(), make()
    train(whole, tmp_path / "whole")
    with pytest.raises(Killed):
        train(make(), tmp_path, kill_at=killed_at, save_strategy="epoch")
    assert (tmp_path / f"checkpoint-{killed_at}").is_dir()
    train(resumed, tmp_path, resume=True)
    assert resumed.decision == whole.decision


def test_metrics_of_several_evaluation_sets_that_bear_other_names_are_said(tmp_path: Path, trend: Forecaster) -> None:
    with pytest.warns(UserWarning, match="A_acc, eval_B_loss was never reported.*there are: a_.*b_A_acc"):
        train(LcodeCallback(WATCHED, model=trend), tmp_path, num_train_epochs=2, eval_dataset={"a": ROWS, "b": ROWS})


def test_a_training_that_never_evaluates_cannot_be_forecast(tmp_path: Path, trend: Forecaster) -> None:
    with pytest.raises(UsageError, match=r'never evaluates; say TrainingArguments\(eval_strategy="epoch"\)'):
        train(LcodeCallback(WATCHED, model=trend), tmp_path, eval_strategy="no")


def test_the_trials_of_a_search_are_runs_of_one_sweep(tmp_path: Path, trend: Forecaster) -> None:
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), num_train_epochs=3, eval_strategy="epoch", save_strategy="no", report_to=[],
        use_cpu=True, disable_tqdm=True, logging_strategy="no", per_device_train_batch_size=2,
    )  # fmt: skip
    network: Any = Scripted
    trainer = transformers.Trainer(
        model_init=network,
        args=arguments,
        train_dataset=ROWS,
        eval_dataset=ROWS,
        compute_metrics=measured,
        callbacks=[LcodeCallback(WATCHED, sweep=tmp_path / "runs", model=trend)],
    )
    options: dict[str, Any] = {"backend": "optuna", "direction": "maximize", "n_trials": 2}

    def space(trial: Any) -> dict[str, float]:
        return {"learning_rate": trial.suggest_float("learning_rate", 0.1 / (trial.number + 1), 1)}

    trainer.hyperparameter_search(hp_space=space, **options)
    trainer.hyperparameter_search(hp_space=space, hp_name=lambda trial: f"trial{trial.number}", **options)
    table = read_logs(tmp_path / "runs")
    assert sorted(table.run_ids) == ["run", "run-2", "trial0", "trial1"]
    assert table.configs["learning_rate"].nunique() == 4

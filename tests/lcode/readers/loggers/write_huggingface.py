"""Writes the fixtures of Hugging Face: `pip install transformers accelerate`, `python write_huggingface.py FOLDER`.

Of what the Trainer saves only the states are wanted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments


class Net(torch.nn.Module):
    """What is trained does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        output = self.linear(x)
        return {"loss": (output - labels).pow(2).mean(), "logits": output}


class Formulas(Trainer):
    """Measures formulas."""

    control: Any

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        metrics = {"eval_seg_f1": self.state.global_step / 16, "eval_depth_loss": 1 / self.state.global_step}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class Stop(TrainerCallback):
    """Ends the training after an epoch."""

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop = state.epoch >= 2


def main(folder: Path) -> None:
    data = [{"x": torch.ones(2), "labels": torch.ones(1)} for _ in range(12)]
    for name, strategy in (("epochs", "epoch"), ("steps", "steps"), ("stopped", "epoch")):
        arguments = TrainingArguments(
            output_dir=str(folder / name),
            num_train_epochs=3,
            per_device_train_batch_size=4,
            eval_strategy=strategy,
            eval_steps=2,
            save_strategy="epoch",
            logging_steps=2,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        stops: list[TrainerCallback] = [Stop()] if name == "stopped" else []
        trainer = Formulas(model=Net(), args=arguments, train_dataset=data, eval_dataset=data, callbacks=stops)
        trainer.train()
        if name != "steps":
            trainer.save_state()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

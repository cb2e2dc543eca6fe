"""Wrote the folders beside it, with MMEngine 0.10: `python write.py FOLDER [RUNS] [EPOCHS]`."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config  # type: ignore[import-not-found]
from mmengine.evaluator import BaseMetric  # type: ignore[import-not-found]
from mmengine.model import BaseModel  # type: ignore[import-not-found]
from mmengine.registry import DATASETS, METRICS, MODELS  # type: ignore[import-not-found]
from mmengine.runner import Runner  # type: ignore[import-not-found]

BATCHES = 6

os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # MMEngine 0.10 resumes from its own checkpoints only so


@MODELS.register_module()
class Simulated(BaseModel):
    """A network of one weight whose losses are a formula of its steps."""

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.best = 0.9 - 0.05 * abs(math.log10(lr) + 2.5)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, inputs: torch.Tensor, mode: str = "tensor") -> Any:
        """Losses in training, what is left of the error otherwise."""
        self.steps += mode == "loss"
        left = math.exp(-float(self.steps) / BATCHES / 6)
        if mode == "loss":
            return {"loss_seg": self.weight.sum() * 0 + left, "loss_depth": self.weight.sum() * 0 + 2 * left}
        return [(self.best - 0.6 * left, 1 - self.best + 0.9 * left)]


@METRICS.register_module()
class Scores(BaseMetric):
    """The two tasks' scores."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        """Keep what the network says."""
        self.results += data_samples

    def compute_metrics(self, results: list[tuple[float, float]]) -> dict[str, Any]:
        """The last of it, for the task that the prefix names."""
        miou, error = results[-1]
        return {"mIoU": miou, "per_class": [miou, miou]} if self.prefix == "seg" else {"abs_err": error}


@DATASETS.register_module()
class Batches(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """That many samples."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"inputs": torch.ones(1)}


def loader(number: int) -> dict[str, Any]:
    """Configuration of the loader of that many batches."""
    return {"batch_size": 1, "dataset": {"type": "Batches", "number": number}, "sampler": {"type": "DefaultSampler"}}


def write(folder: Path, runs: int, epochs: int) -> None:
    """Runs that count epochs, the second of them resumed, and one that counts iterations."""
    for run in range(runs + 1):
        lr = 10 ** (-4 + 3 * (run % runs) / (runs - 1))
        by_epoch = run < runs
        last = epochs if by_epoch else epochs * BATCHES
        for upto in (last // 2, last) if run == 1 else (last,):
            limit = (
                {"max_epochs": upto, "val_interval": 1} if by_epoch else {"max_iters": upto, "val_interval": BATCHES}
            )
            torch.manual_seed(run)
            time.sleep(1)  # a folder is named by its second
            config = {
                "model": {"type": "Simulated", "lr": lr},
                "work_dir": str(folder / ("epochs" if by_epoch else "iterations") / f"lr_{lr:.2g}"),
                "experiment_name": f"upto{upto}_{run}",
                "train_dataloader": loader(BATCHES),
                "train_cfg": {"by_epoch": by_epoch, **limit},
                "optim_wrapper": {"optimizer": {"type": "SGD", "lr": lr, "momentum": 0.9}},
                "val_dataloader": loader(1),
                "val_cfg": {},
                "val_evaluator": [{"type": "Scores", "prefix": task} for task in ("seg", "depth")],
                "default_hooks": {
                    "logger": {"type": "LoggerHook", "interval": 3, "log_metric_by_epoch": by_epoch},
                    "checkpoint": {"type": "CheckpointHook", "interval": upto, "by_epoch": by_epoch},
                },
                "log_processor": {"by_epoch": by_epoch},
                "visualizer": {"type": "Visualizer", "vis_backends": [{"type": "LocalVisBackend"}]},
                "resume": upto == last and run == 1,
                "log_level": "ERROR",
            }
            Runner.from_cfg(Config(config)).train()
    for left_over in [*folder.rglob("*.pth"), *folder.rglob("last_checkpoint"), *folder.rglob("*.log")]:
        left_over.unlink()
    for copy in folder.glob("*s/lr_*/*.py"):
        copy.unlink()


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    for old in Path(out).glob("*s/lr_*"):
        shutil.rmtree(old)
    write(Path(out), *(int(size) for size in sizes or (2, 4)))
    if not sizes:
        for config in Path(out).glob("*/lr_*/*/vis_data/config.py"):
            config.rename(config.with_suffix(".txt"))  # under its own name it would be linted here

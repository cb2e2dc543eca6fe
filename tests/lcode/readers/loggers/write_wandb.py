"""Writes the fixtures of W&B offline with the real library: `pip install wandb`, `python write_wandb.py FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import wandb

EPOCHS = 4


def main(folder: Path) -> None:
    for run in range(2):
        config = {"lr": 0.1 / (run + 1), "model": {"width": 32, "act": "relu"}, "layers": [64, 64]}
        settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True, console="off")
        logged = wandb.init(project="mtl", dir=str(folder), name=f"sweep-{run:02d}", config=config, settings=settings)
        logged.define_metric("epoch")
        logged.define_metric("val/*", step_metric="epoch")
        logged.define_metric("val/acc/seg", step_metric="epoch", summary="max")
        for epoch in range(EPOCHS):
            loss = 1 / (epoch + 1) + run
            logged.log(
                {
                    "epoch": epoch,
                    "val/loss/seg": loss,
                    "val/loss/depth": float("nan") if epoch == 2 else float("inf") if epoch == 3 else loss / 2,
                    "val/acc/seg": 1 - loss / 4,
                    "nested": {"grad": {"norm": epoch}},
                    "weights": wandb.Histogram([1.0, 2.0, 2.5]),
                }
            )
        logged.config.update({"late": True})
        logged.finish(exit_code=run)


if __name__ == "__main__":
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_ERROR_REPORTING="false")
    main(Path(sys.argv[1]))

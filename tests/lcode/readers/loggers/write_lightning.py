"""Writes the fixtures of Lightning with the library: `pip install lightning`, `python write_lightning.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset


class Module(lightning.LightningModule):
    """Logs formulas; what it trains is nothing."""

    def __init__(self, lr: float, act: type, max_epochs: int, data: Path) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(2, 1)

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        self.log("train/loss", 1 / (self.current_epoch + 1), on_step=True, on_epoch=True)
        return self.net(batch[0]).pow(2).mean()

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("val/seg_loss", 2 / (self.current_epoch + 1))
        self.log("val/depth_acc", float("nan") if self.current_epoch == 1 else self.current_epoch / 4)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["lr"])


def main(folder: Path) -> None:
    batches = DataLoader(TensorDataset(torch.zeros(8, 2)), batch_size=4)
    for run in range(2):
        trainer = lightning.Trainer(
            max_epochs=4 - run,
            logger=CSVLogger(folder),
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            log_every_n_steps=2,
            accelerator="cpu",
            num_sanity_val_steps=0,
        )
        trainer.fit(Module(0.1 / (run + 1), torch.nn.ReLU, 4, Path("data")), batches, batches)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

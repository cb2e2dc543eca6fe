"""Wrote the logs beside it, with LibMTL 1.1.5: `python write.py FOLDER [RUNS] [EPOCHS]`."""

from __future__ import annotations

import math
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import MagicMock

import torch

# LibMTL imports it for networks that are not used here.
sys.modules |= {name: MagicMock() for name in ("torchvision", "torchvision.models", "torchvision.models.utils")}

from LibMTL._record import _PerformanceMeter  # type: ignore[import-not-found]  # noqa: E402
from LibMTL.loss import AbsLoss  # type: ignore[import-not-found]  # noqa: E402
from LibMTL.metrics import AbsMetric  # type: ignore[import-not-found]  # noqa: E402
from LibMTL.utils import count_parameters  # type: ignore[import-not-found]  # noqa: E402

METRICS = {"segmentation": ["mIoU", "pixAcc"], "surface_normal": ["mean", "<11.25"], "depth": ["abs_err"]}
WEIGHTS = {"segmentation": [1, 1], "surface_normal": [0, 1], "depth": [0]}


class Loss(AbsLoss):
    """A loss by formula."""

    def compute_loss(self, pred: torch.Tensor, gt: torch.Tensor) -> torch.Tensor:
        """What is predicted is the loss."""
        return pred.mean()


class Metric(AbsMetric):
    """Metrics by formula."""

    def __init__(self, ways: list[int]) -> None:
        super().__init__()
        self.ways = ways

    def update_fun(self, pred: torch.Tensor, gt: torch.Tensor) -> None:
        """Keep what is left of the error."""
        self.record.append(float(pred))

    def score_fun(self) -> list[float]:
        """Better by what is gone of it."""
        left = self.record[-1]
        return [0.8 - 0.6 * left if way else 0.2 + 0.9 * left * (1 + i) for i, way in enumerate(self.ways)]


def train(run: int, epochs: int, has_val: bool) -> None:
    """A training that prints as LibMTL's trainer does."""
    count_parameters(torch.nn.Linear(100, 10))
    tasks = {
        task: {"metrics": names, "metrics_fn": Metric(WEIGHTS[task]), "loss_fn": Loss(), "weight": WEIGHTS[task]}
        for task, names in METRICS.items()
    }
    meter = _PerformanceMeter(tasks, multi_input=False)
    meter.has_val = has_val
    for epoch in range(epochs):
        for mode in ("train", "val", "test") if meter.has_val else ("train", "test"):
            meter.record_time("begin")
            left = math.exp(-epoch / (4 + run % 5)) * (1 + 0.04 * math.sin(5 * run + 3 * epoch)) + 0.02 * (
                mode != "train"
            )
            if run == 1 and epoch == 2:
                left = math.nan
            pred = {task: torch.tensor([left]) for task in METRICS}
            for task in METRICS:
                meter.losses[task]._update_loss(pred[task], pred[task])
            meter.update(pred, pred)
            meter.record_time("end")
            meter.get_score()
            meter.display(epoch=epoch, mode=mode)
            meter.reinit()
    meter.display_best_result()


def write(folder: Path, runs: int, epochs: int) -> None:
    """A file per run, as of `python main.py > NAME.log`: with a validation set, and one without."""
    for run in range(runs + 1):
        path = folder / ("validated" if run < runs else "tested") / f"{('EW', 'PCGrad', 'MGDA')[run % 3]}_{run}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file, redirect_stdout(file):
            train(run, epochs, has_val=run < runs)


if __name__ == "__main__":
    out, *sizes = sys.argv[1:]
    write(Path(out), *(int(size) for size in sizes or (2, 4)))

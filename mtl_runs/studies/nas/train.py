"""Trains cells on small digits, a stack of them at a time, and writes the log of each when its stack is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lcode.table import Metric
from lcode.table.runlog import RunHeader, RunLogWriter
from lcode.threads import limited_threads
from mtl_runs.problems.digits import digit_pictures
from mtl_runs.studies.nas.network import CellNetworks
from mtl_runs.studies.nas.space import EDGES, Cell, code, graph_of

TRAINING = 1000
"""Pictures that are trained on; the other 797 are the validation split."""

NOISE = 0.4
"""Deviation of the noise of a pixel, whose ink is 0 to 1: drawn anew for every batch, and once for validation. Digits
alone are too easy for cells to differ."""

BATCH, RATE, EPOCHS = 50, 0.01, 30
"""Adam under a cosine: samples of a step, first learning rate, epochs."""

STACK = 50
"""Cells that are trained as one: the states of so many stay in the cache."""

METRICS = (Metric("digit", "loss", "min"), Metric("digit", "err", "min"))
"""Cross-entropy in nats, and share of wrong answers, on the validation split. Ranks are by the first, which two cells
hardly share, where 797 pictures leave many with the same error."""


@dataclass(frozen=True)
class Digits:
    """Pictures of both splits.

    Attributes:
        train: without noise, [TRAINING, 8, 8].
        train_classes: [TRAINING].
        validation: with noise, [V, 8, 8].
        validation_classes: [V].
    """

    train: Tensor
    train_classes: Tensor
    validation: Tensor
    validation_classes: Tensor

    @classmethod
    def load(cls, seed: int = 0) -> Digits:
        """Divide scikit-learn's digits at random, and draw the noise of the validation split."""
        generator = np.random.default_rng(seed)
        pictures, classes = digit_pictures()
        order = generator.permutation(len(pictures))
        noisy = pictures + generator.normal(0, NOISE, pictures.shape)
        train, validation = order[:TRAINING], order[TRAINING:]

        def scaled(of: np.ndarray) -> Tensor:
            return torch.from_numpy((2 * of - 0.6).astype(np.float32))  # mean about 0, deviation about 1

        labels = torch.from_numpy(classes)
        return cls(scaled(pictures[train]), labels[train], scaled(noisy[validation]), labels[validation])


def run_name(cell: Cell, seed: int) -> str:
    """Of the training of a cell with a seed."""
    return f"cell-{code(cell)}-s{seed}"


def header(cell: Cell, seed: int, epochs: int = EPOCHS) -> RunHeader:
    """What the log of a training begins with: the cell is in it as a graph, and edge by edge as configuration."""
    return RunHeader(
        run_name(cell, seed),
        horizon=epochs,
        metrics=METRICS,
        config={f"edge{source}{target}": op for op, (source, target) in zip(cell, EDGES, strict=True)},
        problem="digit-cells",
        seed=seed,
        arch=code(cell),
        graph=graph_of(cell),
        schedule=rates(epochs),
    )


def rates(epochs: int) -> list[float]:
    """Learning rate of each epoch."""
    return [RATE * 0.5 * (1 + cos(pi * epoch / epochs)) for epoch in range(epochs)]


def train_cells(
    folder: Path,
    cells: Sequence[Cell],
    seed: int,
    *,
    epochs: int = EPOCHS,
    listener: Callable[[int, int, float], None] = lambda done, of, seconds: None,
) -> None:
    """Train the cells that have no finished log in a folder.

    Args:
        folder: of the logs.
        cells: of the networks; the first weights of a cell depend on it and the seed alone.
        seed: of the weights, of the order of samples and of the noise; the pictures are always divided in one way.
        epochs: of each.
        listener: told how many cells there are now, of how many, and the seconds of the last stack.
    """
    digits = Digits.load()
    done = 0
    for begin in range(0, len(cells), STACK):
        stack = cells[begin : begin + STACK]
        if not all(_is_finished(folder, header(cell, seed, epochs)) for cell in stack):
            began = time.perf_counter()
            with limited_threads(1):
                curves = _train(digits, stack, seed, epochs)
            seconds = time.perf_counter() - began
            for cell, values in zip(stack, curves, strict=True):
                _write(folder, header(cell, seed, epochs), values, seconds / len(stack) / epochs)
            listener(done + len(stack), len(cells), seconds)
        done += len(stack)


def _is_finished(folder: Path, of: RunHeader) -> bool:
    path = folder / f"{of.run}.jsonl"
    if not path.exists():
        return False
    with RunLogWriter(folder, of) as log:
        return log.status == "finished"


def _write(folder: Path, of: RunHeader, values: np.ndarray, seconds: float) -> None:
    """A whole log, from [epochs, 3] losses, errors and losses in training."""
    with RunLogWriter(folder, of) as log:
        log.rewind(0)
        for epoch, (loss, err, train_loss) in enumerate(values.tolist(), start=1):
            log.epoch(
                epoch,
                {"digit/loss": loss, "digit/err": err},
                signals={"digit/train_loss": train_loss},
                lr=rates(of.horizon)[epoch - 1],
                seconds=seconds,
            )
        log.end("finished")


def _train(digits: Digits, cells: Sequence[Cell], seed: int, epochs: int) -> np.ndarray:
    """Losses, errors and losses in training after each epoch, [cells, epochs, 3]."""
    network = CellNetworks(cells, [1_000_000 * seed + int(code(cell)) for cell in cells])
    optimizer = torch.optim.Adam(network.parameters())
    generator = torch.Generator().manual_seed(seed)
    curves = []
    for rate in rates(epochs):
        for group in optimizer.param_groups:
            group["lr"] = rate
        total = torch.zeros(len(cells))
        for batch in torch.randperm(TRAINING, generator=generator).split(BATCH):
            pictures = digits.train[batch]
            noise = 2 * NOISE * torch.randn(pictures.shape, generator=generator)
            losses = _losses(network(pictures + noise), digits.train_classes[batch])
            optimizer.zero_grad()
            losses.sum().backward()  # of one member each: nobody sees another's gradient
            optimizer.step()
            total += losses.detach()
        with torch.no_grad():
            logits = network(digits.validation)
            wrong = (logits.argmax(-1) != digits.validation_classes).float().mean(-1)
            measured = _losses(logits, digits.validation_classes), wrong, total * BATCH / TRAINING
            curves.append(torch.stack(measured, -1))
    return torch.stack(curves, 1).double().numpy()


def _losses(logits: Tensor, classes: Tensor) -> Tensor:
    """Mean cross-entropy of each member, [R], of logits [R, B, CLASSES]."""
    members, n = logits.shape[:2]
    return cross_entropy(logits.flatten(0, 1), classes.repeat(members), reduction="none").view(members, n).mean(-1)

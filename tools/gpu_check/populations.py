"""Populations of 8 to 512 runs trained as one, beside the same runs one by one; the numbers beside the CPU's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_runs.problems import Problem, make_problem
from mtl_runs.problems.scenes import scenes
from mtl_runs.training.config import RunSpec
from mtl_runs.training.loop import train_population
from mtl_runs.training.throughput import MIXES, members
from tools.gpu_check.clock import Clock

Row = dict[str, Any]

ALONE = 4
"""Runs that are trained one by one; the time of more is in proportion."""

EPOCHS = 3


def populations(clock: Clock, *, small: bool) -> Iterator[Row]:
    """Run-epochs per second, together and one by one."""
    problem = make_problem("digits")
    for mix in ("equal", "eight of gradients"):
        for size in (8,) if small else (8, 32, 128, 512):
            if clock.left < 0:
                return
            specs = members("digits", MIXES[mix], size, arch="mlp-64x2", batch_size=128, epochs=1 if small else EPOCHS)
            some = specs[:: max(size // ALONE, 1)][:ALONE]
            _train(problem, some[:1], clock.device)  # the first calls allocate
            alone = sum(clock.seconds(_train, problem, [spec], clock.device) for spec in some)
            together = clock.seconds(_train, problem, specs, clock.device)
            per_epoch = specs[0].horizon
            yield {
                "part": "population",
                "what": f"digits, {mix}, {size} runs",
                "run-epochs per s": round(size * per_epoch / together, 1),
                "alone": round(len(some) * per_epoch / alone, 1),
                "times": round(alone / len(some) * size / together, 2),
            }


def dense(clock: Clock, *, small: bool) -> Iterator[Row]:
    """Scenes of 128 × 128 pixels with three dense tasks: pictures per second, and memory."""
    side, count = (32, 32) if small else (128, 128)
    problem = scenes(sizes=(count, 16, 16), side=side)
    for arch in ("cnn-16x2",) if small else ("resnet-32x3", "mtan-32x3"):
        for size in (1,) if small else (1, 8):
            if clock.left < 0:
                return
            specs = members("scenes", ("fairgrad",), size, arch=arch, batch_size=16, epochs=1)
            _train(problem, specs[:1], clock.device)
            seconds = clock.seconds(_train, problem, specs, clock.device)
            yield {
                "part": "scenes",
                "what": f"{side} x {side}, 3 dense tasks, {arch}, {size} runs",
                "pictures per s": round(size * count / seconds, 1),
                "MB": clock.megabytes(_train, problem, specs, clock.device),
            }


def agreement(clock: Clock, *, small: bool) -> Iterator[Row]:
    """How far the validation metrics of the same runs differ from the CPU's after two epochs, as a share of them."""
    problem = make_problem("digits")
    specs = members("digits", MIXES["eight of gradients"], 8, arch="mlp-64x2", batch_size=128, epochs=1 if small else 2)
    values = [_train(problem, specs, device) for device in ("cpu", clock.device)]
    apart = np.abs(values[1] - values[0]) / np.maximum(np.abs(values[0]), 1e-6)
    yield {
        "part": "agreement",
        "what": "metrics of 8 runs, balancers of gradients, beside the CPU",
        "median share apart": float(f"{np.median(apart):.1e}"),
        "largest": float(f"{apart.max():.1e}"),
    }


def _train(problem: Problem, specs: Sequence[RunSpec], device: str) -> np.ndarray:
    """Train, and give the last epoch's metrics of all runs."""
    last: dict[str, list[float]] = {}

    def keep(reports: Any) -> list[None]:
        last.update({report.run: [*report.values.values()] for report in reports})
        return [None] * len(reports)

    with tempfile.TemporaryDirectory() as folder:
        train_population(problem, specs, folder=Path(folder), on_epochs=keep, device=device, checkpoint_every=1000)
    return np.array([last[spec.run] for spec in specs])

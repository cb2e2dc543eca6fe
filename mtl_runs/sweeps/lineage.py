"""Where the network of a member of a population came from, and the loss weights that it was trained with on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcode.table import split_key
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.training import RunSpec


@dataclass(frozen=True)
class Stretch:
    """Epochs that a network was trained under one run's name, between two copies.

    Attributes:
        first: its first epoch.
        last: its last epoch.
        run: the run whose log has them.
        weights: loss weight by task.
    """

    first: int
    last: int
    run: str
    weights: Mapping[str, float]


def loss_weights(line: Mapping[str, Any]) -> dict[str, float]:
    """The loss weights that a member was trained with in an epoch, by task, from that line of its log."""
    keys = {key: split_key(key) for key in line["signals"]}
    return {task: line["signals"][key] for key, (task, name) in keys.items() if name == "loss_weight"}


def weight_schedule(folder: Path, specs: Sequence[RunSpec], run: str) -> list[Stretch]:
    """The history of the network that a member has at the end of its log, from epoch 1 on.

    Args:
        folder: folder of the logs.
        specs: all members by their numbers.
        run: which of them.
    """
    lines = epoch_lines(folder, run)
    stretches: list[Stretch] = []
    end = max(lines, default=0)
    while end > 0:
        signals = lines[end]["signals"]
        copied_at = int(signals["main/copied_at"])
        stretches.append(Stretch(copied_at + 1, end, run, loss_weights(lines[end])))
        run, end = specs[int(signals["main/parent"])].run, copied_at
        lines = epoch_lines(folder, run)
    return stretches[::-1]


def schedule_text(schedule: Sequence[Stretch]) -> str:
    """A line per stretch: its epochs, its weights, and the run that had them."""
    return "\n".join(
        f"  epochs {stretch.first}-{stretch.last}: "
        + "  ".join(f"{task} {weight:.3g}" for task, weight in stretch.weights.items())
        + f"  ({stretch.run})"
        for stretch in schedule
    )

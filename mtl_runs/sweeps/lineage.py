"""Where the network of a member of a population came from, and the loss weights that it was trained with on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        weights = {split_key(key)[0]: w for key, w in signals.items() if split_key(key)[1] == "loss_weight"}
        copied_at = int(signals["main/copied_at"])
        stretches.append(Stretch(copied_at + 1, end, run, weights))
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

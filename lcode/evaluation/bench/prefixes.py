"""How much of a test run is seen: a number of epochs, a share of the horizon, or up to a random epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lcode.errors import UsageError
from lcode.table import RunTable

RANDOM = "random"
"""Label: each run is seen up to an epoch of its own, as in a sweep that was interrupted."""


@dataclass(frozen=True)
class Prefix:
    """The first epochs of each run.

    Attributes:
        label: `5e` for five epochs, `0.2` for a fifth of the horizon, `random` for an epoch of its own for each run,
            all before the horizon alike: the missing ends of LKGP's protocol (Lin et al. 2025).
    """

    label: str

    def __post_init__(self) -> None:
        if self.label == RANDOM:
            return
        amount = _number(self.label.removesuffix("e"))
        if not (amount >= 1 and amount.is_integer() if self.by_epochs else 0 < amount < 1):
            raise UsageError(
                f"no prefix '{self.label}'; write a number of epochs as 5e, or a share of the horizon between 0 and 1, "
                "or random"
            )

    @property
    def by_epochs(self) -> bool:
        """Whether it is a number of epochs."""
        return self.label.endswith("e")

    @property
    def amount(self) -> float:
        """Epochs, or share of the horizon."""
        return float(self.label.removesuffix("e"))

    def cutoffs(self, table: RunTable) -> dict[str, int]:
        """Last epoch that is seen of each run, in ticks; runs may count their epochs from 0 or from 1."""
        if self.label == RANDOM:
            names = sorted(table.run_ids)
            shares = np.random.default_rng(0).random(len(names)).tolist()
            return {run: int(share * int(table.runs["horizon"][run])) for run, share in zip(names, shares, strict=True)}
        if not self.by_epochs:
            horizons = zip(table.run_ids, table.runs["horizon"], strict=True)
            return {run: round(self.amount * int(horizon)) for run, horizon in horizons}
        from_zero = table.points.groupby("run", observed=True)["epoch"].min() == 0
        seen = round(self.amount / table.epoch_unit)
        return {run: seen - int(from_zero[run]) for run in table.run_ids}


def usable(prefixes: Sequence[Prefix], table: RunTable) -> tuple[list[Prefix], list[str]]:
    """The prefixes that leave at least half of the runs something to forecast, each cut once; and why others fell out.

    Args:
        prefixes: in the order of preference.
        table: whole runs.
    """
    last = float(np.median(table.last_epochs)) if len(table) else 0.0
    kept: dict[tuple[int, ...], Prefix] = {}
    notes = []
    for prefix in prefixes:
        cut = tuple(prefix.cutoffs(table).values())
        if np.median(cut) >= last:
            notes.append(f"prefix {prefix.label} left out: the runs end at epoch {last * table.epoch_unit:g}")
        elif cut in kept:
            notes.append(f"prefix {prefix.label} left out: here it is the same as {kept[cut].label}")
        else:
            kept[cut] = prefix
    return list(kept.values()), notes


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

"""What every part of a forecast must be able to do, and what it may know of the runs that it forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.batch import GraphTensors, RunTensors
from lcode.curves.prefix import Known

Array = NDArray[np.float64]

Forecasts = Mapping[str, Array]
"""Forecasts by the base models that come before one, by name; each as that model returned it.

The last query is the horizon."""


@dataclass(frozen=True, eq=False)
class Observed:
    """R runs that were last observed at one cutoff.

    Attributes:
        cutoff: last epoch at which anything of them was observed, -1 if nothing was.
        known: what is known of them there.
        horizons: their horizons, [R].
        adapted: the runs as the adapted network reads them, with the graphs that they point into; None: there is none.
        generic: the runs as the pretrained network reads them; None: there is none.
        beside: what is known of the runs as read beside related ones; None: there are none.
    """

    cutoff: int
    known: Known
    horizons: NDArray[np.int64]
    adapted: tuple[RunTensors, GraphTensors | None] | None = None
    generic: RunTensors | None = None
    beside: Known | None = None

    def __len__(self) -> int:
        return len(self.horizons)

    @property
    def cutoffs(self) -> Array:
        """The cutoff once for each run, [R]."""
        return np.full(len(self), float(self.cutoff))

    def rows(self, begin: int, end: int) -> Observed:
        """These runs only."""
        index = torch.arange(begin, min(end, len(self)))
        return replace(
            self,
            known=self.known.rows(slice(begin, end)),
            horizons=self.horizons[begin:end],
            adapted=None if self.adapted is None else (self.adapted[0].rows(index), self.adapted[1]),
            generic=None if self.generic is None else self.generic.rows(index),
            beside=None if self.beside is None else self.beside.rows(slice(begin, end)),
        )


class BaseModel(Protocol):
    """A part of the forecast, learned from the finished runs as seen from one cutoff.

    To add one: write it, and name it in `lcode.ensemble.registry.BASE_MODELS`.
    """

    def out_of_fold(self) -> Array:
        """Forecasts of the N finished runs, each by what was learned without its fold.

        Quantiles in model space at the history's grid, [N, K, J, 21]; NaN where there is no forecast. Unless later base
        models read them, the points at which they are judged will do (`History.judged`).
        """
        ...

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """Quantiles in model space of R runs at the query epochs [R, Q], [R, K, Q, 21]; NaN where there is none.

        The last query is the horizon.
        """
        ...

"""The pretrained model as it was before it saw the user's runs: a part of the forecast that few runs cannot spoil."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.committee import OutOfFoldForecast
from lcode.fitting.network import network_quantiles
from lcode.fitting.novelty import novelty_score, ripeness, scarcity, traits
from lcode.models.lcgode import LCGODE
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays
from lcode.tensors.batch import RunTensors
from lcode.tensors.collate import Preprocessor

Array = NDArray[np.float64]


def centre(adapted: Array, pretrained: Array, shares: Array) -> Array:
    """What surprises of R runs are counted from: the adapted network early, the pretrained one later, [R, K, Q, 21].

    The first knows the configuration, which says most before there is a curve; the second reads each curve on a scale
    of its own. With 30 finished runs of two tables of LCBench's design half surprises counted from the second alone
    took 10 to 50 % off the CRPS from a tenth of the horizon on, and cost 0 to 13 % at the first epoch.

    Args:
        adapted: forecasts, [R, K, Q, 21]; NaN where a run has none by members that left it out.
        pretrained: forecasts of the same queries.
        shares: share of the horizon seen, [R].
    """
    ripe = np.asarray(ripeness(shares))[:, None, None, None]
    return np.where(np.isfinite(adapted), (1 - ripe) * adapted + ripe * pretrained, pretrained)


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """A model that takes any metrics, with scales read off the first values of the finished runs.

    Attributes:
        model: the pretrained members.
        generic: how tables become tensors for it.
        finished: the curves of the finished runs.
    """

    model: LCGODE
    generic: Preprocessor
    finished: CurveArrays

    @classmethod
    def of(cls, model: LCGODE, finished: RunTable) -> Self:
        """A pretrained model for tables with the metrics of the finished runs."""
        return cls(model, Preprocessor.generic(finished), curve_arrays(finished))

    def tensors(self, table: RunTable) -> RunTensors:
        """The runs as this model reads them."""
        return self.generic.tensors(table)[0]

    def quantiles(self, runs: RunTensors, cutoffs: Array, asked: Array, like: Preprocessor) -> Array:
        """Forecasts in the model space of another preprocessor, [R, K, Q, 21].

        Args:
            runs: R runs, of `tensors`.
            cutoffs: last epoch seen of each, [R].
            asked: query epochs, [R, Q].
            like: the preprocessor whose space is wanted.
        """
        own = network_quantiles(self.model, runs, None, self.generic.task_of, cutoffs, asked, self.generic.own_scales)
        return np.sort(like.values.scale(self.generic.values.unscale(own)), axis=-1)

    def forecasts_of(
        self, finished: RunTable, like: Preprocessor, adapted: OutOfFoldForecast | None = None
    ) -> OutOfFoldForecast:
        """What surprises are counted from (`OutOfFoldForecast`): this model, which has learned from none of the runs.

        Args:
            finished: the runs.
            like: the preprocessor whose space is wanted.
            adapted: the network that was adapted to the runs, if one was; see `centre`.
        """
        runs, horizons = self.tensors(finished), finished.runs["horizon"].to_numpy(float)

        def forecast(rows: NDArray[np.int64], cutoff: int, epochs: Array) -> Array:
            cutoffs = np.full(len(rows), float(cutoff))
            own = self.quantiles(runs.rows(torch.from_numpy(rows)), cutoffs, epochs, like)
            if adapted is None:
                return own
            return centre(adapted(rows, cutoff, epochs), own, np.maximum(cutoffs, 0) / horizons[rows])

        return forecast

    def preference(
        self,
        runs: CurveArrays,
        share: float | Array,
        cutoff: int,
        like: Preprocessor,
        apart: NDArray[np.bool_] | None = None,
    ) -> Array | None:
        """Share of the weights that goes to this part, beside what the stacking gives it, [R, K]; None: nothing.

        Args:
            runs: curves of R runs.
            share: share of the horizon seen, of all or of each, [R].
            cutoff: last epoch seen.
            like: the preprocessor in whose space runs are compared.
            apart: which of the finished runs each run is compared with, [R, N]; default: all.
        """
        few = scarcity(len(self.finished.lengths))
        if few == 0:
            return None
        ours, theirs = (traits(curves, cutoff, like.values) for curves in (runs, self.finished))
        return few * ripeness(share)[..., None] * novelty_score(ours, theirs, apart)

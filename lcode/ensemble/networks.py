"""The networks as base models: adapted to the finished runs, and as it came, pretrained on other problems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.batch import RunTensors
from lcode.curves.collate import Preprocessor
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.history import History
from lcode.ensemble.names import NETWORK, PRETRAINED
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.settings_prior import tilted
from lcode.forecast import Q50
from lcode.network.model import LCGODE
from lcode.network.quantiles import OutOfFoldNetwork, network_quantiles
from lcode.table import RunTable

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Adapted:
    """A network that learned from the finished runs; each of its members left out a fold.

    Attributes:
        history: the finished runs from the cutoff.
        network: the members, and all finished runs as they read them.
        preprocessor: how tables become tensors for them.
    """

    history: History
    network: OutOfFoldNetwork
    preprocessor: Preprocessor

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        return self.network(self.history.rows, self.history.cutoff, self.history.epochs.astype(float))

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        assert observed.adapted is not None
        runs, graphs = observed.adapted
        read, model = self.preprocessor, self.network.model
        return network_quantiles(model, runs, graphs, read.task_of, observed.cutoffs, epochs, read.own_scales)


@dataclass(frozen=True, eq=False)
class AnyMetrics:
    """The pretrained network beside finished runs of one problem.

    Attributes:
        model: its members.
        generic: how tables become tensors for it: each curve on a scale of its own.
        like: the preprocessor of the problem, in whose space its forecasts are wanted.
        finished: all finished runs as it reads them.
    """

    model: LCGODE
    generic: Preprocessor
    like: Preprocessor
    finished: RunTensors

    @classmethod
    def of(cls, model: LCGODE, finished: RunTable, like: Preprocessor) -> AnyMetrics:
        """A pretrained network for tables with the metrics of the finished runs."""
        generic = Preprocessor.generic(finished)
        return cls(model, generic, like, generic.tensors(finished)[0])

    def quantiles(self, runs: RunTensors, cutoffs: Array, asked: Array) -> Array:
        """Forecasts in the space of `like` for R runs that were seen up to `cutoffs` [R], at epochs [R, Q]."""
        read = self.generic
        own = network_quantiles(self.model, runs, None, read.task_of, cutoffs, asked, read.own_scales)
        return np.sort(self.like.values.scale(read.values.unscale(own)), axis=-1)


@dataclass(frozen=True, eq=False)
class Pretrained:
    """The pretrained network, which has learned from none of the finished runs: few of them cannot spoil it.

    Its forecasts are tilted by what the settings of a run promise, see `lcode.ensemble.settings_prior`.
    """

    history: History
    network: AnyMetrics

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        runs = self.network.finished.rows(torch.from_numpy(self.history.rows))
        cutoffs = np.full(len(self.history), float(self.history.cutoff))
        quantiles = self.network.quantiles(runs, cutoffs, self.history.epochs.astype(float))
        return tilted(quantiles, self.history.known.prospects, self.history.known.seen)

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        assert observed.generic is not None
        quantiles = self.network.quantiles(observed.generic, observed.cutoffs, epochs)
        return tilted(quantiles, observed.known.prospects, observed.known.seen)


def expected(forecasts: Forecasts, shares: Array) -> Array:
    """What surprises of R runs are counted from: the adapted network early, the pretrained one later, [R, K, Q, 21].

    The first knows the configuration, which says most before there is a curve; the second reads each curve on a scale
    of its own.

    Args:
        forecasts: by either network or both.
        shares: share of the horizon seen, [R].
    """
    adapted, pretrained = forecasts.get(NETWORK), forecasts.get(PRETRAINED)
    if adapted is None or pretrained is None:
        only = pretrained if adapted is None else adapted
        assert only is not None
        return only
    ripe = np.clip(shares / SETTINGS.ripe, 0, 1)[:, None, None, None]
    return np.where(np.isfinite(adapted), (1 - ripe) * adapted + ripe * pretrained, pretrained)


def outlooks(forecasts: Forecasts, last: Array) -> Array:
    """By how much networks expect curves to change until the horizon: a prefix in the number that matters most.

    To a Gaussian process beside the features of the prefix: on six tables of LCBench's design half its CRPS was 12 to
    17 % smaller with 10 and 30 finished runs from five evaluations on, 3 to 5 % with 200, the same after one.

    Args:
        forecasts: by the networks that there are; their last query is the horizon.
        last: last value of each curve, in the same space, [R, K].

    Returns:
        [R, K, M], M from 0 to 2; 0 where a network says nothing.
    """
    said = [forecasts[name][:, :, -1, Q50] - last for name in (NETWORK, PRETRAINED) if name in forecasts]
    return np.nan_to_num(np.stack(said, axis=-1)) if said else np.zeros((*last.shape, 0))

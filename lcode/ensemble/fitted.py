"""What forecasts are made by: the pretrained network, an ensemble on finished runs, both, or a network alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.arrays import curve_arrays
from lcode.curves.batch import RunTensors
from lcode.curves.collate import Preprocessor
from lcode.curves.lead_grid import at_queries, node_epochs
from lcode.curves.share_axis import ShareAxis
from lcode.ensemble.context import Context
from lcode.ensemble.leads import leads_of
from lcode.ensemble.mixture import mixture_quantiles
from lcode.ensemble.order import FEWEST, in_careful_order, moved_by
from lcode.ensemble.prior import Prior
from lcode.ensemble.related import RelatedRuns, standing_alike
from lcode.ensemble.settings_prior import tilted
from lcode.ensemble.widths import Widths
from lcode.forecast import LEVELS, NO_EPOCH, Q50
from lcode.network.model import LCGODE
from lcode.network.quantiles import network_quantiles
from lcode.table import RunTable

Array = NDArray[np.float64]

CHUNK = 128
"""Runs per call of a network: bounds the memory whatever the size of the table."""

COMPANY = 128
"""Runs in progress that others are compared with at most, evenly chosen by name."""


class Predicted(NamedTuple):
    """A forecast of R runs × K metrics in natural units.

    Attributes:
        quantiles: at the query epochs, [R, K, Q, 21].
        correlation: of the metrics' normal scores within each run, in model space, [R, K, K]; None: not known.
        persistence: see `Forecast`.
    """

    quantiles: Array
    correlation: Array | None
    persistence: float


class Model(Protocol):
    """Anything that forecasts runs of a table."""

    @property
    def preprocessor(self) -> Preprocessor | None:
        """How tables become tensors; None for a model that takes any metrics."""
        ...

    def predict(self, table: RunTable, epochs: NDArray[np.int64], company: RunTable) -> Predicted:
        """Forecast R runs at the query epochs [R, Q], padded with `NO_EPOCH`.

        Args:
            table: the runs, cut to what was observed.
            epochs: when.
            company: the runs in progress that are known, these among them or not.
        """
        ...


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """What ships with the package: for any metrics, where no run has finished.

    Attributes:
        prior: what was learned on other problems.
        widths: how much the network's intervals are widened.
    """

    prior: Prior
    widths: Widths
    preprocessor: None = None

    def predict(self, table: RunTable, epochs: NDArray[np.int64], company: RunTable) -> Predicted:
        """See `Model`."""
        company = _comparable(company, table)
        read = Preprocessor.generic(company)
        asked = _asked(epochs)
        nodes = node_epochs(asked)
        arrays = curve_arrays(table, metrics=read.metrics)
        seen, last = arrays.last_epochs.max(axis=1, initial=-1), arrays.last_values
        horizons = np.maximum(table.runs["horizon"].to_numpy(float), 1)
        result = _by_network(self.prior.network, table, read, seen, nodes)
        for cutoff in np.unique(seen).tolist():
            rows = np.flatnonzero(seen == cutoff)
            if cutoff >= 0:
                ahead = leads_of(nodes[rows], seen[rows], horizons[rows])
                moves = self._moves(result[rows], last[rows], cutoff, ahead, company, read)
                result[rows] = moved_by(result[rows], moves)
        if self.prior.settings is not None and len(company) >= FEWEST:
            result = tilted(result, self.prior.settings.among(company.configs)(table.configs), arrays.lengths)
        widened = self.widths.widen(result, np.clip(seen / horizons, 0, 1), leads_of(nodes, seen, horizons))
        quantiles = read.values.bounded(at_queries(widened, nodes, asked), last)
        return Predicted(quantiles, None, self.widths.persistence)

    def _moves(
        self, scaled: Array, last: Array, cutoff: int, leads: Array, company: RunTable, read: Preprocessor
    ) -> Array:
        """By how much the medians of runs that were seen up to one cutoff are moved at leads [R, Q], [R, K, Q]."""
        moves = np.zeros(scaled.shape[:-1])
        there = (company.last_epochs >= cutoff) & (company.runs["horizon"] > cutoff)
        names = sorted(company.run_ids[row] for row in np.flatnonzero(there))
        if len(names) < FEWEST:
            return moves
        names = [names[i] for i in np.unique(np.rint(np.linspace(0, len(names) - 1, COMPANY)).astype(np.int64))]
        others = company.select(names).prefix(dict.fromkeys(names, cutoff))
        start = read.values.scale(curve_arrays(others, metrics=read.metrics).last_values)
        now, seen = read.values.scale(last), np.full(len(others), cutoff)
        left = others.runs["horizon"].to_numpy(float)[:, None] - cutoff
        for ahead in np.unique(leads, axis=0):
            rows = np.flatnonzero((leads == ahead).all(1))
            theirs = _by_network(self.prior.network, others, read, seen, cutoff + ahead * left)[..., Q50]
            for k in range(scaled.shape[1]):
                moves[rows, k] = in_careful_order(scaled[rows, k, :, Q50], now[rows, k], theirs[:, k], start[:, k])
        return moves


@dataclass(frozen=True, eq=False)
class NetworkAlone:
    """A network with nothing beside it, its intervals as they come: the published recipe.

    Attributes:
        preprocessor: how tables become tensors.
        network: its members.
    """

    preprocessor: Preprocessor
    network: LCGODE

    def predict(self, table: RunTable, epochs: NDArray[np.int64], company: RunTable) -> Predicted:
        """See `Model`."""
        asked, read = _asked(epochs), self.preprocessor
        nodes, arrays = node_epochs(asked), curve_arrays(table, metrics=read.metrics)
        scaled = _by_network(self.network, table, read, arrays.last_epochs.max(axis=1, initial=-1), nodes)
        return Predicted(read.values.bounded(at_queries(scaled, nodes, asked), arrays.last_values), None, 0.9)


@dataclass(frozen=True, eq=False)
class EnsembleModel:
    """Networks and regressors, stacked and calibrated on finished runs, by cutoff.

    Where trainings have very different lengths, finished runs are taken up twice: compared at equal epochs, and at
    equal shares of their horizons. Each is right for other metrics and schedules; their forecasts are mixed half and
    half. On four workloads of AlgoPerf's design half (37 to 50,600 evaluations, 10 and 30 finished runs, two divisions,
    5 and 20 % seen) the mixture had .50 to .74 of the CRPS at equal epochs and .44 to .88 of the error; Kendall's τ
    was .08 lower with 10 runs and .04 to .10 higher with 30.
    """

    context: Context

    @property
    def preprocessor(self) -> Preprocessor:
        """How tables become tensors."""
        return self.context.preprocessor

    @property
    def epoch_unit(self) -> float:
        """That of the finished runs."""
        return self.context.finished.epoch_unit

    def in_unit(self, unit: float) -> EnsembleModel:
        """See `Context.in_unit`."""
        return EnsembleModel(self.context.in_unit(unit))

    def predict(self, table: RunTable, epochs: NDArray[np.int64], company: RunTable) -> Predicted:
        """See `Model`."""
        asked = _asked(epochs)
        quantiles, correlation = _by_context(self.context, table, asked)
        if self.by_share is not None:
            axis, context = self.by_share
            ticks = axis.epochs(asked, table.runs["horizon"].to_numpy(np.int64))
            both = np.stack([quantiles, _by_context(context, axis.table(table), ticks)[0]])
            known = np.isfinite(both).all((0, -1))
            quantiles[known] = mixture_quantiles(both[:, known], np.ones((2, int(known.sum()))))
        return Predicted(quantiles, correlation, self.context.persistence if epochs.shape[1] > 1 else 0.9)

    @cached_property
    def by_share(self) -> tuple[ShareAxis, Context] | None:
        """The finished runs at equal shares of their horizons; None where these are about equal.

        The adapted network has learned at equal epochs, so that it is left out here. The in-context network sees runs
        beside its examples, on either axis; tuned at equal epochs it forecast a workload of AlgoPerf's design half, 121
        finished runs, as well as untuned (CRPS within .3 %).
        """
        given = self.context
        related = given.related
        axis = ShareAxis.of(given.finished, *([] if related is None else [related.runs]))
        if axis is None or given.prior is None:
            return None
        finished = axis.table(given.finished)
        if related is not None:
            related = replace(related, runs=axis.table(related.runs))
        read = Preprocessor.fit(finished)
        return axis, replace(given, finished=finished, preprocessor=read, adapted=None, related=related)


@dataclass(frozen=True, eq=False)
class RelatedModel:
    """Where hardly a run has finished but runs of related problems have: their forecast and the zero-shot one.

    The more of the runs in progress stand where related runs stood, the more these count. Without an own finished run
    the CRPS of the ends by related runs was 0.01 to 0.6 of the zero-shot one's where the two problems had one scale
    (fastMRI in two implementations, `fashion` and `digits-pair`), and up to 2.8 times as large where they had not
    (LCBench); of the design half, its LCBench and fastMRI unseen by the in-context network.

    Attributes:
        pretrained: forecasts without a finished run.
        related: the runs of the other problems.
        borrowed: has taken them up as if they were of the problem itself.
    """

    pretrained: PretrainedModel
    related: RelatedRuns
    borrowed: EnsembleModel

    @property
    def preprocessor(self) -> Preprocessor:
        """How tables become tensors."""
        return self.borrowed.preprocessor

    @property
    def epoch_unit(self) -> float:
        """That of the related runs."""
        return self.borrowed.epoch_unit

    def in_unit(self, unit: float) -> RelatedModel:
        """The same with epochs counted in a finer unit."""
        return RelatedModel(self.pretrained, self.related.in_unit(unit), self.borrowed.in_unit(unit))

    def predict(self, table: RunTable, epochs: NDArray[np.int64], company: RunTable) -> Predicted:
        """See `Model`."""
        metrics = self.preprocessor.metrics
        borrowed = self.borrowed.predict(table, epochs, company)
        zero_shot = np.full_like(borrowed.quantiles, np.nan)
        told = self.pretrained.predict(table, epochs, company)
        for k, metric in enumerate(table.metrics):
            if metric in metrics:
                zero_shot[:, metrics.index(metric)] = told.quantiles[:, k]
        alike = standing_alike(company, self.related, by_share=self.borrowed.by_share is not None) ** 2
        both = np.stack([borrowed.quantiles, zero_shot])
        weights = np.where(np.isfinite(both).all(-1), np.stack([alike, 1 - alike])[:, None, :, None], 0.0)
        known = weights.sum(0) > 0
        quantiles = np.full_like(zero_shot, np.nan)
        quantiles[known] = mixture_quantiles(np.nan_to_num(both[:, known]), weights[:, known])
        return Predicted(quantiles, borrowed.correlation, told.persistence)


def _by_context(context: Context, table: RunTable, asked: Array) -> tuple[Array, Array]:
    """Quantiles at the query epochs [R, Q], [R, K, Q, 21], and how metrics of a run hang together, [R, K, K]."""
    read = context.preprocessor
    nodes = node_epochs(asked)
    count = len(read.metrics)
    quantiles = np.full((len(table), count, asked.shape[1], len(LEVELS)), np.nan)
    correlation = np.broadcast_to(np.eye(count), (len(table), count, count)).copy()
    arrays = curve_arrays(table, metrics=read.metrics)
    last = arrays.last_values
    # Of a run whose every curve has reached the horizon all is known.
    ahead = np.flatnonzero((arrays.last_epochs < table.runs["horizon"].to_numpy()[:, None]).any(axis=1))
    for part, observed in context.observe(table.rows(ahead)):
        rows = ahead[part]
        learned = context.at(context.nearest(observed.cutoff))
        scaled = at_queries(learned.quantiles(observed, nodes[rows]), nodes[rows], asked[rows])
        quantiles[rows] = read.values.bounded(scaled, last[rows])
        correlation[rows] = learned.conformal.correlation
    return quantiles, correlation


def _comparable(company: RunTable, table: RunTable) -> RunTable:
    """The company by the metrics of the table, or the table where nobody in the company knows one of them."""
    keys = [metric.key for metric in table.metrics]
    points = company.points[company.points["metric"].isin(keys)]
    known = points["metric"].nunique() == len(keys)
    return replace(company, points=points, metrics=table.metrics) if known else table


def _asked(epochs: NDArray[np.int64]) -> Array:
    """The query epochs, [R, Q], with the last one in place of padding."""
    return np.where(epochs == NO_EPOCH, epochs.max(1, keepdims=True), epochs).astype(float)


def _by_network(network: LCGODE, table: RunTable, read: Preprocessor, seen: NDArray[np.int64], asked: Array) -> Array:
    """Quantiles by a network in the space of the metrics, [R, K, Q, 21]."""
    runs, graphs = read.tensors(table)
    parts = [
        network_quantiles(network, some, graphs, read.task_of, seen[rows].astype(float), asked[rows], read.own_scales)
        for rows, some in _chunks(runs)
    ]
    shape = (0, len(read.metrics), asked.shape[1], len(LEVELS))
    return np.concatenate(parts) if parts else np.zeros(shape)


def _chunks(runs: RunTensors) -> Iterator[tuple[slice, RunTensors]]:
    for begin in range(0, len(runs), CHUNK):
        rows = slice(begin, begin + CHUNK)
        yield rows, runs.rows(torch.arange(begin, min(begin + CHUNK, len(runs))))

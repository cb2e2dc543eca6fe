"""Finished runs and what is learned from them, cutoff by cutoff, when one is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.collate import Preprocessor
from lcode.curves.prefix import PrefixReader, Prospects
from lcode.ensemble.at_cutoff import AtCutoff
from lcode.ensemble.base_model import Observed
from lcode.ensemble.conformal import persistence
from lcode.ensemble.history import History
from lcode.ensemble.names import RELATED, RESCALED
from lcode.ensemble.networks import AnyMetrics
from lcode.ensemble.prior import Prior
from lcode.ensemble.problems import problems_of
from lcode.ensemble.registry import Learning
from lcode.ensemble.related import Beside, RelatedExamples, RelatedRuns
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.tuning import InContextMembers, tune
from lcode.network.in_context import InContextNetwork
from lcode.network.loop import Source
from lcode.network.model import LCGODE
from lcode.network.quantiles import OutOfFoldNetwork
from lcode.table import RunTable
from lcode.table.archive import pack, unpack

Array = NDArray[np.float64]

EXACT = 8
"""Last epoch of which is learned for itself; see `Context.nearest`. By cost: a live sweep decides most in its first
epochs."""

APART = 1.15
"""How far apart the cutoffs of which is learned lie from there on, with up to `few` finished runs; with more they lie
closer, the excess over 1 falling as one over their number, for what is learned is then more precise than what two
epochs differ by. On six tables of LCBench's design half, 200 runs, the CRPS was 12, 8, 5 and 14 % smaller at 20, 30, 40
and 70 % of the horizon with each cutoff learned for itself; with 10 and 30 runs it was the same on average."""

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Prefixes at which a model is judged for its user, as shares of the horizon; 0 = the first epoch alone."""


@dataclass(frozen=True, eq=False)
class Context:
    """Finished runs, and networks that forecast such runs.

    What is learned at a cutoff depends on the finished runs alone, not on what was asked before.

    Attributes:
        finished: N finished runs.
        folds: fold of each run, [N].
        preprocessor: how tables become tensors.
        adapted: the network that learned from the runs; None: none did.
        prior: what was learned on other problems; None: nothing was.
        parts: names of the base models that may count.
        seed: of trees.
        calibrated: whether intervals are scaled by what left-out runs say; only ablations do without.
        tuned: the in-context network, tuned to the runs without each of the folds; empty: it is as it came.
        related: finished runs of other problems; None: there are none.
    """

    finished: RunTable
    folds: NDArray[np.int64]
    preprocessor: Preprocessor
    adapted: LCGODE | None
    prior: Prior | None
    parts: tuple[str, ...]
    seed: int
    calibrated: bool = True
    tuned: Sequence[InContextNetwork] = ()
    related: RelatedRuns | None = None

    def at(self, cutoff: int) -> AtCutoff:
        """What is learned at a cutoff, one of `nearest`."""
        if cutoff not in self._learned:
            history = History.of(
                self.finished, self._arrays, self.folds, cutoff, self.preprocessor.values, self._reader
            )
            given = Learning(
                history, self.preprocessor, self._adapted, self._pretrained, self._in_context,
                self._related(history), self.seed,
            )  # fmt: skip
            self._learned[cutoff] = AtCutoff(given, self.parts, calibrated=self.calibrated)
        return self._learned[cutoff]

    def tune(self, advance: Callable[[int, int], None] | None = None) -> Context:
        """The same with the in-context network tuned to the finished runs, if there are enough of them.

        For `advance` see `lcode.ensemble.tuning.tune`.
        """
        network = None if self.prior is None else self.prior.in_context
        if network is None:
            return self
        problems = problems_of(self.finished, self.preprocessor.values, self._reader)
        return replace(self, tuned=tune(network, problems, self.folds, self.seed, advance))

    def in_unit(self, unit: float) -> Context:
        """The same with epochs counted in a finer unit, which an adapted network could not read."""
        finished = self.finished.in_unit(unit)
        related = None if self.related is None else self.related.in_unit(unit)
        return replace(self, finished=finished, preprocessor=Preprocessor.fit(finished), related=related)

    def nearest(self, cutoff: int) -> int:
        """The cutoff that serves runs observed up to this one.

        Up to `EXACT` it is the cutoff itself, later the nearest of those that lie `APART` or, with many finished runs,
        closer: a live sweep would otherwise learn anew at every epoch of every run. After it at least `least_later` of
        the finished runs went on; and what has been evaluated once by the cutoff asked for has been so by the one that
        serves it, or else runs with a value would be forecast by what was learned from runs without one.
        """
        horizons = np.sort(self.finished.runs["horizon"].to_numpy(np.int64))
        latest = int(horizons[-min(SETTINGS.least_later, len(horizons))]) - 1
        if cutoff <= min(EXACT, latest):
            return cutoff
        exact, ratio = EXACT, 1 + (APART - 1) * min(SETTINGS.few / len(self.finished), 1)
        rungs = exact * ratio ** np.arange(np.ceil(np.log(max(cutoff, exact) / exact) / np.log(ratio)) + 1)
        reached = [*(rung for rung in np.rint(rungs).astype(np.int64).tolist() if rung <= latest), latest]
        nearest = min(reached, key=lambda rung: (abs(np.log(max(rung, 1) / cutoff)), rung))
        begun = self._begins[self._begins <= min(cutoff, latest)]
        return max([nearest, *begun[-1:].tolist()])

    def observe(self, table: RunTable) -> Iterator[tuple[NDArray[np.int64], Observed]]:
        """The runs of a table by the cutoff up to which they were observed: their rows, and what is known of them."""
        arrays = curve_arrays(table, metrics=self.preprocessor.metrics)
        seen = arrays.last_epochs.max(axis=1, initial=-1)
        adapted = None if self.adapted is None else self.preprocessor.tensors(table)
        generic = None if self._pretrained is None else self._pretrained.generic.tensors(table)[0]
        horizons = table.runs["horizon"].to_numpy(np.int64)
        for cutoff in np.unique(seen).tolist():
            rows = np.flatnonzero(seen == cutoff)
            part = table if len(rows) == len(table) else table.rows(rows)
            known, index = self._reader.at(part, arrays.rows(rows), cutoff), torch.from_numpy(rows)
            beside = self._beside
            yield (
                rows,
                Observed(
                    cutoff,
                    known,
                    horizons[rows],
                    None if adapted is None else (adapted[0].rows(index), adapted[1]),
                    None if generic is None else generic.rows(index),
                    None if beside is None else beside.read(part, arrays.rows(rows), cutoff),
                ),
            )

    @cached_property
    def prospects(self) -> Prospects | None:
        """What configurations promise among the finished runs; None: it is not known."""
        settings = None if self.prior is None else self.prior.settings
        return None if settings is None else settings.among(self.finished.configs)

    @cached_property
    def persistence(self) -> float:
        """See `Forecast`; read off forecasts from a fifth of the horizon."""
        middle = self.nearest(int(0.2 * float(self.finished.runs["horizon"].median())))
        return persistence(self.at(middle).conformal.scores)

    def cutoffs_of(self, table: RunTable) -> list[tuple[float, int]]:
        """Share and epoch of the cutoffs that serve the runs in progress of a table, at most as many as `SHARES`."""
        horizon = float(self.finished.runs["horizon"].median())
        running = table.runs["status"].to_numpy() != "finished"
        served = sorted({self.nearest(max(int(epoch), 0)) for epoch in table.last_epochs[running].unique()})
        some = sorted({round(place) for place in np.linspace(0, len(served) - 1, len(SHARES))} if served else ())
        return [(served[place] / horizon, served[place]) for place in some]

    def judged_cutoffs(self) -> Iterator[tuple[float, int]]:
        """Share and epoch of each of `SHARES`, without repeats where the horizon is short."""
        horizon = float(self.finished.runs["horizon"].median())
        first = int(self.finished.points.groupby("run", observed=True)["epoch"].min().median())
        before = None
        for share in SHARES:
            cutoff = self.nearest(max(round(share * horizon), first))
            if cutoff != before and cutoff < horizon:
                yield share, cutoff
            before = cutoff

    def mean_weights(self) -> dict[str, float]:
        """Weight of each base model, mean over `SHARES` and metrics."""
        learned = [self.at(cutoff) for _, cutoff in self.judged_cutoffs()]
        mean = np.mean([one.stacking.weights.mean((0, 1)) for one in learned], axis=0)
        return {name: float(weight) for name, weight in zip(learned[0].names, mean, strict=True)}

    def pack(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays for a checkpoint: the finished runs and their folds, but no network or related run."""
        meta, arrays = pack(self.finished)
        meta = {"table": meta, "seed": self.seed, "parts": list(self.parts), "calibrated": self.calibrated}
        return meta, {**arrays, "folds": self.folds}

    @classmethod
    def unpack(
        cls,
        meta: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        preprocessor: Preprocessor,
        adapted: LCGODE | None,
        prior: Prior | None,
        tuned: Sequence[InContextNetwork],
        related: RelatedRuns | None,
    ) -> Context:
        """The inverse of `pack`, with what is stored beside it."""
        parts = tuple(str(name) for name in meta["parts"])
        return cls(
            unpack(meta["table"], arrays),
            arrays["folds"],
            preprocessor,
            adapted,
            prior,
            parts,
            int(meta["seed"]),
            bool(meta["calibrated"]),
            tuned,
            related,
        )

    @cached_property
    def _learned(self) -> dict[int, AtCutoff]:
        return {}

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        """First epoch with a value of each finished run, ascending."""
        return np.sort(self.finished.points.groupby("run", observed=True)["epoch"].min().to_numpy(np.int64))

    @cached_property
    def _arrays(self) -> CurveArrays:
        return curve_arrays(self.finished)

    @cached_property
    def _reader(self) -> PrefixReader:
        return PrefixReader(self.finished, self.preprocessor.values, self.prospects)

    @cached_property
    def _adapted(self) -> OutOfFoldNetwork | None:
        if self.adapted is None:
            return None
        device = next(self.adapted.parameters()).device
        tensors, tasks = self.preprocessor.tensors(self.finished), self.preprocessor.task_of
        return OutOfFoldNetwork(self.adapted, Source.of(tensors, tasks, self.folds, device))

    @cached_property
    def _in_context(self) -> InContextMembers | None:
        network = None if self.prior is None else self.prior.in_context
        return None if network is None else InContextMembers(self.tuned or [network], self.folds)

    @cached_property
    def _beside(self) -> RelatedExamples | None:
        """Related runs, for the network that takes them for examples."""
        if self.related is None or self.prior is None or self.prior.in_context is None:
            return None
        related = self.related.without(self.finished)
        if not len(related) or not {RELATED, RESCALED} & set(self.parts):
            return None
        return RelatedExamples(self.finished, self.folds, related, self.preprocessor.values, self.prospects)

    def _related(self, own: History) -> tuple[Beside, InContextNetwork] | None:
        """See `Learning`."""
        if self._beside is None:
            return None
        assert self.prior is not None and self.prior.in_context is not None
        return self._beside.at(own), self.prior.in_context

    @cached_property
    def _pretrained(self) -> AnyMetrics | None:
        prior = self.prior
        return None if prior is None else AnyMetrics.of(prior.network, self.finished, self.preprocessor)

"""How a model is made of finished runs: networks adapted to them, or as they came, and what stands beside them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.batch import GraphTensors
from lcode.curves.collate import Preprocessor
from lcode.ensemble.context import Context
from lcode.ensemble.fitted import EnsembleModel, Model, NetworkAlone, PretrainedModel, RelatedModel
from lcode.ensemble.folds import assign_folds
from lcode.ensemble.names import IN_CONTEXT
from lcode.ensemble.prior import Prior
from lcode.ensemble.registry import PARTS
from lcode.ensemble.related import RelatedRuns
from lcode.ensemble.settings import SETTINGS, share_of_many
from lcode.ensemble.tuning import steps_for
from lcode.network.loop import FitReport, FitSettings, Progress, Source, fit_model
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.network.transfer import transfer
from lcode.table import RunTable, pooled
from lcode.table.axis import finer_unit

MAX_RUNS = 1500
"""Finished runs that the base models learn from at most: the forests' weights grow with their square."""

CONTEXT_RUNS = 200
"""The same for the shipped model, which learns from them each time that it is asked. Who has more has reason to fit."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves.

    Attributes:
        model: makes the forecasts.
        report: how the training of the network went; no steps where it was left as it came.
        runs: number of finished runs of the problem that were learned from.
        data_digest: of the training points, so that two models can be told to stem from the same data.
    """

    model: Model
    report: FitReport
    runs: int
    data_digest: str


def settings_for(runs: int, *, config: int = 0, pretrained: bool = False) -> FitSettings:
    """How to train on this many runs: with few, configurations are mostly noise, and long training overfits.

    Measured on 16 runs of the digits problem: with 40 % configuration dropout instead of 10 % Kendall τ at 20 % of the
    horizon was 0.66 instead of 0.62. The same holds where the encoded configuration is wide (37 balancers as
    indicators): on 228 runs of fashion-ink 80 % instead of 10 % took 16 to 20 % off the error. A pretrained model needs
    few steps: on three tables of LCBench's design half 60 steps had the CRPS of 600 with 10 and 30 runs (-1 to +2 %).
    With 100 and 200 runs 450 at this rate had that of 900 at a quarter of it (-2 to +2 %). Beside a tuned in-context
    network 225 had that of 450 on sources of the design half that no network had seen (+2, -4 and -1 % on LCBench,
    about 0 on the corpus), but on `cifar10_cnn` they cost 3 %.
    Beyond 300 runs steps grow with the root of their number: on 3,665 runs of eight tasks of TaskSet 3,000 steps
    instead of 900 took 22 % off the network's error at a fifth of the horizon.

    Args:
        runs: finished runs to learn from.
        config: width of the encoded configuration.
        pretrained: whether the parameters begin as those of another model.
    """
    many = share_of_many(runs)
    steps, rate = (60 + 390 * many, 1.6e-2) if pretrained else (500 + 400 * many, 4e-3)
    steps *= max(math.sqrt(runs / 300), 1.0)
    dropout = min(0.4 - 0.3 * many + 2 * config / runs, 0.9)
    return FitSettings(steps=round(steps), learning_rate=rate, config_dropout=dropout)


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to fit; see `LCGODEForecaster`.

    Attributes:
        start: a model whose parameters to start from; None: from scratch.
        settings: how to train the network; None: by the number of runs, see `settings_for`.
        parts: names of the base models that may count.
        calibrated: whether intervals are scaled by what left-out runs say.
        overrides: fields of `LCGODEConfig` to set.
        seed: of initial values, folds and random cutoffs.
        device: of the network.
    """

    start: Model | None
    settings: FitSettings | None
    parts: Sequence[str]
    calibrated: bool
    overrides: Mapping[str, Any]
    seed: int
    device: str

    def fit(self, done: RunTable, progress: Progress | None, related: RelatedRuns | None = None) -> Fitted:
        """Learn from finished runs, with related ones as further examples of the in-context network.

        Few runs are taken up as they are. On sources of the design half that the in-context network had never seen the
        adapted network made the CRPS of the ends larger by 2 to 5 and 0 to 1 % with 10 and 30 runs of LCBench (3
        tables), by -1 to +2 and -1 to +1 % on the corpus (3 problems), by -2 to +1 and 0 to +2 % on AlgoPerf (2
        workloads).
        """
        start = self.start
        if isinstance(start, PretrainedModel) and self._takes_up(start.prior, len(done)):
            return in_context(
                start.prior, done, self.seed, parts=self.parts, calibrated=self.calibrated, related=related
            )
        preprocessor = Preprocessor.fit(done)
        tensors = preprocessor.tensors(done)
        network, beside = self._network(preprocessor, tensors[1])
        folds = assign_folds(done, max(network.config.members, SETTINGS.folds), self.seed)
        source = Source.of(tensors, preprocessor.task_of, folds, self.device)
        generator = torch.Generator(self.device).manual_seed(self.seed)
        settings = self.settings or settings_for(
            len(done), config=preprocessor.config.width, pretrained=self.start is not None
        )
        tunes = beside is not None and beside.in_context is not None and IN_CONTEXT in self.parts
        later = (int(folds.max()) + 1) * steps_for(len(done)) if tunes else 0
        report = fit_model(network, [source], settings, generator, _part_of(progress, 0, settings.steps + later))
        if network.config.members == 1:
            return Fitted(NetworkAlone(preprocessor, network), report, len(done), _digest(done))
        rows = some_rows(len(done), self.seed, MAX_RUNS)
        context = Context(
            done.rows(rows), folds[rows], preprocessor, network, beside, tuple(self.parts), self.seed,
            self.calibrated, related=related,
        )  # fmt: skip
        if later and not report.interrupted:
            told = _part_of(progress, settings.steps, settings.steps + later)
            context, report = _tuned(context, report, told)
        return Fitted(EnsembleModel(context), report, len(done), _digest(done))

    def borrow(self, own: RunTable, related: RelatedRuns) -> Fitted:
        """Of a problem with hardly a finished run, learn from those of related problems; see `RelatedModel`.

        Only for a start that `reads_examples`.
        """
        start = self.start
        assert isinstance(start, PretrainedModel)
        both = pooled([own, related.runs])
        borrowed = in_context(start.prior, both, self.seed, parts=self.parts, calibrated=self.calibrated)
        assert isinstance(borrowed.model, EnsembleModel)
        return replace(borrowed, model=RelatedModel(start, related, borrowed.model), runs=len(own))

    def _takes_up(self, prior: Prior, runs: int) -> bool:
        """Whether the in-context network reads so many runs as they are, and no network learns from them."""
        asked = self.settings is not None or self.overrides
        return not asked and prior.in_context is not None and IN_CONTEXT in self.parts and runs <= SETTINGS.few

    def _network(self, preprocessor: Preprocessor, graphs: GraphTensors | None) -> tuple[LCGODE, Prior | None]:
        """The network before training, and what was learned on other problems, which stands beside it."""
        start, beside = (None, None) if self.start is None else _start(self.start)
        widths = {
            "metrics": len(preprocessor.metrics),
            "signals": len(preprocessor.signals),
            "config": preprocessor.config.width,
            "ops": 0 if preprocessor.ops is None else len(preprocessor.ops),
            "node_features": 0 if graphs is None else graphs.x.shape[1],
            "tasks": len(preprocessor.tasks),
            "coupled": len(preprocessor.metrics) > 1,
        }
        network = LCGODE(
            LCGODEConfig(**{**widths, **_sizes(start), **self.overrides}), torch.Generator().manual_seed(self.seed)
        )
        if start is not None:
            transfer(start, network)
        return network.to(self.device), beside


def _part_of(progress: Progress | None, before: int, whole: int) -> Progress | None:
    """Tells the progress of a part of a fit, after so many steps of others, as that of the whole."""
    return None if progress is None else lambda step, steps, loss: progress(before + step, whole, loss)


def _tuned(context: Context, report: FitReport, progress: Progress | None) -> tuple[Context, FitReport]:
    """The same with the in-context network tuned; Ctrl-C leaves it as it is."""

    def advance(step: int, steps: int) -> None:
        if progress is not None:
            progress(step, steps, report.validation_loss)

    try:
        return context.tune(advance), report
    except KeyboardInterrupt:
        return context, replace(report, interrupted=True)


def in_context(
    prior: Prior,
    finished: RunTable,
    seed: int,
    *,
    parts: Sequence[str] = PARTS,
    calibrated: bool = True,
    related: RelatedRuns | None = None,
) -> Fitted:
    """A model that takes up finished runs, at most `CONTEXT_RUNS` of them, without adapting the network.

    Args:
        prior: what was learned on other problems.
        finished: the runs.
        seed: of folds and trees.
        parts: names of the base models that may count.
        calibrated: whether intervals are scaled by what left-out runs say.
        related: finished runs of other problems.
    """
    finished = finished.rows(some_rows(len(finished), seed, CONTEXT_RUNS))
    if related is not None:
        unit = finer_unit(finished.epoch_unit, related.runs.epoch_unit)
        finished, related = finished.in_unit(unit), related.in_unit(unit)
    folds, read = assign_folds(finished, SETTINGS.folds, seed), Preprocessor.fit(finished)
    context = Context(finished, folds, read, None, prior, tuple(parts), seed, calibrated, related=related)
    report = FitReport(steps=0, validation_loss=0.0, interrupted=False)
    return Fitted(EnsembleModel(context), report, len(finished), _digest(finished))


def reads_examples(model: Model | None) -> bool:
    """Whether a model brings a network that takes finished runs for examples."""
    return isinstance(model, PretrainedModel) and model.prior.in_context is not None


def by_name(table: RunTable) -> RunTable:
    """The runs in the order of their names: the order of the logs must not matter."""
    return table.select(sorted(table.run_ids))


def _start(model: Model) -> tuple[LCGODE, Prior | None]:
    """The network whose parameters a fit starts from, and what else was learned on other problems."""
    if isinstance(model, PretrainedModel):
        return model.prior.network, model.prior
    if isinstance(model, NetworkAlone):
        return model.network, None
    if isinstance(model, RelatedModel):
        return model.pretrained.prior.network, model.pretrained.prior
    assert isinstance(model, EnsembleModel)
    adapted, prior = model.context.adapted, model.context.prior
    if adapted is not None:
        return adapted, None
    assert prior is not None
    return prior.network, None


def _sizes(pretrained: LCGODE | None) -> dict[str, Any]:
    """The fields of `LCGODEConfig` that do not follow from the data: a model has them in common with its start."""
    names = ("members", "latent", "hidden", "nodes", "solver", "anchored", "controlled")
    return {} if pretrained is None else {name: getattr(pretrained.config, name) for name in names}


def some_rows(runs: int, seed: int, most: int) -> NDArray[np.int64]:
    """Rows of at most so many of the runs, drawn by the seed, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(runs)[:most])


def _digest(table: RunTable) -> str:
    points = table.points.astype({"run": str, "metric": str})
    return hashlib.sha256(points.to_csv(index=False).encode()).hexdigest()[:16]

"""LC-GODE behind the forecasters' protocol: fit on finished runs, forecast the others, save and load."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import curve_arrays
from lcode.ensemble.checkpoint import Checkpoint
from lcode.ensemble.fitted import EnsembleModel, NetworkAlone, PretrainedModel, RelatedModel
from lcode.ensemble.later_runs import known_of, taking_up
from lcode.ensemble.registry import PARTS
from lcode.ensemble.related import RelatedRuns
from lcode.ensemble.store import load_fitted, save_fitted
from lcode.ensemble.training import Fitted, Recipe, by_name, in_context, reads_examples
from lcode.ensemble.trust import out_of_fold_figures, trust_rows, trust_warnings
from lcode.errors import NotEnoughDataError, UsageError
from lcode.forecast import FULL_EPOCHS, GRID, Forecast, check_at, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.in_sweep import GROWTH
from lcode.forecasters.known import KNOWN_RUNS, known_runs
from lcode.forecasters.remarks import graph_remarks, settings_remarks
from lcode.isolation import isolated
from lcode.network.loop import FitSettings, Progress
from lcode.table import Metric, RunTable, pooled
from lcode.table.axis import finer_unit
from lcode.table.given import check_table

BLOCK, BLOCK_CELLS = 2000, 500_000
"""Runs that are forecast at a time when a forecast is written as it is made; fewer where these have more values (runs ×
metrics × epochs) than 500,000, of which each takes 21 quantiles from every part of the forecast."""

SHIPPED = Path(__file__).parents[1] / "shipped"
"""The checkpoint that comes with the package."""


class LCGODEForecaster(Forecaster):
    """The project's forecaster.

    Args:
        seed: of initial values, folds and random cutoffs; the same seed on the same machine gives the same numbers.
        settings: how to train; default: by the number of runs, see `settings_for`. Without it the shipped model only
            takes up to 30 finished runs up, and no network is trained.
        device: `cpu` or `cuda`.
        progress: called now and then while fitting.
        targets: metrics to forecast, by key; the others are still read. None: all.
        pretrained: folder of a model whose parameters to start from; what it has no parameters for (the table's
            configuration, its metrics' own offsets, its graphs) begins at random or at zero. None: from scratch.
        parts: which of `PARTS` a forecast is made of.
        calibrated: whether intervals are scaled by what left-out runs say.
        overrides: fields of `LCGODEConfig` to set, such as `coupled=False`.
    """

    name: ClassVar[str] = "lcode"
    min_finished: ClassVar[int] = 4

    def __init__(
        self,
        *,
        seed: int = 0,
        settings: FitSettings | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
        targets: Sequence[str] | None = None,
        pretrained: str | os.PathLike[str] | None = None,
        parts: Sequence[str] = PARTS,
        calibrated: bool = True,
        **overrides: Any,
    ) -> None:
        self.seed, self.device, self.progress = seed, device, progress
        self.targets = None if targets is None else list(targets)
        self.pretrained = None if pretrained is None else Path(pretrained)
        self.settings = settings
        self.parts, self.calibrated = tuple(parts), calibrated
        self.overrides = overrides
        self.fitted: Fitted | None = None
        self.company: RunTable | None = None
        """Runs that are known beside those of the fit; None: those of the table that is forecast."""

    @classmethod
    def adapted(cls, *, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Self:
        """A forecaster whose fit starts from the shipped checkpoint: what `lcode fit` does."""
        return cls(seed=seed, device=device, progress=progress, pretrained=SHIPPED)

    @classmethod
    def paper(
        cls,
        *,
        seed: int = 0,
        device: str = "cpu",
        progress: Progress | None = None,
        targets: Sequence[str] | None = None,
    ) -> Self:
        """The published recipe (arXiv 2412.15554), K = 1 for every metric and coupling off, to be measured beside ours.

        One member, latent size 16, the curve decoded as it is from epoch 0 (no anchor), a normal likelihood, the
        architecture but neither configuration nor schedule, prefixes of 20 % of the horizon, a constant AdamW rate
        of 1e-3. The best epoch is chosen on a left-out fold, where the published code chose it on test data.
        """
        settings = FitSettings(
            steps=1200, learning_rate=1e-3, schedule=False, fixed_share=0.2, likelihood="gaussian", kl_weight=1e-2,
            config_dropout=0.0, patience=24,
        )  # fmt: skip
        return cls(
            seed=seed, settings=settings, device=device, progress=progress, targets=targets,
            members=1, latent=16, config=0, coupled=False, anchored=False, controlled=False,
        )  # fmt: skip

    def fit(self, table: RunTable) -> Self:
        """Learn from the finished runs; see `Forecaster.fit`."""
        done = by_name(finished_runs(table, at_least=self.min_finished))
        self.fitted = self._fit(done)
        return self

    def fit_related(self, table: RunTable, related: Sequence[RunTable]) -> Self:
        """Learn from the table's runs, with those of the others as further examples; see `Forecaster.fit_related`.

        As far as the others help is learned on left-out runs of the table. Where fewer than `min_finished` of its own
        have finished the others stand for them, as far as runs in progress stand where these stood. A forecaster that
        starts from scratch has no network that reads examples, and learns from all runs alike.

        Raises:
            UsageError: a related table has other metrics.
        """
        for other in related:
            if set(other.metrics) != set(table.metrics):
                theirs, ours = (", ".join(m.key for m in t.metrics) for t in (other, table))
                raise UsageError(f"related runs must have the same metrics; theirs are {theirs}, these are {ours}")
        tables = [by_name(one) for one in (table, *related)]
        whole = pooled(tables)
        done = finished_runs(whole, at_least=self.min_finished)
        problems = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
        self.fitted = self._fit(done, problems[whole.runs.index.get_indexer(done.runs.index)])
        return self

    @isolated()
    def _fit(self, done: RunTable, problems: NDArray[np.int64] | None = None) -> Fitted:
        """Learn from finished runs; `problems` numbers those that they are of, 0 = the one to forecast, [N]."""
        for target in self.targets or ():
            done.metric(target)  # a wrong one is told before the work, not after
        start = None if self.pretrained is None else load_fitted(self.pretrained, self.device)[0].model
        recipe = Recipe(start, self.settings, self.parts, self.calibrated, self.overrides, self.seed, self.device)
        if problems is None or not problems.any() or not reads_examples(start):
            return recipe.fit(done, self.progress)
        count = int((problems == 0).sum())
        own, related = done.rows(np.arange(count)), RelatedRuns.of(done, problems, self.seed)
        return recipe.fit(own, self.progress, related) if count >= self.min_finished else recipe.borrow(own, related)

    @property
    def related(self) -> int:
        """How many finished runs of related problems it takes for examples."""
        model = None if self.fitted is None else self.fitted.model
        held = model.context.related if isinstance(model, EnsembleModel) else getattr(model, "related", None)
        return 0 if held is None else len(held)

    @property
    def known_metrics(self) -> tuple[Metric, ...]:
        """The metrics the model was fitted on; none for a model that takes any."""
        known = self.fitted.model.preprocessor if self.fitted is not None else None
        return () if known is None else known.metrics

    @isolated()
    def trust(self, table: RunTable | None = None) -> tuple[list[dict[str, str]], list[str]]:
        """What forecasts of left-out finished runs say of the model: rows for a table, and warnings in plain words.

        Args:
            table: runs that are to be forecast: only prefixes of about their lengths are judged. Default: prefixes of
                0 to 70 % of the horizon.
        """
        if self.fitted is None or not isinstance(self.fitted.model, EnsembleModel):
            return [], []
        context = self.fitted.model.context
        cutoffs = context.judged_cutoffs() if table is None else context.cutoffs_of(self._in_own_unit(table))
        figures = out_of_fold_figures(context, cutoffs)
        return trust_rows(figures), trust_warnings(figures)

    @isolated()
    def mean_weights(self) -> dict[str, float]:
        """How much each base model counts, by name; empty for a model that has none."""
        model = self._fitted().model
        return model.context.mean_weights() if isinstance(model, EnsembleModel) else {}

    @property
    def learns_in_context(self) -> bool:
        """Whether finished runs can be taken up: not by a network alone."""
        return self.fitted is not None and not isinstance(self.fitted.model, NetworkAlone)

    @property
    def learned_from(self) -> int:
        """See `Forecaster.learned_from`."""
        return self.fitted.runs if self.fitted is not None and isinstance(self.fitted.model, EnsembleModel) else 0

    @property
    def interrupted(self) -> bool:
        """Whether its fit was cut short; it is then the best model so far."""
        return self.fitted is not None and self.fitted.report.interrupted

    def knows(self, finished: RunTable) -> tuple[str, ...]:
        """Those of these finished runs that it has learned from, told by their curves: it knows how they ended."""
        model = self._fitted().model
        return known_of(model.context, finished) if isinstance(model, EnsembleModel) else ()

    def in_context(self, runs: RunTable) -> LCGODEForecaster:
        """The forecaster that knows these runs beside those that it has learned from.

        Networks stay as they are; what stands beside them (regressors, their weights, the widths of the intervals)
        learns from the finished runs, from at most `CONTEXT_RUNS` of them, when a forecast first needs it. A fitted
        forecaster takes up those that it does not know when there are a quarter more of them, four at least, see
        `lcode.ensemble.later_runs`; one with hardly a run of its own, see `RelatedModel`, takes up the finished ones of
        these. The shipped one, where fewer than `min_finished` have finished with two epochs, compares runs with those
        in progress. Of a table of thousands of runs some are known, see `known_runs`.
        """
        check_table("runs", runs)
        fitted = self._fitted()
        if not self.learns_in_context:
            return self
        if len(runs) > KNOWN_RUNS:
            runs = runs.select(known_runs(runs, seed=self.seed, at_least=self.min_finished))
        known = copy.copy(self)
        known.company = runs
        with isolated():
            if isinstance(fitted.model, EnsembleModel):
                least = max(self.min_finished, (GROWTH - 1) * fitted.runs)
                known.fitted = taking_up(fitted, finished_runs(runs, at_least=0), least)
                return self if known.fitted is fitted and self.company is not None else known
            try:
                done = by_name(finished_runs(runs, at_least=self.min_finished))
            except NotEnoughDataError:
                return known
            if isinstance(fitted.model, RelatedModel):
                start, borrowed = fitted.model.pretrained, fitted.model.borrowed.context
                known.fitted = in_context(
                    start.prior, done, self.seed, parts=borrowed.parts, calibrated=borrowed.calibrated,
                    related=fitted.model.related,
                )  # fmt: skip
            else:
                assert isinstance(fitted.model, PretrainedModel)
                known.fitted = in_context(fitted.model.prior, done, self.seed)
        return known

    def predict(self, table: RunTable, at: At = "horizon", *, context: RunTable | None = None) -> Forecast:
        """Forecast every run of the table; see `Forecaster.predict`.

        What a forecast may know of other runs is what was fitted and the context: it learns from the finished ones, and
        the shipped model compares with those in progress; see `in_context`. A run's forecast depends on the run and the
        context alone, not on what else is in the table. With `targets`, those metrics alone are forecast and the others
        only read.

        Args:
            table: the runs.
            at: when.
            context: runs that are known, these among them or not; default: those of an earlier `in_context`, or else
                the table.

        Raises:
            UsageError: nothing was fitted yet, the table has a metric that the model does not know, or an argument is
                none of these.
        """
        _check_asked(table, at)
        if context is not None:
            check_table("context", context)
        model = self._knowing(table) if context is None else self.in_context(context)
        return model._forecast(model._in_own_unit(table), at)

    def predict_in_blocks(self, table: RunTable, at: At = "horizon", *, runs: int = BLOCK) -> Iterator[Forecast]:
        """The same in parts of so many runs, so that a long table's forecast need not fit into memory.

        Raises:
            UsageError: as `predict`.
        """
        _check_asked(table, at)
        model = self._knowing(table)
        table = model._in_own_unit(table)
        names = table.run_ids
        if at == "full":
            ahead = int((table.runs["horizon"] - table.last_epochs).max()) if len(table) else 1
            epochs = ahead if ahead <= FULL_EPOCHS else GRID
            runs = min(runs, max(BLOCK_CELLS // (max(epochs, 1) * len(table.metrics)), 1))
        for begin in range(0, max(len(names), 1), runs):
            some = names[begin : begin + runs]
            asked = at if isinstance(at, str) else {run: at[run] for run in some if run in at}
            yield model._forecast(table.select(some), asked)

    def _knowing(self, table: RunTable) -> LCGODEForecaster:
        """The forecaster for a table, where nobody says which runs it may know."""
        return self.in_context(table) if self.company is None else self

    def _in_own_unit(self, table: RunTable) -> RunTable:
        """The table in the finest unit of all runs that meet in a forecast; the others are put in that unit too.

        Raises:
            UsageError: its epochs are finer than theirs, and the network was adapted to these.
        """
        fitted = self._fitted()
        model, unit = fitted.model, table.epoch_unit
        compares = self.company is not None and not isinstance(model, EnsembleModel)
        if self.company is not None and compares:
            unit = finer_unit(self.company.epoch_unit, unit)
        if isinstance(model, EnsembleModel | RelatedModel):
            own = model.epoch_unit
            unit = finer_unit(own, unit)
            if unit < 0.999 * own:
                if isinstance(model, EnsembleModel) and model.context.adapted is not None:
                    raise UsageError(
                        f"the model learned from runs whose epochs are multiples of {own:g}, but these are multiples "
                        f"of {table.epoch_unit:g}: fit a model on logs with such epochs"
                    )
                self.fitted = replace(fitted, model=model.in_unit(unit))
            else:
                unit = own
        if self.company is not None and compares:
            self.company = self.company.in_unit(unit)
        return table.in_unit(unit)

    def _fitted(self) -> Fitted:
        if self.fitted is None:
            raise UsageError("this forecaster has not been fitted; call fit(table) or lcode.load(folder) first")
        return self.fitted

    @isolated()
    def _forecast(self, table: RunTable, at: At) -> Forecast:
        model = self._fitted().model
        known = table.metrics if model.preprocessor is None else model.preprocessor.metrics
        wanted = [table.metric(key) for key in self.targets] if self.targets else list(table.metrics)
        missing = [metric.key for metric in wanted if metric not in known]
        if missing:
            raise UsageError(
                f"the model knows nothing of '{missing[0]}'; it was fitted on {', '.join(m.key for m in known)}: "
                "fit a model on logs that have it"
            )
        epochs = query_epochs(table, at)
        predicted = model.predict(table, epochs, table if self.company is None else self.company)
        chosen = [known.index(metric) for metric in wanted]
        correlation = predicted.correlation
        if correlation is not None:  # in model space the metrics of which more is better are turned round
            signs = np.array([metric.sign for metric in wanted])
            correlation = correlation[:, chosen][:, :, chosen] * np.outer(signs, signs)
        return assemble(
            table,
            curve_arrays(table, metrics=tuple(wanted)),
            epochs,
            predicted.quantiles[:, chosen],
            correlation=correlation,
            persistence=predicted.persistence,
            notes=self._remarks(table),
        )

    def _remarks(self, table: RunTable) -> tuple[str, ...]:
        """What the user should know of runs that are unlike those of which something was learned."""
        model = self._fitted().model
        found = [] if model.preprocessor is None else graph_remarks(model.preprocessor, table)
        if isinstance(model, EnsembleModel):
            found += settings_remarks(model.context.finished.configs, table)
        return tuple(found)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model to a folder: `model.safetensors` + `model.json`, both or neither."""
        if self.fitted is None:
            raise UsageError("nothing to save: call fit(table) first")
        extra = {"seed": self.seed, "targets": self.targets, "pretrained": self.pretrained is not None}
        save_fitted(self.fitted, Path(folder), extra)

    @classmethod
    @isolated()
    def load(cls, folder: str | os.PathLike[str], *, device: str = "cpu") -> Self:
        """Read a model that `save` wrote.

        Raises:
            CheckpointError: the folder is damaged, incomplete, or written by a newer version.
        """
        fitted, meta = load_fitted(Path(folder), device)
        with Checkpoint(meta, {}, Path(folder)).reading():
            forecaster = cls(seed=meta["seed"], device=device, targets=meta["targets"])
        forecaster.fitted = fitted
        return forecaster


def _check_asked(table: object, at: object) -> None:
    """Refuse a forecast of what is no table, or at what are no epochs, before anything is learned."""
    check_table("table", table)
    assert isinstance(table, RunTable)
    check_at(table, at)

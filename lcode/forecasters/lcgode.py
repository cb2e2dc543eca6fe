"""LC-GODE behind the forecasters' protocol: fit on finished runs, forecast the others, save and load."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.errors import NotEnoughDataError, UsageError
from lcode.experts.committee import Committee
from lcode.fitting.checkpoint import Checkpoint
from lcode.fitting.ensemble import Ensemble, some_rows
from lcode.fitting.fitted import Fitted
from lcode.fitting.folds import assign_folds
from lcode.fitting.in_context import learn_in_context
from lcode.fitting.loop import FitSettings, Progress, Source, fit_model
from lcode.fitting.network import OutOfFoldNetwork
from lcode.fitting.novelty import scarcity
from lcode.fitting.out_of_fold import PARTS
from lcode.fitting.transfer import transfer
from lcode.fitting.trust import trust_rows, trust_warnings
from lcode.fitting.zero_shot import ZeroShot
from lcode.forecast import FULL_EPOCHS, GRID, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.graphs import unknown_ops
from lcode.isolation import isolated
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import Metric, RunTable, pooled
from lcode.table.axis import finer_unit
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.batch import GraphTensors
from lcode.tensors.collate import Preprocessor, used_graphs

OWN_RUNS = 8
"""With fewer runs of its own a problem is judged on those of its relatives."""

OWN_STEPS, OWN_RATE = 60, 1e-3
"""Steps of adapting a model of all runs to the own ones; 200 overfit 30 runs."""

CONTEXT_RUNS = 200
"""Finished runs that the shipped model takes up at most: of three metrics they take some 8 s on one core, of one 3 s.
Who has more has reason to fit."""

BLOCK, BLOCK_CELLS = 2000, 500_000
"""Runs that are forecast at a time when a forecast is written as it is made; fewer where these have more values (runs ×
metrics × epochs) than 500,000, of which each takes 21 quantiles from every part of the forecast."""

SHIPPED = Path(__file__).parents[1] / "shipped"
"""The checkpoint that comes with the package."""


def settings_for(runs: int, *, config: int = 0, pretrained: bool = False) -> FitSettings:
    """How to train on this many runs: with few, configurations are mostly noise, and long training overfits.

    Measured on 16 runs of the digits problem: with 40 % configuration dropout instead of 10 % Kendall τ at 20 % of the
    horizon was 0.66 instead of 0.62. The same holds where the encoded configuration is wide (37 balancers as
    indicators): on 228 runs of fashion-ink 80 % instead of 10 % took 16 to 20 % off the error. A pretrained model takes
    smaller steps with few runs. Beyond 300 runs steps grow with the root of their number: on 3,665 runs of eight tasks
    of TaskSet 3,000 steps instead of 900 took 22 % off the network's error at a fifth of the horizon.

    Args:
        runs: finished runs to learn from.
        config: width of the encoded configuration.
        pretrained: whether the parameters begin as those of another model.
    """
    many = 1 - scarcity(runs)
    steps, rate = (600 + 300 * many, 2e-3 + 2e-3 * many) if pretrained else (500 + 400 * many, 4e-3)
    steps *= max(math.sqrt(runs / 300), 1.0)
    dropout = min(0.4 - 0.3 * many + 2 * config / runs, 0.9)
    return FitSettings(steps=round(steps), learning_rate=rate, config_dropout=dropout)


class LCGODEForecaster(Forecaster):
    """The project's forecaster.

    Args:
        seed: of initial values, folds and random cutoffs; the same seed on the same machine gives the same numbers.
        settings: how to train; default: by the number of runs, see `settings_for`.
        device: `cpu` or `cuda`.
        progress: called now and then while fitting.
        targets: metrics to forecast, by key; the others are still read. None: all.
        pretrained: folder of a model whose parameters to start from; what it has no parameters for (the table's
            configuration, its metrics' own offsets, its graphs) begins at random or at zero. None: from scratch.
        parts: which of `PARTS` a forecast is made of; the network is trained in any case.
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
        **overrides: Any,
    ) -> None:
        self.seed, self.device, self.progress = seed, device, progress
        self.targets = None if targets is None else list(targets)
        self.pretrained = None if pretrained is None else Path(pretrained)
        self.settings = settings
        self.parts = tuple(parts)
        self.overrides = overrides
        self.fitted: Fitted | None = None

    @classmethod
    def adapted(cls, *, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Self:
        """A forecaster whose fit adapts the shipped checkpoint: what `lcode fit` does."""
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
        done = _by_name(finished_runs(table, at_least=self.min_finished))
        self.fitted = self._fit(done, len(done))
        return self

    def fit_related(self, table: RunTable, related: Sequence[RunTable]) -> Self:
        """Learn from all runs, then adapt to the table's own; weights and widths are read off the own ones.

        See `Forecaster.fit_related`.

        Raises:
            UsageError: a related table has other metrics.
        """
        for other in related:
            if set(other.metrics) != set(table.metrics):
                theirs, ours = (", ".join(m.key for m in t.metrics) for t in (other, table))
                raise UsageError(f"related runs must have the same metrics; theirs are {theirs}, these are {ours}")
        own = _by_name(finished_runs(table, at_least=0))
        others = [_by_name(finished_runs(other, at_least=0)) for other in related]
        done = finished_runs(pooled([own, *others]), at_least=self.min_finished)
        self.fitted = self._fit(done, len(own) if len(own) >= OWN_RUNS else len(done))
        return self

    @isolated()
    def _fit(self, done: RunTable, own: int) -> Fitted:
        """Learn from finished runs, of which the first `own` are those of the problem to forecast."""
        for target in self.targets or ():
            done.metric(target)  # a wrong one is told before the work, not after
        preprocessor = Preprocessor.fit(done)
        tensors = preprocessor.tensors(done)
        model, before = self._model(preprocessor, tensors[1])
        folds = assign_folds(done, max(model.config.members, 5), self.seed)
        source = Source.of(tensors, preprocessor.task_of, folds, self.device)
        generator = torch.Generator(self.device).manual_seed(self.seed)
        settings = self.settings or settings_for(
            len(done), config=preprocessor.config.width, pretrained=before is not None
        )
        report = fit_model(model, [source], settings, generator, self.progress)
        if own < len(done):
            adapting = replace(settings, steps=OWN_STEPS, learning_rate=OWN_RATE)
            fit_model(model, [source.rows(np.arange(own))], adapting, generator)
        ensemble = Ensemble.none()
        if model.config.members > 1:
            rows, mine = some_rows(len(done), own, self.seed)
            finished = _rows(done, rows)
            network, zero_shot = OutOfFoldNetwork(model, source.rows(rows)), None
            if before is not None and before.preprocessor is None:  # one that takes any metrics
                zero_shot = ZeroShot.of(before.model, finished)
            around = network if zero_shot is None else zero_shot.forecasts_of(finished, preprocessor, network)
            committee = Committee(finished, mine, preprocessor.values, folds[rows], around, self.seed)
            ensemble = Ensemble.learn(committee, zero_shot, preprocessor, self.parts, adapted=network)
        return Fitted.of(ensemble, preprocessor, model, report, done)

    def _model(self, preprocessor: Preprocessor, graphs: GraphTensors | None) -> tuple[LCGODE, Fitted | None]:
        """The model before training, and the pretrained one that its parameters come from."""
        pretrained = None if self.pretrained is None else Fitted.load(self.pretrained, self.device)[0]
        widths = {
            "metrics": len(preprocessor.metrics),
            "signals": len(preprocessor.signals),
            "config": preprocessor.config.width,
            "ops": 0 if preprocessor.ops is None else len(preprocessor.ops),
            "node_features": 0 if graphs is None else graphs.x.shape[1],
            "tasks": len(preprocessor.tasks),
            "coupled": len(preprocessor.metrics) > 1,
        }
        config = LCGODEConfig(
            **{**widths, **_sizes(None if pretrained is None else pretrained.model), **self.overrides}
        )
        model = LCGODE(config, torch.Generator().manual_seed(self.seed))
        if pretrained is not None:
            transfer(pretrained.model, model)
        return model.to(self.device), pretrained

    @property
    def known_metrics(self) -> tuple[Metric, ...]:
        """The metrics the model was fitted on; none for a model that takes any."""
        known = self.fitted.preprocessor if self.fitted is not None else None
        return () if known is None else known.metrics

    def trust(self) -> tuple[list[dict[str, str]], list[str]]:
        """What the fit's own backtest says: rows for a table, and warnings in plain words."""
        figures = {} if self.fitted is None else self.fitted.backtest
        return trust_rows(figures), trust_warnings(figures)

    def in_context(self, runs: RunTable) -> LCGODEForecaster:
        """The forecaster that has taken up the finished ones of these runs, where it has learned from none so far.

        The shipped network stays as it is; what stands beside it (regressors, their weights, the widths of the
        intervals) learns from the finished runs, of at most `CONTEXT_RUNS` of them, in a few seconds. A forecaster
        that was fitted, or fewer than `min_finished` finished runs with two epochs: the forecaster itself.
        """
        fitted = self._fitted()
        if fitted.preprocessor is not None:
            return self
        try:
            done = _by_name(finished_runs(runs, at_least=self.min_finished))
        except NotEnoughDataError:
            return self
        rows, _ = some_rows(len(done), len(done), self.seed, CONTEXT_RUNS)
        model = type(self)(seed=self.seed, device=self.device, targets=self.targets)
        with isolated():
            model.fitted = learn_in_context(fitted, _rows(done, rows), self.seed)
        return model

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast every run of the table; see `Forecaster.predict`.

        The shipped model takes up the finished runs of the table; see `in_context`. With `targets`, those metrics alone
        are forecast and the others only read.

        Raises:
            UsageError: nothing was fitted yet, or the table has a metric that the model does not know.
        """
        model = self._in_its_context(table)
        table = model._in_own_unit(table)
        return model._forecast(table, at, model._preprocessor_for(table))

    def predict_in_blocks(self, table: RunTable, at: At = "horizon", *, runs: int = BLOCK) -> Iterator[Forecast]:
        """The same in parts of so many runs, so that a long table's forecast need not fit into memory.

        Raises:
            UsageError: as `predict`.
        """
        model = self._in_its_context(table)
        table = model._in_own_unit(table)
        preprocessor = model._preprocessor_for(table)
        names = table.run_ids
        if at == "full":
            ahead = int((table.runs["horizon"] - table.last_epochs).max()) if len(table) else 1
            epochs = ahead if ahead <= FULL_EPOCHS else GRID
            runs = min(runs, max(BLOCK_CELLS // (max(epochs, 1) * len(table.metrics)), 1))
        for begin in range(0, max(len(names), 1), runs):
            yield model._forecast(table.select(names[begin : begin + runs]), at, preprocessor)

    def _in_its_context(self, table: RunTable) -> LCGODEForecaster:
        """The forecaster that knows the table's finished runs, if there is another to forecast."""
        return self if (table.runs["status"] == "finished").all() else self.in_context(table)

    def _in_own_unit(self, table: RunTable) -> RunTable:
        """The table with epochs in the unit of the finished runs that the model holds prefixes against.

        Raises:
            UsageError: its epochs are finer than theirs, and the network was adapted to these.
        """
        fitted = self._fitted()
        committee = fitted.committee
        if committee is None:
            return table
        own = committee.finished.epoch_unit
        finer = finer_unit(own, table.epoch_unit)
        if finer < 0.999 * own and fitted.adapted:
            raise UsageError(
                f"the model learned from runs whose epochs are multiples of {own:g}, but these are multiples of "
                f"{table.epoch_unit:g}: fit a model on logs with such epochs"
            )
        if finer < 0.999 * own:
            self.fitted = learn_in_context(fitted, committee.finished.in_unit(finer), self.seed)
            own = finer
        return table.in_unit(own)

    def _fitted(self) -> Fitted:
        if self.fitted is None:
            raise UsageError("this forecaster has not been fitted; call fit(table) or lcode.load(folder) first")
        return self.fitted

    @isolated()
    def _preprocessor_for(self, table: RunTable) -> Preprocessor:
        return self._fitted().preprocessor_for(table)

    @isolated()
    def _forecast(self, table: RunTable, at: At, preprocessor: Preprocessor) -> Forecast:
        known = preprocessor.metrics
        wanted = [table.metric(key) for key in self.targets] if self.targets else list(table.metrics)
        missing = [metric.key for metric in wanted if metric not in known]
        if missing:
            raise UsageError(
                f"the model knows nothing of '{missing[0]}'; it was fitted on {', '.join(m.key for m in known)}: "
                "fit a model on logs that have it"
            )
        epochs = query_epochs(table, at)
        quantiles = self._fitted().quantiles(table, epochs, preprocessor)
        chosen = [known.index(metric) for metric in wanted]
        calibration, arrays = self._fitted().calibration, curve_arrays(table, metrics=tuple(wanted))
        shares = np.clip(arrays.last_epochs.max(1) / table.runs["horizon"].to_numpy(), 0, 1)
        correlation = calibration.matrices(shares, chosen)
        if correlation is not None:  # in model space the metrics of which more is better are turned round
            signs = np.array([metric.sign for metric in wanted])
            correlation = correlation * np.outer(signs, signs)
        return assemble(
            table,
            arrays,
            epochs,
            quantiles[:, chosen],
            correlation=correlation,
            persistence=calibration.persistence,
            notes=self._graph_notes(table),
        )

    def _graph_notes(self, table: RunTable) -> tuple[str, ...]:
        """What the user should know of the architectures: operations never seen, or graphs that are not there."""
        ops = None if self.fitted is None or self.fitted.preprocessor is None else self.fitted.preprocessor.ops
        if ops is None:
            return ()
        graphs = used_graphs(table)
        notes = []
        unknown = unknown_ops(graphs.values(), ops)
        if unknown:
            listed = ", ".join(f"{op} ({count} nodes)" for op, count in unknown.items())
            notes.append(f"operations that the model never saw, read as one unknown kind: {listed}.")
        without = int((~table.runs["arch"].isin(list(graphs))).sum())
        if without:
            notes.append(
                f"the model learned from architecture graphs, and {without} of {len(table)} runs have none: their "
                "forecasts are poorer; give them with --graphs."
            )
        return tuple(notes)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model to a folder: `model.safetensors` + `model.json`, both or neither."""
        if self.fitted is None:
            raise UsageError("nothing to save: call fit(table) first")
        extra = {"seed": self.seed, "targets": self.targets, "pretrained": self.pretrained is not None}
        self.fitted.save(Path(folder), extra)

    @classmethod
    @isolated()
    def load(cls, folder: str | os.PathLike[str], *, device: str = "cpu") -> Self:
        """Read a model that `save` wrote.

        Raises:
            CheckpointError: the folder is damaged, incomplete, or written by a newer version.
        """
        fitted, meta = Fitted.load(Path(folder), device)
        with Checkpoint(meta, {}, Path(folder)).reading():
            forecaster = cls(seed=meta["seed"], device=device, targets=meta["targets"])
        forecaster.fitted = fitted
        return forecaster


def _by_name(table: RunTable) -> RunTable:
    """The runs in the order of their names: the order of the logs must not matter."""
    return table.select(sorted(table.run_ids))


def _rows(table: RunTable, rows: NDArray[np.int64]) -> RunTable:
    return table.select([table.run_ids[row] for row in rows])


def _sizes(pretrained: LCGODE | None) -> dict[str, Any]:
    """The fields of `LCGODEConfig` that do not follow from the data: a model has them in common with its start."""
    names = ("members", "latent", "hidden", "nodes", "solver", "anchored", "controlled")
    return {} if pretrained is None else {name: getattr(pretrained.config, name) for name in names}

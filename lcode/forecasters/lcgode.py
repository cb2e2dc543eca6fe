"""LC-GODE behind the forecasters' protocol: fit on finished runs, forecast the others, save and load."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from lcode.errors import UsageError
from lcode.fitting.calibration import Calibration, calibrate, out_of_fold
from lcode.fitting.checkpoint import Checkpoint
from lcode.fitting.fitted import Fitted
from lcode.fitting.folds import assign_folds
from lcode.fitting.loop import FitSettings, Progress, Source, fit_model
from lcode.fitting.transfer import transfer
from lcode.fitting.trust import left_out_figures, trust_rows, trust_warnings
from lcode.forecast import Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.graphs import unknown_ops
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import Metric, RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.collate import Preprocessor, used_graphs
from lcode.threads import limited_threads

SHIPPED = Path(__file__).parents[1] / "shipped"
"""The checkpoint that comes with the package."""


def settings_for(runs: int, *, pretrained: bool = False) -> FitSettings:
    """How to train on this many runs: with few, configurations are mostly noise, and long training overfits.

    Measured on 16 runs of the digits problem: with 40 % configuration dropout instead of 10 % Kendall τ at 20 % of the
    horizon was 0.66 instead of 0.62, and 0.43 instead of 0.36 after one epoch. A pretrained model takes fewer and
    smaller steps there; with many runs it takes as many as a fit from scratch.
    """
    many = min(max(math.log(runs / 30) / math.log(4), 0.0), 1.0)  # 0 up to 30 runs, 1 from 120
    steps, rate = (300 + 600 * many, 2e-3 + 2e-3 * many) if pretrained else (500 + 400 * many, 4e-3)
    return FitSettings(steps=round(steps), learning_rate=rate, config_dropout=0.4 - 0.3 * many)


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
        **overrides: Any,
    ) -> None:
        self.seed, self.device, self.progress = seed, device, progress
        self.targets = None if targets is None else list(targets)
        self.pretrained = None if pretrained is None else Path(pretrained)
        self.settings = settings
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
        done = finished_runs(table, at_least=self.min_finished)
        with limited_threads(1):
            self.fitted = self._fit(done)
        return self

    def _fit(self, done: RunTable) -> Fitted:
        for target in self.targets or ():
            done.metric(target)  # a wrong one is told before the work, not after
        pretrained = None if self.pretrained is None else Fitted.load(self.pretrained, "cpu")[0].model
        preprocessor = Preprocessor.fit(done)
        runs, graphs = preprocessor.tensors(done)
        widths = {
            "metrics": len(preprocessor.metrics),
            "signals": len(preprocessor.signals),
            "config": preprocessor.config.width,
            "ops": 0 if preprocessor.ops is None else len(preprocessor.ops),
            "node_features": 0 if graphs is None else graphs.x.shape[1],
            "tasks": len(preprocessor.tasks),
            "coupled": len(preprocessor.metrics) > 1,
        }
        config = LCGODEConfig(**{**widths, **_sizes(pretrained), **self.overrides})
        generator = torch.Generator().manual_seed(self.seed)
        model = LCGODE(config, generator)
        if pretrained is not None:
            transfer(pretrained, model)
        model = model.to(self.device)
        runs, graphs = runs.to(self.device), None if graphs is None else graphs.to(self.device)
        folds = torch.from_numpy(assign_folds(done, max(config.members, 5), self.seed)).to(self.device)
        task_of = torch.tensor(preprocessor.task_of, device=self.device)
        generator = torch.Generator(self.device).manual_seed(self.seed)
        source = Source(runs, graphs, task_of, folds)
        settings = self.settings or settings_for(len(done), pretrained=pretrained is not None)
        report = fit_model(model, [source], settings, generator, self.progress)
        forecasts = out_of_fold(model, source) if config.members > 1 else []
        calibration = calibrate(forecasts) if forecasts else Calibration.none()
        return Fitted(
            preprocessor=preprocessor,
            model=model,
            calibration=calibration,
            report=report,
            runs=len(done),
            data_digest=_digest(done),
            backtest=left_out_figures(forecasts, preprocessor, calibration),
        )

    @property
    def known_metrics(self) -> tuple[Metric, ...]:
        """The metrics the model was fitted on; none for a model that takes any."""
        known = self.fitted.preprocessor if self.fitted is not None else None
        return () if known is None else known.metrics

    def trust(self) -> tuple[list[dict[str, str]], list[str]]:
        """What the fit's own backtest says: rows for a table, and warnings in plain words."""
        figures = {} if self.fitted is None else self.fitted.backtest
        return trust_rows(figures), trust_warnings(figures)

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast every run of the table; see `Forecaster.predict`.

        With `targets`, those metrics alone are forecast and the others only read.

        Raises:
            UsageError: nothing was fitted yet, or the table has a metric that the model does not know.
        """
        if self.fitted is None:
            raise UsageError("this forecaster has not been fitted; call fit(table) or lcode.load(folder) first")
        known = self.fitted.preprocessor_for(table).metrics
        wanted = [table.metric(key) for key in self.targets] if self.targets else list(table.metrics)
        missing = [metric.key for metric in wanted if metric not in known]
        if missing:
            raise UsageError(
                f"the model knows nothing of '{missing[0]}'; it was fitted on {', '.join(m.key for m in known)}: "
                "fit a model on logs that have it"
            )
        epochs = query_epochs(table, at)
        with limited_threads(1):
            quantiles = self.fitted.quantiles(table, epochs)
        chosen = [known.index(metric) for metric in wanted]
        return assemble(
            table,
            curve_arrays(table, metrics=tuple(wanted)),
            epochs,
            quantiles[:, chosen],
            correlation=self.fitted.calibration.matrix(chosen),
            persistence=self.fitted.calibration.persistence,
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


def _sizes(pretrained: LCGODE | None) -> dict[str, Any]:
    """The fields of `LCGODEConfig` that do not follow from the data: a model has them in common with its start."""
    names = ("members", "latent", "hidden", "nodes", "solver", "anchored", "controlled")
    return {} if pretrained is None else {name: getattr(pretrained.config, name) for name in names}


def _digest(table: RunTable) -> str:
    points = table.points.astype({"run": str, "metric": str})
    return hashlib.sha256(points.to_csv(index=False).encode()).hexdigest()[:16]

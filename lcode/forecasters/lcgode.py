"""LC-GODE behind the forecasters' protocol: fit on finished runs, forecast the others, save and load."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.errors import UsageError
from lcode.fitting.calibration import Calibration, OutOfFold, calibrate, out_of_fold
from lcode.fitting.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.fitting.loop import FitReport, FitSettings, Progress, fit_model
from lcode.fitting.threads import limited_threads
from lcode.forecast import NO_EPOCH, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays
from lcode.tensors.batch import CurveBatch, GraphTensors, RunTensors
from lcode.tensors.collate import Preprocessor

CHUNK = 128
"""Runs per call of the model when forecasting: bounds the memory whatever the size of the table."""

MAX_DECODED = 24
"""A longer future is decoded at this many epochs and interpolated in between."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves: all that a forecast needs and a checkpoint stores.

    Attributes:
        preprocessor: how tables become tensors.
        model: the trained members.
        calibration: widths and correlations from the left-out folds.
        report: how the fit went.
        runs: number of finished runs it learned from.
        data_digest: of the training points, so that two models can be told to stem from the same data.
        backtest: figures on the left-out folds beside the last value's; see `left_out_figures`.
    """

    preprocessor: Preprocessor
    model: LCGODE
    calibration: Calibration
    report: FitReport
    runs: int
    data_digest: str
    backtest: dict[str, Any]


class LCGODEForecaster(Forecaster):
    """The project's forecaster.

    Args:
        seed: of initial values, folds and random cutoffs; the same seed on the same machine gives the same numbers.
        settings: how to train.
        device: `cpu` or `cuda`.
        progress: called now and then while fitting.
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
        **overrides: Any,
    ) -> None:
        self.seed, self.device, self.progress = seed, device, progress
        self.settings = settings or FitSettings()
        self.overrides = overrides
        self.fitted: Fitted | None = None

    @classmethod
    def paper(cls, *, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Self:
        """The published recipe (arXiv 2412.15554), K = 1 for every metric and coupling off, to be measured beside ours.

        One member, latent size 16, the curve decoded as it is from epoch 0 (no anchor), a normal likelihood, the
        architecture but neither configuration nor schedule, prefixes of 20 % of the horizon, a constant AdamW rate
        of 1e-3. The best epoch is chosen on a left-out fold, where the published code chose it on test data.
        """
        settings = FitSettings(
            steps=1200, learning_rate=1e-3, schedule=False, fixed_share=0.2, likelihood="gaussian", kl_weight=1e-2,
            config_dropout=1.0, patience=24,
        )  # fmt: skip
        return cls(
            seed=seed, settings=settings, device=device, progress=progress,
            members=1, latent=16, coupled=False, anchored=False, controlled=False,
        )  # fmt: skip

    def fit(self, table: RunTable) -> Self:
        """Learn from the finished runs; see `Forecaster.fit`."""
        done = finished_runs(table, at_least=self.min_finished)
        with limited_threads():
            self.fitted = self._fit(done)
        return self

    def _fit(self, done: RunTable) -> Fitted:
        preprocessor = Preprocessor.fit(done)
        runs, graphs = preprocessor.tensors(done)
        config = LCGODEConfig(
            metrics=len(preprocessor.metrics),
            signals=len(preprocessor.signals),
            config=preprocessor.config.width,
            ops=0 if preprocessor.ops is None else len(preprocessor.ops),
            node_features=0 if graphs is None else graphs.x.shape[1],
            tasks=len(preprocessor.tasks),
            **{"coupled": len(preprocessor.metrics) > 1, **self.overrides},
        )
        generator = torch.Generator().manual_seed(self.seed)
        model = LCGODE(config, generator).to(self.device)
        folds = torch.from_numpy(_folds(done, max(config.members, 5), self.seed))
        task_of = torch.tensor(preprocessor.task_of)
        report = fit_model(model, runs, graphs, task_of, folds, self.settings, generator, self.progress)
        forecasts = out_of_fold(model, runs, graphs, task_of, folds) if config.members > 1 else []
        calibration = calibrate(forecasts) if forecasts else Calibration.none(config.metrics)
        return Fitted(
            preprocessor, model, calibration, report, len(done), _digest(done),
            left_out_figures(forecasts, preprocessor),
        )  # fmt: skip

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast every run of the table; see `Forecaster.predict`.

        Raises:
            UsageError: nothing was fitted yet, or the table has a metric that the model does not know.
        """
        if self.fitted is None:
            raise UsageError("this forecaster has not been fitted; call fit(table) or lcode.load(folder) first")
        known = self.fitted.preprocessor.metrics
        missing = [metric.key for metric in table.metrics if metric not in known]
        if missing:
            raise UsageError(
                f"the model knows nothing of '{missing[0]}'; it was fitted on {', '.join(m.key for m in known)}: "
                "fit a model on logs that have it"
            )
        epochs = query_epochs(table, at)
        with limited_threads():
            quantiles = self._quantiles(table, epochs)
        chosen = [known.index(metric) for metric in table.metrics]
        correlation = np.array(self.fitted.calibration.correlation)[np.ix_(chosen, chosen)]
        return assemble(
            table, curve_arrays(table), epochs, quantiles[:, chosen],
            correlation=correlation, persistence=self.fitted.calibration.persistence,
        )  # fmt: skip

    def _quantiles(self, table: RunTable, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Calibrated quantiles in natural units for all the model's metrics, [R, K, Q, 21]."""
        assert self.fitted is not None
        runs, graphs = self.fitted.preprocessor.tensors(table)
        parts = [
            self._chunk(runs.rows(torch.arange(begin, min(begin + CHUNK, len(runs)))), graphs, epochs[begin : begin + CHUNK])
            for begin in range(0, len(runs), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.fitted.preprocessor.metrics), 1, 21))

    def _chunk(
        self, runs: RunTensors, graphs: GraphTensors | None, epochs: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        assert self.fitted is not None
        model, preprocessor = self.fitted.model, self.fitted.preprocessor
        there = runs.present.any(1)
        last = torch.where(there, runs.epochs, -1).amax(1)
        # With nothing observed the forecast starts one epoch before the first that could be.
        batch = CurveBatch(runs, torch.where(last >= 0, last, 0.0).to(self.device))
        asked = np.where(epochs == NO_EPOCH, epochs.max(1, keepdims=True), epochs).astype(float)
        decoded = _decoded_epochs(asked)
        with torch.no_grad():
            posterior, anchor = model.encode(batch, graphs, torch.tensor(preprocessor.task_of))
            members = model(posterior, anchor, batch, torch.from_numpy(decoded).float())
        scaled = members.mean(0).double().cpu().numpy()
        scaled = self.fitted.calibration.widen(scaled, (batch.cutoffs / runs.horizons).clamp(0, 1).double().numpy())
        if decoded.shape != asked.shape:
            scaled = _interpolate_queries(scaled, decoded, asked)
        return preprocessor.values.unscale(scaled)

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder: `model.safetensors` + `model.json`, both or neither."""
        if self.fitted is None:
            raise UsageError("nothing to save: call fit(table) first")
        done = self.fitted
        meta = {
            "seed": self.seed,
            "model": done.model.config.to_json(),
            "preprocessor": done.preprocessor.to_json(),
            "calibration": done.calibration.to_json(),
            "fit": dataclasses.asdict(done.report),
            "settings": dataclasses.asdict(self.settings),
            "runs": done.runs,
            "data_digest": done.data_digest,
            "backtest": done.backtest,
        }
        write_checkpoint(Path(folder), Checkpoint(meta, done.model.state_dict()))

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> Self:
        """Read a model that `save` wrote.

        Raises:
            CheckpointError: the folder is damaged, incomplete, or written by a newer version.
        """
        checkpoint = read_checkpoint(Path(folder))
        meta = checkpoint.meta
        with checkpoint.reading():
            config = LCGODEConfig(**meta["model"])
            model = LCGODE(config, torch.Generator().manual_seed(0))
            model.load_state_dict(checkpoint.tensors)
            forecaster = cls(seed=meta["seed"], settings=FitSettings(**meta["settings"]), device=device)
            forecaster.fitted = Fitted(
                Preprocessor.from_json(meta["preprocessor"]), model.to(device),
                Calibration.from_json(meta["calibration"]), FitReport(**meta["fit"]),
                meta["runs"], meta["data_digest"], meta["backtest"],
            )  # fmt: skip
        return forecaster


def left_out_figures(forecasts: list[OutOfFold], preprocessor: Preprocessor) -> dict[str, Any]:
    """How well each prefix forecasts the left-out runs' final values, beside the last value.

    Returns:
        For each share of the horizon and metric: `final_mae`, `last_final_mae` in natural units and `coverage90`.
    """
    figures: dict[str, Any] = {}
    for part in forecasts:
        quantiles = preprocessor.values.unscale(part.quantiles[:, :, -1])
        truth = preprocessor.values.unscale(part.truth[..., -1])
        last = preprocessor.values.unscale(part.last)
        inside = (truth >= quantiles[..., 1]) & (truth <= quantiles[..., -2])
        known = np.isfinite(truth)
        figures[f"{part.share:g}"] = {
            metric.key: {
                "final_mae": float(np.abs(quantiles[:, k, 10] - truth[:, k])[known[:, k]].mean()),
                "last_final_mae": float(np.abs(last[:, k] - truth[:, k])[known[:, k]].mean()),
                "coverage90": float(inside[:, k][known[:, k]].mean()),
            }
            for k, metric in enumerate(preprocessor.metrics)
            if known[:, k].any()
        }
    return figures


def _folds(table: RunTable, count: int, seed: int) -> NDArray[np.int64]:
    """A fold for each run, [R]; runs of equal configuration share one, so that a twin never gives a fold away."""
    settings = table.configs.drop(columns="seed", errors="ignore").assign(arch=table.runs["arch"])
    group = settings.map(str).groupby(list(settings.columns), sort=False).ngroup().to_numpy()
    order = np.random.default_rng(seed).permutation(group.max() + 1)
    return (order[group] % count).astype(np.int64)


def _digest(table: RunTable) -> str:
    points = table.points.astype({"run": str, "metric": str})
    return hashlib.sha256(points.to_csv(index=False).encode()).hexdigest()[:16]


def _decoded_epochs(asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """The epochs at which to decode: those asked for, or `MAX_DECODED` of a long future, close together early."""
    if asked.shape[1] <= MAX_DECODED:
        return asked
    first, end = np.sqrt(asked.min(1, keepdims=True)), np.sqrt(asked.max(1, keepdims=True))
    return (first + np.linspace(0, 1, MAX_DECODED) * (end - first)) ** 2


def _interpolate_queries(
    values: NDArray[np.float64], at: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values [B, K, D, 21] at epochs [B, D] to epochs [B, Q], linear in the root of the epoch, on which D is equidistant."""
    low, high = np.sqrt(at[:, :1]), np.sqrt(at[:, -1:])
    place = (np.sqrt(asked) - low) / np.maximum(high - low, 1e-9) * (at.shape[1] - 1)
    left = np.clip(place.astype(np.int64), 0, at.shape[1] - 2)
    share = np.clip(place - left, 0, 1)[:, None, :, None]
    left = left[:, None, :, None]
    below, above = np.take_along_axis(values, left, 2), np.take_along_axis(values, left + 1, 2)
    return (1 - share) * below + share * above

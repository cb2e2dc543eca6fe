"""A fitted model as a value: it turns a table into quantiles, and itself into a checkpoint and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.fitting.calibration import Calibration
from lcode.fitting.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.fitting.loop import FitReport
from lcode.forecast import NO_EPOCH
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import RunTable
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
        preprocessor: how tables become tensors; None for a model that scales each table by its own first values
            and so knows no metric by name (the shipped one).
        model: the trained members.
        calibration: widths and correlations from the left-out folds.
        report: how the fit went.
        runs: number of finished runs it learned from.
        data_digest: of the training points, so that two models can be told to stem from the same data.
        backtest: figures on the left-out folds beside the last value's; see `left_out_figures`.
    """

    preprocessor: Preprocessor | None
    model: LCGODE
    calibration: Calibration
    report: FitReport
    runs: int
    data_digest: str
    backtest: dict[str, Any]

    def preprocessor_for(self, table: RunTable) -> Preprocessor:
        """How this table becomes tensors."""
        return self.preprocessor or Preprocessor.generic(table)

    def quantiles(self, table: RunTable, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Calibrated quantiles in natural units, [R, K, Q, 21], for the K metrics of `preprocessor_for(table)`.

        Args:
            table: R runs, cut to what was observed.
            epochs: query epochs, padded with `NO_EPOCH`, [R, Q].
        """
        preprocessor = self.preprocessor_for(table)
        runs, graphs = preprocessor.tensors(table)
        parts = []
        for begin in range(0, len(runs), CHUNK):
            rows = torch.arange(begin, min(begin + CHUNK, len(runs)))
            parts.append(self._chunk(preprocessor, runs.rows(rows), graphs, epochs[begin : begin + CHUNK]))
        return np.concatenate(parts) if parts else np.empty((0, len(preprocessor.metrics), 1, 21))

    def _chunk(
        self,
        preprocessor: Preprocessor,
        runs: RunTensors,
        graphs: GraphTensors | None,
        epochs: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        device = next(self.model.parameters()).device
        last = torch.where(runs.present.any(1), runs.epochs, -1).amax(1)
        # With nothing observed the forecast starts one epoch before the first that could be.
        batch = CurveBatch(runs.to(device), torch.where(last >= 0, last, 0.0).to(device))
        asked = np.where(epochs == NO_EPOCH, epochs.max(1, keepdims=True), epochs).astype(float)
        decoded = _decoded_epochs(asked)
        task_of = torch.tensor(preprocessor.task_of, device=device)
        with torch.no_grad():
            posterior, anchor = self.model.encode(batch, None if graphs is None else graphs.to(device), task_of)
            members = self.model(posterior, anchor, batch, torch.from_numpy(decoded).float().to(device))
        scaled = members.mean(0).double().cpu().numpy()
        shares = (batch.cutoffs / batch.runs.horizons).clamp(0, 1).double().cpu().numpy()
        scaled = self.calibration.widen(scaled, shares)
        if decoded.shape != asked.shape:
            scaled = _interpolate_queries(scaled, decoded, asked)
        return preprocessor.values.unscale(scaled)

    def save(self, folder: Path, extra: dict[str, Any]) -> None:
        """Write to a folder: `model.safetensors` + `model.json`, both or neither; `extra` goes into the latter."""
        meta = {
            "model": self.model.config.to_json(),
            "preprocessor": None if self.preprocessor is None else self.preprocessor.to_json(),
            "calibration": self.calibration.to_json(),
            # Without the seconds: the same seed leaves the same files.
            "fit": {name: value for name, value in dataclasses.asdict(self.report).items() if name != "seconds"},
            "runs": self.runs,
            "data_digest": self.data_digest,
            "backtest": self.backtest,
            **extra,
        }
        write_checkpoint(folder, Checkpoint(meta, self.model.state_dict()))

    @classmethod
    def load(cls, folder: Path, device: str) -> tuple[Self, dict[str, Any]]:
        """Read what `save` wrote, and its `model.json`.

        Raises:
            CheckpointError: the folder is damaged, incomplete, or written by a newer version.
        """
        checkpoint = read_checkpoint(folder)
        meta = checkpoint.meta
        with checkpoint.reading():
            model = LCGODE(LCGODEConfig(**meta["model"]), torch.Generator().manual_seed(0))
            model.load_state_dict(checkpoint.tensors)
            fitted = cls(
                preprocessor=None if meta["preprocessor"] is None else Preprocessor.from_json(meta["preprocessor"]),
                model=model.to(device),
                calibration=Calibration.from_json(meta["calibration"]),
                report=FitReport(**meta["fit"]),
                runs=meta["runs"],
                data_digest=meta["data_digest"],
                backtest=meta["backtest"],
            )
        return fitted, meta


def _decoded_epochs(asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """The epochs at which to decode: those asked for, or `MAX_DECODED` of a long future, close together early."""
    if asked.shape[1] <= MAX_DECODED:
        return asked
    first, end = np.sqrt(asked.min(1, keepdims=True)), np.sqrt(asked.max(1, keepdims=True))
    return (first + np.linspace(0, 1, MAX_DECODED) * (end - first)) ** 2


def _interpolate_queries(
    values: NDArray[np.float64], at: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values [B, K, D, 21] at epochs [B, D], equidistant in their roots, to epochs [B, Q], linear in the root."""
    low, high = np.sqrt(at[:, :1]), np.sqrt(at[:, -1:])
    place = (np.sqrt(asked) - low) / np.maximum(high - low, 1e-9) * (at.shape[1] - 1)
    left = np.clip(place.astype(np.int64), 0, at.shape[1] - 2)
    share = np.clip(place - left, 0, 1)[:, None, :, None]
    left = left[:, None, :, None]
    below, above = np.take_along_axis(values, left, 2), np.take_along_axis(values, left + 1, 2)
    return (1 - share) * below + share * above

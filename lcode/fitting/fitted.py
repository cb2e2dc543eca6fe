"""A fitted model as a value: it turns a table into quantiles, and itself into a checkpoint and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.committee import Committee, Observed
from lcode.fitting.among_others import among_others
from lcode.fitting.blend import Blend
from lcode.fitting.calibration import Calibration
from lcode.fitting.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.fitting.loop import FitReport
from lcode.forecast import LEVELS, NO_EPOCH
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.batch import CurveBatch, GraphTensors, RunTensors
from lcode.tensors.collate import Preprocessor

Array = NDArray[np.float64]

NETWORK_PREFIX, COMMITTEE_PREFIX = "model.", "finished."
"""Of the names in `model.safetensors`: the network's parameters, and the finished runs that forecasts rest on."""

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
        committee: regressors on the finished runs beside the model, and `blend`, how much each counts; None: the
            model alone.
        calibration: widths and correlations from the left-out folds.
        report: how the fit went.
        runs: number of finished runs it learned from.
        data_digest: of the training points, so that two models can be told to stem from the same data.
        backtest: figures on the left-out folds beside simple forecasts; see `left_out_figures`.
    """

    preprocessor: Preprocessor | None
    model: LCGODE
    committee: Committee | None
    blend: Blend | None
    calibration: Calibration
    report: FitReport
    runs: int
    data_digest: str
    backtest: dict[str, Any]

    def preprocessor_for(self, table: RunTable) -> Preprocessor:
        """How this table becomes tensors."""
        return self.preprocessor or Preprocessor.generic(table)

    def quantiles(self, table: RunTable, epochs: NDArray[np.int64], preprocessor: Preprocessor | None = None) -> Array:
        """Calibrated quantiles in natural units, [R, K, Q, 21], for the K metrics of the preprocessor.

        Args:
            table: R runs, cut to what was observed.
            epochs: query epochs, padded with `NO_EPOCH`, [R, Q].
            preprocessor: `preprocessor_for` of a larger table of which this is a part; default: of this one.
        """
        preprocessor = preprocessor or self.preprocessor_for(table)
        runs, graphs = preprocessor.tensors(table)
        seen = torch.where(runs.present.any(1), runs.epochs, -1).amax(1).long().numpy()
        asked = np.where(epochs == NO_EPOCH, epochs.max(1, keepdims=True), epochs)
        shares = np.clip(seen / runs.horizons.double().numpy(), 0, 1)
        result = np.empty((len(runs), len(preprocessor.metrics), epochs.shape[1], len(LEVELS)))
        last = curve_arrays(table, metrics=preprocessor.metrics).last_values
        for cutoff in np.unique(seen).tolist():
            together = np.flatnonzero(seen == cutoff)
            observed = self._observed(table, together, cutoff, preprocessor)
            for begin in range(0, len(together), CHUNK):
                rows = together[begin : begin + CHUNK]
                chosen = runs.rows(torch.from_numpy(rows))
                mixed = self._network(preprocessor, chosen, graphs, asked[rows].astype(float))
                if self.committee is not None and self.blend is not None and observed is not None:
                    beside = self.committee.predict(observed.rows(slice(begin, begin + CHUNK)), asked[rows])
                    mixed = self.blend.mix(np.concatenate([mixed[None], beside]), shares[rows])
                elif self.preprocessor is None:
                    mixed = among_others(mixed, preprocessor.values.scale(last[rows]), asked[rows])
                start, end = max(cutoff, 0), chosen.horizons.numpy()[:, None]
                leads = np.clip((asked[rows] - start) / np.maximum(end - start, 1), 0, 1)
                result[rows] = preprocessor.values.unscale(self.calibration.widen(mixed, shares[rows], leads))
        return result

    def _observed(
        self, table: RunTable, rows: NDArray[np.int64], cutoff: int, preprocessor: Preprocessor
    ) -> Observed | None:
        """What the committee must know of these runs, if there is one."""
        if self.committee is None:
            return None
        part = table if len(rows) == len(table) else table.select([table.run_ids[row] for row in rows])
        return self.committee.observe(part, cutoff, preprocessor.metrics)

    def _network(
        self, preprocessor: Preprocessor, runs: RunTensors, graphs: GraphTensors | None, asked: Array
    ) -> Array:
        """The members' mean quantiles in model space, [R, K, Q, 21]."""
        device = next(self.model.parameters()).device
        last = torch.where(runs.present.any(1), runs.epochs, -1).amax(1)
        # With nothing observed the forecast starts one epoch before the first that could be.
        batch = CurveBatch(runs.to(device), torch.where(last >= 0, last, 0.0).to(device))
        decoded = _decoded_epochs(asked)
        task_of = torch.tensor(preprocessor.task_of, device=device)
        with torch.no_grad():
            posterior, anchor = self.model.encode(batch, None if graphs is None else graphs.to(device), task_of)
            members = self.model(posterior, anchor, batch, torch.from_numpy(decoded).float().to(device))
        scaled = members.mean(0).double().cpu().numpy()
        return scaled if decoded.shape == asked.shape else _interpolate_queries(scaled, decoded, asked)

    def save(self, folder: Path, extra: dict[str, Any]) -> None:
        """Write to a folder: `model.safetensors` + `model.json`, both or neither; `extra` goes into the latter."""
        meta = {
            "model": self.model.config.to_json(),
            "preprocessor": None if self.preprocessor is None else self.preprocessor.to_json(),
            "calibration": self.calibration.to_json(),
            "blend": None if self.blend is None else self.blend.to_json(),
            # Without the seconds: the same seed leaves the same files.
            "fit": {name: value for name, value in dataclasses.asdict(self.report).items() if name != "seconds"},
            "runs": self.runs,
            "data_digest": self.data_digest,
            "backtest": self.backtest,
            **extra,
        }
        tensors = {NETWORK_PREFIX + name: value for name, value in self.model.state_dict().items()}
        if self.committee is not None:
            meta["committee"], arrays = self.committee.pack()
            tensors |= {COMMITTEE_PREFIX + name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        write_checkpoint(folder, Checkpoint(meta, tensors))

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
            model.load_state_dict(_part(checkpoint.tensors, NETWORK_PREFIX))
            preprocessor = None if meta["preprocessor"] is None else Preprocessor.from_json(meta["preprocessor"])
            committee = None
            if preprocessor is not None and meta.get("committee") is not None:
                arrays = {name: value.numpy() for name, value in _part(checkpoint.tensors, COMMITTEE_PREFIX).items()}
                committee = Committee.unpack(meta["committee"], arrays, preprocessor.values)
            fitted = cls(
                preprocessor=preprocessor,
                model=model.to(device),
                committee=committee,
                blend=None if meta["blend"] is None else Blend.from_json(meta["blend"]),
                calibration=Calibration.from_json(meta["calibration"]),
                report=FitReport(**meta["fit"]),
                runs=meta["runs"],
                data_digest=meta["data_digest"],
                backtest=meta["backtest"],
            )
        return fitted, meta


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _decoded_epochs(asked: Array) -> Array:
    """The epochs at which to decode: those asked for, or `MAX_DECODED` of a long future, close together early."""
    if asked.shape[1] <= MAX_DECODED:
        return asked
    first, end = np.sqrt(asked.min(1, keepdims=True)), np.sqrt(asked.max(1, keepdims=True))
    return (first + np.linspace(0, 1, MAX_DECODED) * (end - first)) ** 2


def _interpolate_queries(values: Array, at: Array, asked: Array) -> Array:
    """Values [B, K, D, 21] at epochs [B, D], equidistant in their roots, to epochs [B, Q], linear in the root."""
    low, high = np.sqrt(at[:, :1]), np.sqrt(at[:, -1:])
    place = (np.sqrt(asked) - low) / np.maximum(high - low, 1e-9) * (at.shape[1] - 1)
    left = np.clip(place.astype(np.int64), 0, at.shape[1] - 2)
    share = np.clip(place - left, 0, 1)
    # As a product of matrices: several times faster than picking neighbours.
    matrix = np.zeros((*asked.shape, at.shape[1]))
    np.put_along_axis(matrix, left[..., None], (1 - share)[..., None], -1)
    np.put_along_axis(matrix, left[..., None] + 1, share[..., None], -1)
    return np.matmul(matrix[:, None], values)

"""A fitted model as a value: it turns a table into quantiles, and itself into a checkpoint and back."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.committee import Committee, Observed, OutOfFoldForecast
from lcode.experts.reach import within
from lcode.fitting.calibration import Calibration
from lcode.fitting.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from lcode.fitting.ensemble import Ensemble
from lcode.fitting.loop import FitReport, Source
from lcode.fitting.network import OutOfFoldNetwork, network_quantiles
from lcode.fitting.order import in_careful_order
from lcode.fitting.shares import leads_of
from lcode.fitting.stacking import Stacking
from lcode.fitting.zero_shot import ZeroShot, centre
from lcode.forecast import LEVELS, NO_EPOCH
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.collate import Preprocessor
from lcode.tensors.scaling import ROOM

Array = NDArray[np.float64]

NETWORK_PREFIX, START_PREFIX, COMMITTEE_PREFIX = "model.", "start.", "finished."
"""Of the names in `model.safetensors`: the network's parameters, those it started from, and the finished runs."""

CHUNK = 128
"""Runs per call of the model when forecasting: bounds the memory whatever the size of the table."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves: all that a forecast needs and a checkpoint stores.

    Attributes:
        preprocessor: how tables become tensors; None for a model that scales each table by its own first values
            and so knows no metric by name (the shipped one).
        model: the trained members.
        zero_shot: the pretrained model before it was adapted, a part of the forecast that few runs cannot spoil.
        committee: regressors on the finished runs beside the model, and `stacking`, how much each counts; None: the
            model alone.
        calibration: widths and correlations from the left-out folds.
        report: how the fit went.
        runs: number of finished runs it learned from.
        data_digest: of the training points, so that two models can be told to stem from the same data.
        backtest: figures on the left-out folds beside simple forecasts; see `out_of_fold_figures`.
    """

    preprocessor: Preprocessor | None
    model: LCGODE
    zero_shot: ZeroShot | None
    committee: Committee | None
    stacking: Stacking | None
    calibration: Calibration
    report: FitReport
    runs: int
    data_digest: str
    backtest: dict[str, Any]

    @classmethod
    def of(
        cls, ensemble: Ensemble, preprocessor: Preprocessor, model: LCGODE, report: FitReport, learned: RunTable
    ) -> Self:
        """A network and what stands beside it, from the runs that they learned from."""
        return cls(
            preprocessor=preprocessor,
            model=model,
            zero_shot=ensemble.zero_shot,
            committee=ensemble.committee,
            stacking=ensemble.stacking,
            calibration=ensemble.calibration,
            report=report,
            runs=len(learned),
            data_digest=_digest(learned),
            backtest=ensemble.backtest,
        )

    @property
    def adapted(self) -> bool:
        """Whether the network has learned from the runs; else the pretrained one stands in the forecast as it was."""
        return self.zero_shot is None or self.zero_shot.model is not self.model

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
        arrays = curve_arrays(table, metrics=preprocessor.metrics)
        last = arrays.last_values
        of_zero_shot = None if self.zero_shot is None else self.zero_shot.tensors(table)
        # Regressors learn by cutoff; the network takes runs that were seen up to different epochs at a time.
        cutoffs = np.zeros_like(seen) if self.committee is None else seen
        for cutoff in np.unique(cutoffs).tolist():
            together = np.flatnonzero(cutoffs == cutoff)
            observed = self._observed(table, together, cutoff, preprocessor)
            novelty = None
            if self.zero_shot is not None:
                novelty = self.zero_shot.preference(arrays.rows(together), shares[together], cutoff, preprocessor)
            for begin in range(0, len(together), CHUNK):
                rows = together[begin : begin + CHUNK]
                leads = leads_of(asked[rows], seen[rows], runs.horizons.numpy()[rows])
                chosen, at = runs.rows(torch.from_numpy(rows)), asked[rows].astype(float)
                since = seen[rows].astype(float)
                parts = []
                if self.adapted:
                    of_model = self.model, chosen, graphs, preprocessor.task_of, since, at, preprocessor.own_scales
                    parts.append(network_quantiles(*of_model))
                if self.zero_shot is not None and of_zero_shot is not None:
                    own = of_zero_shot.rows(torch.from_numpy(rows))
                    parts.append(self.zero_shot.quantiles(own, since, at, preprocessor))
                some = None if observed is None else observed.rows(slice(begin, begin + CHUNK))
                if self.committee is not None and some is not None:
                    place = int(self.adapted)  # the pretrained model stands last
                    around = parts[-1] if len(parts) == 1 else centre(parts[0], parts[-1], shares[rows])
                    parts[place:place] = [*self.committee.predict(some, asked[rows], around)]
                if some is not None:
                    parts = self._plausible(parts, some, asked[rows])
                if self.stacking is None:
                    result[rows] = parts[0] if self.adapted else parts[-1]
                else:
                    leaning = None if novelty is None else novelty[begin : begin + CHUNK]
                    result[rows] = self.stacking.mix(np.stack(parts), shares[rows], leads, leaning)
            if self.preprocessor is None:
                now = preprocessor.values.scale(last[together])
                result[together] = in_careful_order(result[together], now, seen[together], asked[together])
            for begin in range(0, len(together), CHUNK):
                rows = together[begin : begin + CHUNK]
                leads = leads_of(asked[rows], seen[rows], runs.horizons.numpy()[rows])
                widened = self.calibration.widen(result[rows], shares[rows], leads)
                limits = np.fmax(preprocessor.values.ceilings, ROOM * last[rows])[..., None, None]
                result[rows] = np.minimum(preprocessor.values.unscale(widened), limits)
        return result

    def _observed(
        self, table: RunTable, rows: NDArray[np.int64], cutoff: int, preprocessor: Preprocessor
    ) -> Observed | None:
        """What the committee must know of these runs, if there is one."""
        if self.committee is None:
            return None
        part = table if len(rows) == len(table) else table.select([table.run_ids[row] for row in rows])
        return self.committee.observe(part, cutoff, preprocessor.metrics)

    def _plausible(self, parts: list[Array], observed: Observed, asked: NDArray[np.int64]) -> list[Array]:
        """The parts of a forecast, no further out than the finished runs and the pretrained model make plausible."""
        experts = None if self.committee is None else self.committee.at(self.committee.nearest(observed.cutoff))
        if experts is None:
            return parts
        prior = None if self.zero_shot is None else parts[-1]
        return [*within(np.stack(parts), experts.ends(observed, asked), len(experts.scene.rows), prior)]

    def save(self, folder: Path, extra: dict[str, Any]) -> None:
        """Write to a folder: `model.safetensors` + `model.json`, both or neither; `extra` goes into the latter."""
        meta = {
            "model": self.model.config.to_json(),
            "preprocessor": None if self.preprocessor is None else self.preprocessor.to_json(),
            "calibration": self.calibration.to_json(),
            "blend": None if self.stacking is None else self.stacking.to_json(),
            # Without the seconds: the same seed leaves the same files.
            "fit": {name: value for name, value in dataclasses.asdict(self.report).items() if name != "seconds"},
            "runs": self.runs,
            "data_digest": self.data_digest,
            "backtest": self.backtest,
            "adapted": self.adapted,
            **extra,
        }
        tensors = {NETWORK_PREFIX + name: value for name, value in self.model.state_dict().items()}
        if self.zero_shot is not None and self.adapted:  # else it is the model itself
            meta["start"] = self.zero_shot.model.config.to_json()
            tensors |= {START_PREFIX + name: value for name, value in self.zero_shot.model.state_dict().items()}
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
            before = None if meta.get("adapted", True) else model.to(device)
            if meta.get("start") is not None:
                before = LCGODE(LCGODEConfig(**meta["start"]), torch.Generator().manual_seed(0))
                before.load_state_dict(_part(checkpoint.tensors, START_PREFIX))
                before.to(device)
            committee, zero_shot = None, None
            if preprocessor is not None and meta.get("committee") is not None:
                arrays = {name: value.numpy() for name, value in _part(checkpoint.tensors, COMMITTEE_PREFIX).items()}
                network = partial(_network, model.to(device), before, preprocessor)
                committee = Committee.unpack(meta["committee"], arrays, preprocessor.values, network)
                zero_shot = None if before is None else ZeroShot.of(before, committee.finished)
            fitted = cls(
                preprocessor=preprocessor,
                model=model.to(device),
                zero_shot=zero_shot,
                committee=committee,
                stacking=None if meta["blend"] is None else Stacking.from_json(meta["blend"]),
                calibration=Calibration.from_json(meta["calibration"]),
                report=FitReport(**meta["fit"]),
                runs=meta["runs"],
                data_digest=meta["data_digest"],
                backtest=meta["backtest"],
            )
        return fitted, meta


def _network(
    model: LCGODE, before: LCGODE | None, preprocessor: Preprocessor, finished: RunTable, folds: NDArray[np.int64]
) -> OutOfFoldForecast:
    """What the regressors start from: the pretrained network where there is one, else the left-out forecasts."""
    if before is model:  # never adapted
        return ZeroShot.of(before, finished).forecasts_of(finished, preprocessor)
    device = next(model.parameters()).device
    network = OutOfFoldNetwork(model, Source.of(preprocessor.tensors(finished), preprocessor.task_of, folds, device))
    return network if before is None else ZeroShot.of(before, finished).forecasts_of(finished, preprocessor, network)


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _digest(table: RunTable) -> str:
    points = table.points.astype({"run": str, "metric": str})
    return hashlib.sha256(points.to_csv(index=False).encode()).hexdigest()[:16]

"""Train a model that takes any metrics, for tables without a finished run and as a start for adapting.

Each source is read twice: scaled by its own first values, as a user's table without
a finished run would be, and with scales fitted on it, as for adapting. Neither configuration nor metric names are read.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from lcode.fitting.calibration import Calibration, calibrate
from lcode.fitting.fitted import Fitted
from lcode.fitting.folds import assign_folds
from lcode.fitting.left_out import left_out_forecasts
from lcode.fitting.loop import FitSettings, Progress, Source, fit_model
from lcode.isolation import isolated
from lcode.models.lcgode import LCGODE, LCGODEConfig
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.collate import Preprocessor
from lcode.tensors.scaling import ValueScaler

SETTINGS = FitSettings(steps=6000, batch=64, learning_rate=3e-3, config_dropout=1.0, patience=24)

JITTER = 0.2
"""In units of a factor e: where a table's first values lie is known only up to the runs that were started."""


@isolated()
def pretrain(
    tables: Sequence[RunTable],
    *,
    seed: int = 0,
    settings: FitSettings = SETTINGS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> Fitted:
    """Train a model that takes any metrics, on finished runs of several sources.

    A run may stand in several tables under one name, see `lcode.fitting.views`.
    """
    sources = []
    members = LCGODEConfig(metrics=0).members
    for table in tables:
        relative = Preprocessor.generic(table)
        fitted = dataclasses.replace(relative, values=ValueScaler.fit(curve_arrays(table)))
        task_of = torch.tensor(relative.task_of, device=device)
        folds = torch.from_numpy(assign_folds(table, members, seed)).to(device)
        for preprocessor, jitter in ((relative, JITTER), (fitted, 0.0)):
            sources.append(Source(preprocessor.tensors(table)[0].to(device), None, task_of, folds, jitter))
    model = LCGODE(LCGODEConfig(metrics=0), torch.Generator().manual_seed(seed)).to(device)
    report = fit_model(model, sources, settings, torch.Generator(device).manual_seed(seed), progress)
    # Forecasts without a finished run are made on the relative scale.
    parts = [
        calibrate([part.judged() for part in left_out_forecasts(model, source)]) for source in sources if source.jitter
    ]
    # A source that was never seen is further away than the left-out runs of these: never narrower than predicted.
    means = [[np.mean(row, axis=(0, 2)) for row in map(np.array, part.factors)] for part in parts]  # [S, 2]
    factors = np.maximum(np.median(means, axis=0), 0.0)
    persistence = float(np.median([part.persistence for part in parts]))
    return Fitted(
        preprocessor=None,
        model=model,
        start=None,
        committee=None,
        blend=None,
        calibration=Calibration.same_for_all(
            parts[0].shares, [(float(near), float(far)) for near, far in factors], persistence
        ),
        report=report,
        runs=len({run for table in tables for run in table.run_ids}),
        data_digest=hashlib.sha256("".join(run for t in tables for run in t.run_ids).encode()).hexdigest()[:16],
        backtest={},
    )

"""Train a model that takes any metrics, for tables without a finished run and as a start for adapting.

Each table is read twice: with every curve on a scale of its own, as a user's table without a finished run is, and with
scales fitted on it, as for adapting. Neither configuration nor metric names are read. Members of the ensemble leave out
whole problems, not runs: what they are judged and calibrated on are problems that they never saw, as a user's is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lcode.curves.arrays import curve_arrays
from lcode.curves.collate import Preprocessor
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.fitted import PretrainedModel
from lcode.ensemble.prior import Prior
from lcode.isolation import isolated
from lcode.network.loop import FitReport, FitSettings, Progress, Source, fit_model, some_of
from lcode.network.model import LCGODE, LCGODEConfig
from lcode.pretraining.widths import judge, learn_widths
from lcode.table import RunTable

SETTINGS = FitSettings(steps=9000, batch=64, learning_rate=3e-3, config_dropout=1.0, patience=24)

CALIBRATED = 150
"""Tables whose left-out forecasts say how wide intervals must be, evenly chosen."""


@isolated()
def pretrain(
    real: Sequence[Sequence[RunTable]],
    synthetic: Sequence[RunTable],
    *,
    seed: int = 0,
    settings: FitSettings = SETTINGS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> tuple[PretrainedModel, FitReport]:
    """Train a model that takes any metrics, on finished runs of several problems.

    Args:
        real: the tables of each problem, of which one may be another view of another, see `lcode.pretraining.views`.
        synthetic: tables of problems that were drawn; intervals are not calibrated on them.
        seed: of initial values, of the problems that each member leaves out, and of random cutoffs.
        settings: how to train.
        progress: called now and then.
        device: `cpu` or `cuda`.

    Returns:
        The model, and how its training went.
    """
    members = LCGODEConfig(metrics=0).members
    problems = [*real, *([table] for table in synthetic)]
    folds = np.random.default_rng(seed).permutation(np.arange(len(problems)) % members)
    sources = [
        (number < len(real), source)
        for number, (tables, fold) in enumerate(zip(problems, folds.tolist(), strict=True))
        for table in tables
        for source in _sources(table, fold, device)
    ]
    model = LCGODE(LCGODEConfig(metrics=0), torch.Generator().manual_seed(seed)).to(device)
    generator = torch.Generator(device).manual_seed(seed)
    report = fit_model(model, [source for _, source in sources], settings, generator, progress)
    # Forecasts without a finished run are made on the curves' own scales.
    judging = some_of([source for is_real, source in sources if is_real and source.own is not None], CALIBRATED)
    widths = learn_widths([judge(model, source) for source in judging])
    return PretrainedModel(Prior(model), widths), report


def _sources(table: RunTable, fold: int, device: str) -> Iterator[Source]:
    """The table with its curves on scales of their own, and with fitted scales."""
    generic = Preprocessor.generic(table)
    fitted = dataclasses.replace(generic, values=ValueScaler.fit(curve_arrays(table)), own_scales=None)
    folds = np.full(len(table), fold)
    for preprocessor in (generic, fitted):
        source = Source.of(preprocessor.tensors(table), preprocessor.task_of, folds, device)
        own = preprocessor.own_scales
        yield source if own is None else dataclasses.replace(source, own=own.to(device))

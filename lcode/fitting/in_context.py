"""Forecasts that take up finished runs at once: the pretrained network stays as it is, all beside it learns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.committee import Committee
from lcode.fitting.ensemble import Ensemble
from lcode.fitting.fitted import Fitted
from lcode.fitting.folds import assign_folds
from lcode.fitting.left_out import PARTS
from lcode.fitting.loop import FitReport
from lcode.fitting.start import Start
from lcode.table import RunTable
from lcode.tensors.collate import Preprocessor

FOLDS = 5


def learn_in_context(pretrained: Fitted, finished: RunTable, seed: int) -> Fitted:
    """Learn from finished runs without adapting the network: base learners, weights and widths alone.

    Args:
        pretrained: a model that takes any metrics.
        finished: finished runs of the problem to forecast.
        seed: of folds and trees.
    """
    preprocessor = Preprocessor.fit(finished)
    start = Start.of(pretrained.model, finished)
    runs = start.tensors(finished)

    def forecast(rows: NDArray[np.int64], cutoff: int, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
        cutoffs = np.full(len(rows), float(cutoff))
        return start.quantiles(runs.rows(torch.from_numpy(rows)), cutoffs, epochs, preprocessor)

    folds = assign_folds(finished, FOLDS, seed)
    committee = Committee(finished, len(finished), preprocessor.values, folds, forecast, seed)
    ensemble = Ensemble.learn(committee, start, preprocessor, PARTS, members=None)
    report = FitReport(steps=0, validation_loss=float("nan"), interrupted=False)
    return Fitted.of(ensemble, preprocessor, pretrained.model, report, finished)

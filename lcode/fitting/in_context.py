"""Forecasts that take up finished runs at once: the pretrained network stays as it is, all beside it learns."""

from __future__ import annotations

from lcode.experts.committee import Committee
from lcode.fitting.ensemble import Ensemble
from lcode.fitting.fitted import Fitted
from lcode.fitting.folds import assign_folds
from lcode.fitting.loop import FitReport
from lcode.fitting.out_of_fold import PARTS
from lcode.fitting.zero_shot import ZeroShot
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
    zero_shot = ZeroShot.of(pretrained.model, finished)
    folds = assign_folds(finished, FOLDS, seed)
    committee = Committee(
        finished, len(finished), preprocessor.values, folds, zero_shot.forecasts_of(finished, preprocessor), seed
    )
    ensemble = Ensemble.learn(committee, zero_shot, preprocessor, PARTS, adapted=None)
    report = FitReport(steps=0, validation_loss=0.0, interrupted=False)
    return Fitted.of(ensemble, preprocessor, pretrained.model, report, finished)

"""Ridge regression from everything known at the cutoff to how the curve goes on."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.forecasters.point_model import PointModel, Predictor
from lcode.forecasters.standardise import Standardiser
from lcode.table import RunTable

Array = NDArray[np.float64]

PENALTIES = np.logspace(-1, 4, 16)
"""Penalties among which the leave-one-out error chooses."""


class RidgeForecaster(CutoffForecaster):
    """One ridge regression per cutoff and metric, on standardised prefix features and side information."""

    name: ClassVar[str] = "ridge"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Fit the regressions of a cutoff."""
        return PointModel(finished, cutoff, self.seed, _ridge)


def _ridge(features: Array, targets: Array, shares: Array) -> Predictor:
    standard = Standardiser(features)
    model = RidgeCV(PENALTIES).fit(standard(features), targets)
    return lambda queries: model.predict(standard(queries)).reshape(len(queries), len(shares))

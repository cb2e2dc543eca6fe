"""What hyper-parameters promise by the experience of other problems, and forecasts that are tilted by it.

The pretrained network reads curves alone. At the first evaluation these say next to nothing of the end, while a
learning rate far from that of the other runs says much, on nearly any problem. So a response surface learned across
problems says how a run should end among the runs of its sweep, and the network's forecast is moved within its interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from lcode.curves.arrays import curve_arrays
from lcode.curves.common_settings import COMMON_SETTINGS, CommonSettings
from lcode.curves.prefix import Prospects
from lcode.ensemble.settings import SETTINGS
from lcode.forecast import LEVELS
from lcode.regressors.response_surface import ResponseSurface
from lcode.table import RunTable

Array = NDArray[np.float64]

_SCORES = norm.ppf(LEVELS)


@dataclass(frozen=True, eq=False)
class SettingsPrior:
    """How runs should end by their settings, as learned from the sweeps of other problems.

    Attributes:
        surface: of the places of `COMMON_SETTINGS` within a sweep; the response is a normal score, more is better.
    """

    surface: ResponseSurface

    @classmethod
    def learned(cls, families: Iterable[Iterable[RunTable]]) -> Self:
        """From finished runs: families count alike, and so do the tables of one, whatever their numbers of runs.

        Args:
            families: tables of problems that were run with the same kinds of settings.
        """
        problems = []
        for family in families:
            tables = [(places, table) for table in family if (places := _places(table)).any()]
            problems += [(places, _normal_scores(table), 1 / len(tables)) for places, table in tables]
        return cls(ResponseSurface.learned(problems))

    def among(self, others: pd.DataFrame) -> Prospects:
        """What configurations promise among those of other runs: the expected normal score, more is better.

        It is 0 where nothing of the settings is known, or nothing that is known differs among the others.
        """
        compared = CommonSettings.among(others)
        return _Promise(self.surface, compared, compared.places(others))

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {"settings": list(COMMON_SETTINGS), **self.surface.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError: it was learned from other settings.
        """
        if tuple(data["settings"]) != COMMON_SETTINGS:
            raise ValueError("the prior of hyper-parameters was learned from others")
        return cls(ResponseSurface.from_json(data))


@dataclass(frozen=True, eq=False)
class _Promise:
    """See `SettingsPrior.among`; what has learned a context keeps one, and may be pickled."""

    surface: ResponseSurface
    compared: CommonSettings
    places: Array

    def __call__(self, configs: pd.DataFrame) -> Array:
        return self.surface.above_mean(self.compared.places(configs), self.places)


def tilted(quantiles: Array, prospects: Array, seen: NDArray[np.int64]) -> Array:
    """Forecasts of runs, given what their settings promise.

    The normal score of the outcome under its forecast and that of the settings are taken as jointly normal (a Gaussian
    copula), so that a forecast moves and narrows within what it held possible.

    Args:
        quantiles: in model space, where less is better, [R, K, Q, 21].
        prospects: see `SettingsPrior.among`, [R].
        seen: evaluations of each curve so far, [R, K].
    """
    correlation = np.where(prospects[:, None] == 0, 0.0, SETTINGS.tilt / np.maximum(seen, 1) ** 2)
    moved = -correlation * prospects[:, None]
    scores = moved[..., None] + np.sqrt(1 - correlation**2)[..., None] * _SCORES
    scores = np.clip(scores, _SCORES[0], _SCORES[-1])
    below = np.clip(np.searchsorted(_SCORES, scores) - 1, 0, len(_SCORES) - 2)
    share = ((scores - _SCORES[below]) / (_SCORES[below + 1] - _SCORES[below]))[:, :, None]
    below = np.broadcast_to(below[:, :, None], quantiles.shape)
    low, high = (np.take_along_axis(quantiles, index, axis=-1) for index in (below, below + 1))
    return low + share * (high - low)


def _places(table: RunTable) -> Array:
    return CommonSettings.among(table.configs).places(table.configs)


def _normal_scores(table: RunTable) -> Array:
    """Normal score of how each finished run ended among them, mean over the metrics, more is better, [R]."""
    ends = curve_arrays(table).last_values
    signs = np.array([1.0 if metric.direction == "max" else -1.0 for metric in table.metrics])
    good = np.where(np.isfinite(ends), ends * signs, -np.inf)
    return norm.ppf(rankdata(good, axis=0) / (len(good) + 1)).mean(axis=1)

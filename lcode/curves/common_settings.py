"""Hyper-parameters that mean the same in most trainings, whatever they are called, compared within a sweep."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

FARTHEST = 3.0
"""Standard deviations from the sweep's mean beyond which a setting counts as no further away."""

RATED = 0.9
"""Share of the runs of a sweep that must say their learning rate. Where more do not, trainings differ in kind (as do
AlgoPerf's submissions), and what settings did elsewhere put them in the wrong order."""

NO_DECAY = 1e-6
"""What a weight decay of 0 is read as, on a log scale: decays below it change nothing."""


def _log(values: Array) -> Array:
    return np.log(np.where(values > 0, values, np.nan))


def _log_decay(values: Array) -> Array:
    return np.log(np.maximum(values, NO_DECAY))


def _as_given(values: Array) -> Array:
    return values


@dataclass(frozen=True)
class _Kind:
    """How one kind of setting is recognised, by the last part of its name, and the scale on which it is compared."""

    names: re.Pattern[str]
    scale: Callable[[Array], Array]

    def of(self, configs: pd.DataFrame, columns: Sequence[str]) -> Array:
        """Its values, [R]; of several columns (the widths of several layers) the mean; NaN where there is none."""
        if not columns:
            return np.full(len(configs), np.nan)
        numbers = [pd.to_numeric(configs[column], errors="coerce").to_numpy(np.float64) for column in columns]
        stacked = self.scale(np.stack(numbers))
        known = np.isfinite(stacked)
        return np.where(known.any(0), np.where(known, stacked, 0.0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


_KINDS = {
    "learning rate": _Kind(re.compile(r"(base|init|initial|max|peak)?_?(lr|learning_rate|eta)_?0?"), _log),
    "batch size": _Kind(re.compile(r"((per_device_)?train_)?(batch_size|batchsize|bs)|batch"), _log),
    "weight decay": _Kind(re.compile(r"weight_decay|wd|l2(_(reg|penalty|regularization))?"), _log_decay),
    "momentum": _Kind(re.compile(r"momentum"), _as_given),
    "dropout": _Kind(re.compile(r"(max_)?(dropout|drop)(_(rate|prob|p))?"), _as_given),
    "depth": _Kind(re.compile(r"(n|num|n_hidden|num_hidden)_layers|depth|layers"), _as_given),
    "width": _Kind(
        re.compile(r"((n|num|max)_)?(hidden_)?(units|width|channels|hidden(_(size|dim))?|d_model)(_\d+)?"), _log
    ),
}
_OPTIMIZER = re.compile(r"optimizer|optim|opt")
_ADAPTIVE = re.compile(r"ada|rms|lamb|lion", re.IGNORECASE)
_PLAIN = re.compile(r"sgd|momentum|nesterov", re.IGNORECASE)

ADAPTIVE = "adaptive optimizer"

COMMON_SETTINGS = (*_KINDS, ADAPTIVE)
"""What is read, in this order."""


@dataclass(frozen=True, eq=False)
class CommonSettings:
    """The place of each run's settings among those of a sweep.

    Attributes:
        centre, spread: mean and standard deviation of each of `COMMON_SETTINGS` over the runs that are compared with,
            on its scale, [S]; NaN for what does not vary among them, which then says nothing of any run, and for all
            where many do not say their learning rate, see `RATED`.
    """

    centre: Array
    spread: Array

    @classmethod
    def among(cls, configs: pd.DataFrame) -> Self:
        """Compare with these runs, one row each."""
        values = _values(configs)
        known = np.isfinite(values)
        count = np.maximum(known.sum(0), 1)
        centre = np.where(known, values, 0.0).sum(0) / count
        spread = np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum(0) / count)
        rated = known[:, COMMON_SETTINGS.index("learning rate")]
        alike = not rated.any() or rated.mean() >= RATED
        varies = (spread > 1e-9 * np.maximum(np.abs(centre), 1.0)) & alike
        return cls(np.where(varies, centre, np.nan), np.where(varies, spread, np.nan))

    def places(self, configs: pd.DataFrame) -> Array:
        """Standard deviations from the mean, [R, S]; 0 where a setting is unknown or does not vary in the sweep."""
        apart = (_values(configs) - self.centre) / self.spread
        return np.nan_to_num(np.clip(apart, -FARTHEST, FARTHEST), nan=0.0)


def _values(configs: pd.DataFrame) -> Array:
    columns = _columns(tuple(map(str, configs.columns)))
    numbers = [kind.of(configs, columns[name]) for name, kind in _KINDS.items()]
    return np.stack([*numbers, _adaptive(configs, columns[ADAPTIVE])], axis=1)


def _adaptive(configs: pd.DataFrame, columns: Sequence[str]) -> Array:
    """1 for an optimizer of Adam's kind, 0 for gradient descent, NaN where neither is said, [R]."""
    result = np.full(len(configs), np.nan)
    for column in columns:
        names = [str(name) for name in configs[column].tolist()]
        kinds = {name: _optimizer_kind(name) for name in set(names)}
        said = np.array([kinds[name] for name in names], dtype=np.float64)
        result = np.where(np.isnan(said), result, said)
    return result


def _optimizer_kind(name: str) -> float:
    if _ADAPTIVE.search(name):
        return 1.0
    return 0.0 if _PLAIN.search(name) else np.nan


@lru_cache(maxsize=64)
def _columns(names: tuple[str, ...]) -> dict[str, list[str]]:
    """The columns of each of `COMMON_SETTINGS`: beside `lr` that of a part, `gradnorm.lr`, is another thing."""
    found: dict[str, list[str]] = {}
    patterns = {**{name: kind.names for name, kind in _KINDS.items()}, ADAPTIVE: _OPTIMIZER}
    parts = {name: re.split(r"[./]", name) for name in names}
    for setting, pattern in patterns.items():
        fitting = {name: len(at) for name, at in parts.items() if pattern.fullmatch(_plain(at[-1]))}
        found[setting] = [name for name, depth in fitting.items() if depth == min(fitting.values())]
    return found


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")

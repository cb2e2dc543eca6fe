"""Hyper-parameters as numbers: log scale where they span decades, categories as indicators, missing as a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LOG_RANGE = 20.0
"""A positive hyper-parameter whose largest value is this many times its smallest is read on a log scale."""

MAX_CATEGORIES = 32


@dataclass(frozen=True)
class ConfigColumn:
    """How one hyper-parameter becomes numbers: standardised (perhaps after a log), or one indicator per category."""

    name: str
    log: bool = False
    centre: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConfigEncoder:
    """Fitted on the configurations of the training runs; constant columns are dropped.

    Encoded configurations have shape [R, P]: numeric columns standardised to mean 0 and deviation 1 and clipped to
    ±4, a category as 0/1 indicators (an unseen one is all zeros), a missing value as 0.
    """

    columns: tuple[ConfigColumn, ...]

    @classmethod
    def fit(cls, configs: pd.DataFrame) -> ConfigEncoder:
        """Read scales and categories off the training runs' configurations."""
        fitted = (_fit_column(str(name), configs[name]) for name in configs.columns)
        return cls(tuple(column for column in fitted if column is not None))

    @property
    def width(self) -> int:
        """Number of encoded features P."""
        return sum(len(column.categories) or 1 for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each encoded feature."""
        return tuple(
            name
            for column in self.columns
            for name in ([f"{column.name}={c}" for c in column.categories] or [column.name])
        )

    def encode(self, configs: pd.DataFrame) -> NDArray[np.float64]:
        """Configurations as numbers, shape [R, P]; a column that is absent counts as missing."""
        parts = [
            _encode_column(column, configs[column.name])
            if column.name in configs
            else np.zeros((len(configs), len(column.categories) or 1))
            for column in self.columns
        ]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(configs), 0))

    def to_json(self) -> list[dict[str, Any]]:
        """The encoder as plain values, for the checkpoint."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, columns: list[Mapping[str, Any]]) -> ConfigEncoder:
        """The inverse of `to_json`."""
        return cls(tuple(ConfigColumn(**{**c, "categories": tuple(c["categories"])}) for c in columns))


def _numbers(series: pd.Series) -> NDArray[np.float64]:
    return pd.to_numeric(series, errors="coerce").to_numpy(float)


def _is_numeric(series: pd.Series) -> bool:
    given = series.dropna()
    return bool(len(given)) and bool(np.isfinite(_numbers(given)).all())


def _fit_column(name: str, series: pd.Series) -> ConfigColumn | None:
    given = series.dropna()
    if given.nunique() < 2:
        return None
    if not _is_numeric(series):
        counts = given.astype(str).value_counts()
        return ConfigColumn(name, categories=tuple(sorted(counts.index[:MAX_CATEGORIES])))
    values = _numbers(given)
    log = bool(values.min() > 0 and values.max() / values.min() > LOG_RANGE)
    values = np.log(values) if log else values
    return ConfigColumn(name, log=log, centre=float(values.mean()), scale=float(values.std()) or 1.0)


def _encode_column(column: ConfigColumn, series: pd.Series) -> NDArray[np.float64]:
    if column.categories:
        return (series.astype(str).to_numpy()[:, None] == np.array(column.categories)).astype(float)
    values = _numbers(series)
    if column.log:
        values = np.log(np.where(values > 0, values, np.nan))
    return np.nan_to_num(np.clip((values - column.centre) / column.scale, -4, 4))[:, None]

"""Configurations as points of the unit cube, as the published forecasters of curves and configurations read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.config import ConfigEncoder

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UnitConfigs:
    """Each encoded hyper-parameter from 0 to 1 between the least and the greatest of the finished runs.

    Attributes:
        encoder: from columns to P numbers; see `ConfigEncoder`.
        low, width: what becomes 0, and how far from there what becomes 1 is, [P] each.
    """

    encoder: ConfigEncoder
    low: Array
    width: Array

    @classmethod
    def fit(cls, configs: pd.DataFrame) -> UnitConfigs:
        """Read the ends off the finished runs."""
        encoder = ConfigEncoder.fit(configs)
        encoded = encoder.encode(configs)
        low = encoded.min(axis=0)
        width = encoded.max(axis=0) - low
        return cls(encoder, low, np.where(width > 0, width, 1.0))

    def encode(self, configs: pd.DataFrame) -> Array:
        """Configurations from 0 to 1, [R, P]; what lies beyond the finished runs' is clipped."""
        return np.clip((self.encoder.encode(configs) - self.low) / self.width, 0, 1)

"""Which runs are repeats of one another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.table.table import RunTable

SEED_COLUMN = "seed"
"""The hyper-parameter that may differ between repeats of one configuration."""


def configuration_groups(table: RunTable) -> NDArray[np.int64]:
    """A number per run, equal for runs of the same configuration and architecture, whatever their seed, shape [R].

    Where nothing tells the runs apart (no configuration, or the same one for all), every run is its own group.
    """
    frame = table.configs.drop(columns=SEED_COLUMN, errors="ignore").astype(object)
    frame = frame.assign(**{"\0arch": table.runs["arch"].to_numpy()})
    # Text compares cells of mixed types; 1 and 1.0 may come from different log files.
    text = frame.map(lambda cell: repr(float(cell)) if isinstance(cell, int | float | np.number) else str(cell))
    groups = pd.factorize(pd.MultiIndex.from_frame(text))[0].astype(np.int64)
    return groups if len(np.unique(groups)) > 1 else np.arange(len(table), dtype=np.int64)

"""Imbalance and gradient norms: read off the results and the logs of a setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtl_runs.sweeps.logs import epoch_lines


def with_imbalance(results: pd.DataFrame, tasks: Sequence[str], folder: Path) -> pd.DataFrame:
    """What the arms came to, with how unevenly the tasks fared and pulled.

    Args:
        results: from `conduct`, with references.
        tasks: names of the tasks.
        folder: of the runs' logs.

    Returns:
        The results with these columns more: per task `<task> gap`, mean of its metrics' gaps, in per cent, positive
        where it is worse than alone; `spread`, the largest of these less the smallest; per task `<task> norm`, that of
        its gradient of the shared parameters without any weight, geometric mean over epochs; `ratio`, the largest
        task's norm by the smallest one's, geometric mean over epochs. Runs that diverged have NaN.
    """
    gaps = {f"{task} gap": _mean_gap(results, task) for task in tasks}
    wide = results.assign(**gaps)
    wide["spread"] = wide[list(gaps)].max(axis=1, skipna=False) - wide[list(gaps)].min(axis=1, skipna=False)
    logs = [_norms(folder, run, tasks) for run in results["run"]]
    for k, task in enumerate(tasks):
        wide[f"{task} norm"] = [np.exp(norms[:, k].mean()) for norms in logs]
    wide["ratio"] = [np.exp((norms.max(1) - norms.min(1)).mean()) for norms in logs]
    return wide


def _mean_gap(results: pd.DataFrame, task: str) -> pd.Series:
    own = [name for name in map(str, results) if name.startswith(f"{task}/") and name.endswith(" gap")]
    return results[own].mean(axis=1, skipna=False)


def _norms(folder: Path, run: str, tasks: Sequence[str]) -> np.ndarray:
    """Logarithms of the tasks' gradient norms, [epochs, K]."""
    signals = [line["signals"] for line in epoch_lines(folder, run).values()]
    return np.log(np.maximum([[one[f"{task}/grad_norm"] for task in tasks] for one in signals], 1e-12))

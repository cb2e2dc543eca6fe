"""TaskSet's RNN text-classification tasks: 1,000 Adam configurations a task, validation loss at 51 evaluations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lcode.benchmarks.collection import CurveCollection, main_metric
from lcode.benchmarks.files import DataFile

# The configurations are the same 1,000 for every task: never pretrain on a run whose configuration is tested.
_CONFIGS = "edb354f3e25ff16a6c1e30eed1bd711b1e59854c6852ca3b3a49fff0f1fec16c"

_CURVES = {
    "patch128_LSTM128_bs64": "9b2b32bf696eb542d212eb850a5a06c92b58d5bce309e07ca3213caf2b515308",
    "patch128_LSTM128_embed128_bs64": "631bac9f0527aa98da99dc2a8e558f22799e29880bf3a26fc87441e12629a721",
    "patch32_GRU64_avg_bs128": "3f5907b762302c581c18fec51cfdecfeee54bdfd18be47dd8e225b3bea9f89a3",
    "patch32_IRNN64_relu_avg_bs128": "0868d0ddf306471d59dd0014fdb9542d40d6ca01fe106e2042ac9fe7588aaa92",
    "patch32_IRNN64_relu_last_bs128": "b0a2de974a0ac7346f7b7dcef680936367144749b8be0d62d8d2b9c8e3d908d3",
    "patch32_LSTM128_E128_bs128": "bc305cab96ab50647d41b76d1792f4d9eddf9c1a25db253b30532775d4bf2e40",
    "patch32_VRNN128_tanh_bs128": "625324ed3abf8a80e89fabec7e2ac41b96af376e3ca1787cf293c4d60fb6df96",
    "patch32_VRNN64_tanh_avg_bs128": "3e44742a192cf59b77856dc793f42d7c9a7daffbe12f66a3f9c3ecb74bf7b815",
}


def tame_runs(curves: pd.DataFrame) -> pd.Index:
    """Runs without a non-finite value that never exceed the smallest, over time, of the 95 % quantiles over runs.

    The filter of Deep Power Laws (Kadra et al. 2023): what it takes away are runs that diverge or blow up.

    Args:
        curves: one row per run, one column per epoch.
    """
    values = curves.to_numpy(float)
    finite = np.isfinite(values).all(axis=1)
    limit = np.quantile(values[finite], 0.95, axis=0).min()
    return curves.index[finite & (values.max(axis=1) <= limit)]


TASKSET = {
    f"taskset/{task}": CurveCollection(
        name=f"taskset/{task}",
        curves=DataFile(f"taskset/{task}.curves.parquet", sha256),
        configs=DataFile(f"taskset/{task}.configs.csv", _CONFIGS),
        metric=main_metric("valid_loss"),
        rows=51_000,
        source="Metz et al. 2020, TaskSet; as published with Deep Power Laws (Kadra et al. 2023)",
        keep=tame_runs,
    )
    for task, sha256 in _CURVES.items()
}
"""By name `taskset/<task>`; epochs 0 to 50. The name holds the architecture: cell, width, pooling."""

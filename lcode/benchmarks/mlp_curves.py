"""LC-GODE's own benchmark made again: test loss of perceptrons on the tables `car` and `segment` over 200 epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lcode.benchmarks.collection import main_metric
from lcode.benchmarks.files import DataFile, find_own_file
from lcode.graphs import mlp_graph
from lcode.table import Metric, RunTable

FILES: Mapping[str, DataFile] = {
    "car": DataFile("mlp_curves/car.parquet", "0173efca92cffd62efb916b4c5210e8db80ab6a9cb96ade143d5131e457f430f"),
    "segment": DataFile(
        "mlp_curves/segment.parquet", "ebc6c3d43e78dd3a7c17a13208caeb456ff51f8d9252f4bce5a28bc89da8ef3f"
    ),
}
"""The curves as they are shipped in `datasets/mlp_curves` of the repository."""

CONFIG = ("batch_size", "lr", "momentum", "weight_decay", "dropout")
"""Hyper-parameters; number and widths of the layers are in the architecture graphs."""


@dataclass(frozen=True)
class MlpCollection:
    """Perceptrons of many widths trained on one table.

    Attributes:
        task: the table, a key of `FILES`.
    """

    task: str

    source: ClassVar[str] = "made with this project by the recipe of Ding et al. 2025 (LC-GODE); datasets/mlp_curves"
    metric: ClassVar[Metric] = main_metric("test_loss")
    signal: ClassVar[str] = "train_loss"

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return f"mlp_curves/{self.task}"

    @property
    def file(self) -> DataFile:
        """Where the runs are."""
        return FILES[self.task]

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The one file."""
        return (self.file,)

    def load(self) -> RunTable:
        """Read the file into a table; a run that diverged has the status `failed` and ends with its first NaN.

        Raises:
            DataNotFoundError: the file is neither in `LCODE_DATA` nor in the cache nor in the checkout.
        """
        frame = pq.read_table(find_own_file(self.file)).to_pandas().set_index("run")
        arch = ["-".join(map(str, widths)) for widths in frame["widths"]]
        kinds = zip(arch, frame["inputs"], frame["widths"], strict=True)
        losses = np.stack(frame[self.metric.name].to_list())
        status = np.where(np.isfinite(losses[:, -1]), "finished", "failed")
        return RunTable.from_points(
            self._points(frame, self.metric.key, self.metric.name),
            [self.metric],
            runs=pd.DataFrame({"status": status, "horizon": losses.shape[1], "arch": arch}, index=frame.index),
            configs=frame[list(CONFIG)],
            graphs={
                name: mlp_graph(widths.tolist(), n_inputs=inputs, outputs=1, dropout=True)
                for name, inputs, widths in kinds
            },
            signals=self._points(frame, self.signal, self.signal),
            schedules=frame["schedule"].to_dict(),
        )

    @staticmethod
    def _points(frame: pd.DataFrame, key: str, column: str) -> pd.DataFrame:
        """The curves in a column, each up to its first NaN."""
        values = np.stack(frame[column].to_list()).astype(np.float64)
        finite = np.isfinite(values)
        # Epoch 1, and every epoch after a finite one.
        kept = np.insert(finite[:, :-1], 0, True, axis=1)
        run, epoch = np.nonzero(kept)
        return pd.DataFrame(
            {"run": frame.index.to_numpy()[run], "epoch": epoch + 1, "metric": key, "value": values[kept]}
        )


MLP_CURVES = {collection.name: collection for collection in map(MlpCollection, FILES)}
"""By name `mlp_curves/<table>`."""

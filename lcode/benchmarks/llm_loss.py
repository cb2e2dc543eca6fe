"""Pretraining loss of two sizes of a language model under nine schedules of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from lcode.benchmarks.collection import main_metric
from lcode.benchmarks.files import DataFile, find_file
from lcode.table import Metric, RunTable
from lcode.table.schedule import Schedule

_CURVES = DataFile(
    "llm_loss/llm_loss.curves.parquet", "4e2c0e54ff1152ba32321fdd1deedaad3edc7541d2480e6b0e4e69b26056302d"
)


@dataclass(frozen=True)
class LlmCollection:
    """18 curves, each with the learning rate of every evaluated step."""

    name: ClassVar[str] = "llm_loss"
    source: ClassVar[str] = (
        "Luo et al. 2025, A multi-power law for loss curve prediction across learning rate schedules"
    )
    metric: ClassVar[Metric] = main_metric("loss")

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The one file."""
        return (_CURVES,)

    def load(self) -> RunTable:
        """Read the file into a table; an epoch is a step of the optimiser, the horizon the last evaluated one.

        The schedule is known where the loss was evaluated; it is linear in between, and before the first evaluation
        it is taken to be what it is there (the warm-up is over by then, and is not in the file).

        Raises:
            DataNotFoundError: the file is neither in `LCODE_DATA` nor in the cache.
        """
        curves = pd.read_parquet(find_file(_CURVES))
        points = curves[["run", "loss"]].assign(epoch=curves["step"], metric=self.metric.key)
        runs = pd.DataFrame({"horizon": curves.groupby("run", sort=False)["step"].max()})
        # As in `csv_25/cosine_24000`: millions of parameters, then the schedule.
        size, schedule = zip(*(run.removeprefix("csv_").split("/") for run in runs.index), strict=True)
        return RunTable.from_points(
            points.rename(columns={"loss": "value"}),
            [self.metric],
            runs=runs,
            configs=pd.DataFrame({"million_parameters": map(int, size), "schedule": schedule}, index=runs.index),
            schedules={
                str(run): Schedule(rows["step"].to_numpy(np.int64), rows["lr"].to_numpy(float))
                for run, rows in curves.groupby("run", sort=False)
            },
        )


LLM_LOSS = LlmCollection()
"""Loss after the first 2,176 (cosine: 2,160) steps, every 128 steps."""

"""A published collection of learning curves, and how its two files become a table of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import pandas as pd

from lcode.benchmarks.files import DataFile, find_file
from lcode.errors import InputError
from lcode.table import MAIN_TASK, Metric, RunTable

Keep = Callable[[pd.DataFrame], pd.Index]
"""From curves (one row per run, one column per epoch) to the runs that are kept."""


class Collection(Protocol):
    """What the registry of benchmarks holds.

    Attributes:
        name: name of the benchmark.
        source: where it comes from, for the reader.
        files: what `load` reads; the first holds the curves.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def source(self) -> str: ...  # noqa: D102

    @property
    def files(self) -> tuple[DataFile, ...]: ...  # noqa: D102

    def load(self) -> RunTable:
        """Read the files into a table."""
        ...


@dataclass(frozen=True)
class CurveCollection:
    """Runs of one task with one metric, in a Parquet file of curves and a file of configurations (CSV or Parquet).

    Attributes:
        name: name of the benchmark.
        curves: file with the columns `run_id`, `epoch` and the metric.
        configs: file with `run_id` and one column per hyper-parameter.
        metric: column of the curves that is the target.
        rows: number of rows of the curves, for a check.
        source: where the collection comes from, for the reader.
        keep: filter of the runs; None keeps all.
    """

    RUN_COLUMN: ClassVar[str] = "run_id"

    name: str
    curves: DataFile
    configs: DataFile
    metric: Metric
    rows: int
    source: str
    keep: Keep | None = None

    @property
    def files(self) -> tuple[DataFile, ...]:
        """Curves and configurations."""
        return self.curves, self.configs

    def load(self) -> RunTable:
        """Read the files into a table; every run has reached its horizon.

        Raises:
            DataNotFoundError: a file is neither in `LCODE_DATA` nor in the cache.
            InputError: a file does not have the expected rows.
        """
        path = find_file(self.curves)
        points = pd.read_parquet(path)
        if len(points) != self.rows:
            raise InputError(f"{len(points)} rows, expected {self.rows}", path=path)
        configs = _read_configs(find_file(self.configs)).set_index(self.RUN_COLUMN)
        if self.keep is not None:
            wide = points.pivot(index=self.RUN_COLUMN, columns="epoch", values=self.metric.name)
            kept = self.keep(wide)
            points, configs = points[points[self.RUN_COLUMN].isin(kept)], configs.loc[configs.index.isin(kept)]
        tidy = pd.DataFrame(
            {
                "run": points[self.RUN_COLUMN].astype(str),
                "epoch": points["epoch"],
                "metric": self.metric.key,
                "value": points[self.metric.name].astype(float),
            }
        )
        return RunTable.from_points(tidy, [self.metric], configs=configs.set_axis(configs.index.astype(str)))


def _read_configs(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def main_metric(name: str) -> Metric:
    """A metric of the only task, the smaller the better."""
    return Metric(MAIN_TASK, name, "min")

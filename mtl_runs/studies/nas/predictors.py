"""Ways to order cells by the loss that they will end with, from what is known of them early."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lcode
from lcode.graphs import statistics_frame
from lcode.table import RunTable
from mtl_runs.studies.nas.space import OPS, Cell, one_hot
from mtl_runs.studies.nas.train import METRICS

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LOSS = METRICS[0].key


@dataclass(frozen=True)
class Trained:
    """Cells that were trained to their ends.

    Attributes:
        table: their N runs.
        losses: of the validation split after each epoch, [N, epochs].
    """

    table: RunTable
    losses: Array

    @classmethod
    def read(cls, folder: Path) -> Trained:
        """From the logs in a folder."""
        table = lcode.read_logs(folder).with_status("finished")
        return cls(table, np.stack([table.curve(run, LOSS).values for run in table.run_ids]))

    def until(self, epochs: int) -> Trained:
        """The same cells, as if every training were to end after so many epochs."""
        seen = self.table.prefix(epochs)
        runs = seen.runs.assign(horizon=epochs, status="finished")
        return Trained(replace(seen, runs=runs), self.losses[:, :epochs])

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells, by the names of their architectures."""
        return [tuple(OPS[int(digit)] for digit in str(arch)) for arch in self.table.runs["arch"]]

    @cached_property
    def edges(self) -> Array:
        """Operations on edges, [N, 30]."""
        return one_hot(self.cells)

    @cached_property
    def statistics(self) -> Array:
        """Size, depth and make-up of the graphs, [N, F]."""
        frame = statistics_frame(self.table.graphs).loc[list(map(str, self.table.runs["arch"]))]
        return np.nan_to_num(frame.to_numpy(float))

    @property
    def finals(self) -> Array:
        """Loss at the end, [N]."""
        return self.losses[:, -1]


Predictor = Callable[[Trained, Rows, Rows, int], Array]
"""Of trained cells, those that have finished, those asked for, and after how many epochs: losses at the end."""


def last_value(trained: Trained, finished: Rows, asked: Rows, epochs: int) -> Array:
    """The latest value."""
    return trained.losses[asked, epochs - 1]


def forest(features: Callable[[Trained], Array]) -> Predictor:
    """A forest on what is known of an architecture, and on the losses so far."""

    def predict(trained: Trained, finished: Rows, asked: Rows, epochs: int) -> Array:
        from sklearn.ensemble import ExtraTreesRegressor

        known = np.concatenate([features(trained), trained.losses[:, :epochs]], axis=1)
        trees = ExtraTreesRegressor(300, min_samples_leaf=2, random_state=0)
        predicted: Array = trees.fit(known[finished], trained.finals[finished]).predict(known[asked])
        return predicted

    return predict


@dataclass
class Forecasts:
    """`lcode`, adapted to the finished cells; with none, the shipped model as it is. What was fitted is kept.

    Attributes:
        operations: whether it is told the operations on edges as configuration, beside the graph.
    """

    operations: bool

    def __post_init__(self) -> None:
        self._fitted: dict[bytes, Any] = {}

    def __call__(self, trained: Trained, finished: Rows, asked: Rows, epochs: int) -> Array:
        """See `Predictor`."""
        table = trained.table
        if not self.operations:
            table = replace(table, configs=table.configs.iloc[:, :0])
        names = np.array(table.run_ids, dtype=object)
        key = finished.tobytes()
        if key not in self._fitted:
            self._fitted[key] = lcode.fit(table.select(names[finished])) if len(finished) else lcode.load()
        some = table.select(names[asked])
        if epochs:
            some = some.prefix(epochs)
        else:
            graphs = [some.graphs[arch] for arch in some.runs["arch"].astype(str)]
            some = lcode.candidates(some.configs, graphs, like=table.select(names[finished]))
        forecast = self._fitted[key].predict(some).final()
        column = [metric.key for metric in forecast.metrics].index(LOSS)
        place = {run: row for row, run in enumerate(forecast.run_ids)}
        predicted: Array = forecast.mean()[[place[name] for name in names[asked]], column, 0]
        return predicted


@dataclass(frozen=True)
class Entry:
    """A predictor of the registry.

    Attributes:
        predict: what predicts.
        finished: with how many finished cells it is asked.
    """

    predict: Predictor
    finished: tuple[int, ...]


PREDICTORS: Mapping[str, Entry] = {
    "last value": Entry(last_value, (0,)),
    "forest on the graph's statistics": Entry(forest(lambda trained: trained.statistics), (30, 100)),
    "forest on the operations": Entry(forest(lambda trained: trained.edges), (30, 100)),
    "lcode, graph alone": Entry(Forecasts(operations=False), (100,)),
    "lcode": Entry(Forecasts(operations=True), (0, 30, 100)),
}
"""What is compared, by name."""

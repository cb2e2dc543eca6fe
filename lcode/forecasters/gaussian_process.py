"""A Gaussian process on the prefix and what is known beside it, one per cutoff: a base model of `lcode` by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.history import History
from lcode.ensemble.process import Process
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.isolation import isolated
from lcode.table import RunTable


class ProcessForecaster(CutoffForecaster):
    """Gaussian-process regression of the change since the last value, in the space in which `lcode` works.

    It reads a few features of each curve, the signals and the side information, and forecasts principal components
    of the continuation; its hyper-parameters maximise the marginal likelihood at each cutoff. See `Process`.
    Nothing of it is random.
    """

    name: ClassVar[str] = "gp"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Choose the hyper-parameters of a cutoff."""
        return _ProcessModel(finished, cutoff)


class _ProcessModel:
    """The process of one cutoff; see `CutoffForecaster.learn` for the arguments."""

    @isolated()
    def __init__(self, finished: RunTable, cutoff: int) -> None:
        arrays = curve_arrays(finished)
        self._cutoff = cutoff
        self._scaler = ValueScaler.fit(arrays)
        self._reader = PrefixReader(finished, self._scaler)
        one_fold = np.zeros(len(finished), dtype=np.int64)  # no run judges another here
        history = History.of(finished, arrays, one_fold, cutoff, self._scaler, self._reader)
        self.grid = history.grid
        self._process = Process(history, {})

    @isolated()
    def predict(self, table: RunTable, arrays: CurveArrays) -> NDArray[np.float64]:
        """See `CutoffModel.predict`."""
        return self._scaler.unscale(self._process.path(self._reader.at(table, arrays, self._cutoff), {}))

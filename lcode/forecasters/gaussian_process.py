"""A Gaussian process on the prefix and all that is known beside it, one per cutoff: an expert of `lcode`, by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.experts.prefix import PrefixReader
from lcode.experts.process import ProcessExpert
from lcode.experts.scene import Scene
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.isolation import isolated
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays
from lcode.tensors.scaling import ValueScaler


class ProcessForecaster(CutoffForecaster):
    """Gaussian-process regression of the change since the last value, in the space in which `lcode` works.

    It reads a few features of each curve, the signals and the side information, and forecasts principal components
    of the continuation; its hyper-parameters maximise the marginal likelihood at each cutoff. See `ProcessExpert`.
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
        scene = Scene.of(finished, len(finished), arrays, one_fold, cutoff, self._scaler)
        self.grid = scene.grid
        self._process = ProcessExpert(scene, self._reader.at(scene.table, scene.arrays, cutoff))

    @isolated()
    def predict(self, table: RunTable, arrays: CurveArrays) -> NDArray[np.float64]:
        """See `CutoffModel.predict`."""
        scaled = self._process.predict(self._reader.at(table, arrays, self._cutoff))
        return self._scaler.unscale(scaled)

from __future__ import annotations

import numpy as np

from lcode.fitting.progress import LAW_POINTS, Progress
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.scaling import ValueScaler


def test_what_runs_have_come_to(history: RunTable) -> None:
    arrays = curve_arrays(history)
    scaler = ValueScaler.fit(arrays)
    at = np.full((len(history), 1), 50)
    found = Progress.of(arrays, scaler, at)
    scaled = scaler.scale(arrays.values)
    np.testing.assert_array_equal(found.last, scaler.scale(arrays.last_values))
    np.testing.assert_allclose(found.last + found.dips, np.nanmin(scaled, axis=-1))
    assert (found.dips <= 0).all()
    short = Progress.of(arrays.before(arrays.epochs[:, 0, LAW_POINTS - 2]), scaler, at)
    assert np.isfinite(found.laws).all() and np.isnan(short.laws).all()

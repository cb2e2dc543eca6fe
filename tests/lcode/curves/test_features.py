from __future__ import annotations

import numpy as np

from lcode.curves.arrays import curve_arrays
from lcode.curves.features import RunFeatures, ValueScale, side_information
from lcode.table import RunTable


def test_side_information_names_everything_known_before_the_start(history: RunTable) -> None:
    frame = side_information(history)
    assert {"config.lr", "config.balancer", "arch", "horizon", "graph.log10_params", "lr.0", "lr.1"} <= set(frame)
    assert frame.index.tolist() == list(history.run_ids)
    np.testing.assert_allclose(frame["lr.0"], frame["config.lr"])


def test_features_have_no_gaps_and_see_only_the_prefix(history: RunTable) -> None:
    arrays = curve_arrays(history)
    scale = ValueScale.fit(arrays)
    for cutoff in (-1, 1, 6, 20):
        features = RunFeatures(history, arrays, scale, cutoff)
        assert np.isfinite(features.training).all()
        cut = history.prefix(max(cutoff, 0))
        np.testing.assert_array_equal(features.of(cut, curve_arrays(cut)), features.training)


def test_scale_goes_there_and_back(history: RunTable) -> None:
    arrays = curve_arrays(history)
    scale = ValueScale.fit(arrays)
    np.testing.assert_allclose(scale.inverse(scale.forward(arrays.values)), arrays.values)
    assert scale.log[0, 0] and np.isfinite(scale.forward(np.zeros((2, 1)))).all()

from __future__ import annotations

import json

import numpy as np
from scipy.stats import norm

from lcode.ensemble.widths import Widths
from lcode.forecast import LEVELS, Q05, Q50

WIDTHS = Widths((0.0, 0.25), ((0.0, float(np.log(2))), (float(np.log(4)), float(np.log(8)))), 0.7)


def test_the_factor_is_that_of_the_lead_and_in_between_of_the_root_of_the_share() -> None:
    quantiles = np.broadcast_to(3 + norm.ppf(LEVELS), (4, 2, 3, len(LEVELS)))
    wide = WIDTHS.widen(quantiles, np.array([0.0, 0.0625, 0.25, 0.9]), np.tile([0.0, 0.5, 1.0], (4, 1)))
    np.testing.assert_array_equal(wide[..., Q50], quantiles[..., Q50])
    near, far = np.array([1.0, 2.0, 4.0, 4.0]), np.array([2.0, 4.0, 8.0, 8.0])
    expected = np.stack([near, np.sqrt(near * far), far], axis=1)
    for metric in (0, 1):
        np.testing.assert_allclose((wide[:, metric, :, Q05] - 3) / norm.ppf(0.05), expected)


def test_by_default_nothing_is_widened() -> None:
    quantiles = np.broadcast_to(norm.ppf(LEVELS), (1, 1, 2, len(LEVELS)))
    np.testing.assert_array_equal(Widths().widen(quantiles, np.array([0.4]), np.array([[0.1, 1.0]])), quantiles)


def test_json_round_trip() -> None:
    assert Widths.from_json(json.loads(json.dumps(WIDTHS.to_json()))) == WIDTHS

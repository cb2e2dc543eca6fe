from __future__ import annotations

import numpy as np

from lcode.ensemble.names import NETWORK, PRETRAINED
from lcode.ensemble.networks import expected


def test_surprises_are_counted_from_the_adapted_network_early_and_from_the_pretrained_one_later() -> None:
    adapted, pretrained = np.full((4, 1, 1, 1), 2.0), np.full((4, 1, 1, 1), 4.0)
    adapted[3] = np.nan  # every member has learned from the run
    mixed = expected({NETWORK: adapted, PRETRAINED: pretrained}, np.array([0.0, 0.05, 0.3, 0.0]))
    assert mixed[:, 0, 0, 0].tolist() == [2.0, 3.0, 4.0, 4.0]


def test_where_there_is_one_network_surprises_are_counted_from_it() -> None:
    one = np.full((2, 1, 1, 1), 3.0)
    for name in (NETWORK, PRETRAINED):
        np.testing.assert_array_equal(expected({name: one}, np.array([0.0, 0.5])), one)

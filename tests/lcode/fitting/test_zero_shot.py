"""What the surprises are counted from."""

from __future__ import annotations

import numpy as np

from lcode.fitting.zero_shot import centre


def test_the_adapted_network_early_and_the_pretrained_one_later() -> None:
    adapted, pretrained = np.full((4, 1, 1, 1), 2.0), np.full((4, 1, 1, 1), 4.0)
    adapted[3] = np.nan  # every member has learned from the run
    mixed = centre(adapted, pretrained, np.array([0.0, 0.05, 0.3, 0.0]))
    assert mixed[:, 0, 0, 0].tolist() == [2.0, 3.0, 4.0, 4.0]

from __future__ import annotations

import numpy as np
import pytest

from lcode.evaluation.replay.promise import LEVEL, replays_needed, shown_factor


def test_as_many_replays_as_it_takes() -> None:
    assert replays_needed(0.05) == 45 and replays_needed(0.2) == 11
    for count, shown in ((44, None), (45, 3.0)):
        assert shown_factor({3.0: [0.0] * count}, allowed=0.1, alpha=0.05) == shown


def test_the_first_factor_that_fails_ends_it() -> None:
    kept, broken = [0.0] * 60, [0.0] * 40 + [1.0] * 20
    assert shown_factor({1.0: kept, 3.0: broken, 10.0: kept}, allowed=0.5, alpha=0.1) == 1.0
    assert shown_factor({1.0: broken, 3.0: kept}, allowed=0.5, alpha=0.1) is None


def test_a_sweep_of_which_nothing_was_left_has_lost_more_than_any_budget() -> None:
    assert shown_factor({1.0: [float("nan")] * 60}, allowed=1e9, alpha=0.2) is None


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_factor_that_breaks_the_promise_passes_seldom(alpha: float) -> None:
    generator = np.random.default_rng(0)
    lost = generator.random((2000, 100)) < alpha * 1.001  # just too often
    passed = [shown_factor({1.0: row.astype(float).tolist()}, allowed=0.5, alpha=alpha) for row in lost]
    assert np.mean([factor is not None for factor in passed]) <= LEVEL + 0.02

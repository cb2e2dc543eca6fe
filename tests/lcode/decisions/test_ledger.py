from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions.ledger import Outlook, expected_regret

SCORES = np.random.default_rng(0).permutation(np.linspace(0.001, 0.999, 512))


def evenly(low: float, high: float) -> Outlook:
    """A run whose score is expected evenly between two values."""
    return Outlook.of(low + (high - low) * SCORES)


def test_an_outlook_is_a_distribution() -> None:
    run = evenly(0, 1)
    assert run.expected == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(
        run.below(np.array([-0.1, 0.1, 0.25, 0.5, 0.75, 0.9, 1.1])), [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1], atol=0.012
    )
    point = Outlook.of(np.full(512, 0.3))
    assert point.below(np.array([0.2, 0.4])).tolist() == [0, 1]


def test_of_one_run_it_is_its_expected_improvement() -> None:
    # Between 0 and 1, over an ended run of 0.8: half of 0.2 squared.
    assert expected_regret([evenly(0, 1)], [], 0.8) == pytest.approx(0.02, rel=0.1)
    assert expected_regret([evenly(0, 1)], [], 1.0) == 0
    assert expected_regret([], [evenly(0, 1)], None) == 0


def test_a_live_rival_may_end_lower_than_expected() -> None:
    # Of two even runs the expected difference, where it is positive, is 1/6; over a rival sure to end at 0.5 it is 1/8.
    assert expected_regret([evenly(0, 1)], [evenly(0, 1)], None) == pytest.approx(1 / 6, rel=0.05)
    assert expected_regret([evenly(0, 1)], [], 0.5) == pytest.approx(1 / 8, rel=0.05)
    assert expected_regret([evenly(0, 1)], [evenly(0, 1)], 0.5) == pytest.approx(1 / 12, rel=0.1)


def test_a_better_incumbent_makes_what_was_stopped_before_cheaper() -> None:
    runs = [evenly(0, 1), evenly(0.5, 0.9)]
    costs = [expected_regret(runs, [], best) for best in (0.6, 0.7, 0.8, 0.9, 1.1)]
    assert costs == sorted(costs, reverse=True) and costs[-1] == 0


Runs = list[tuple[float, float]]

RUNS = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 3)), min_size=1, max_size=8)


@given(RUNS, st.floats(-3, 3))
def test_it_lies_between_the_dearest_run_and_the_sum_of_all(runs: Runs, best: float) -> None:
    tails = [evenly(low, low + width) for low, width in runs]
    alone = [expected_regret([tail], [], best) for tail in tails]
    together = expected_regret(tails, [], best)
    assert max(alone) * 0.95 - 0.01 <= together <= sum(alone) * 1.05 + 0.01


@given(RUNS, RUNS)
def test_what_is_left_only_helps(stopped: Runs, left: Runs) -> None:
    gone = [evenly(low, low + width) for low, width in stopped]
    rivals = [evenly(low, low + width) for low, width in left]
    assert expected_regret(gone, rivals, -3.0) <= expected_regret(gone, rivals[1:], -3.0) + 1e-9

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions.ledger import Outlook, chance_of_loss

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


def test_of_one_run_it_is_its_chance_to_end_higher_by_more_than_is_allowed() -> None:
    assert chance_of_loss([evenly(0, 1)], [], 0.7, 0.1) == pytest.approx(0.2, abs=0.02)
    assert chance_of_loss([evenly(0, 1)], [], 1.0, 0.0) == 0
    assert chance_of_loss([], [evenly(0, 1)], None, 0.0) == 0
    assert chance_of_loss([evenly(0, 1)], [], None, 9.0) == 1  # nothing is left


def test_a_live_rival_may_end_lower_than_expected() -> None:
    # Of two even runs one is ahead by more than 0.5 with a chance of 1/8; of one sure to end at 0.5 never.
    assert chance_of_loss([evenly(0, 1)], [evenly(0, 1)], None, 0.5) == pytest.approx(1 / 8, abs=0.02)
    assert chance_of_loss([evenly(0, 1)], [], 0.5, 0.5) == pytest.approx(0, abs=1e-3)
    # With an ended run of 0.5 beside it, half of the time the rival is higher than that.
    assert chance_of_loss([evenly(0, 1)], [evenly(0, 1)], 0.5, 0.0) == pytest.approx(3 / 8, abs=0.02)


def test_a_better_incumbent_makes_what_was_stopped_before_cheaper() -> None:
    runs = [evenly(0, 1), evenly(0.5, 0.9)]
    risks = [chance_of_loss(runs, [], best, 0.05) for best in (0.6, 0.7, 0.8, 0.9, 1.1)]
    assert risks == sorted(risks, reverse=True) and risks[-1] == 0


def test_a_pool_believes_both_alike() -> None:
    pooled = Outlook.of(evenly(1, 2).pooled(SCORES))
    assert pooled.expected == pytest.approx(1, abs=0.02)
    assert pooled.below(np.array([0.5, 1.5])) == pytest.approx([0.25, 0.75], abs=0.02)


Runs = list[tuple[float, float]]

RUNS = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 3)), min_size=1, max_size=8)


@given(RUNS, st.floats(-3, 3), st.floats(0, 1))
def test_it_lies_between_the_riskiest_run_and_the_sum_of_all(runs: Runs, best: float, allowed: float) -> None:
    tails = [evenly(low, low + width) for low, width in runs]
    alone = [chance_of_loss([tail], [], best, allowed) for tail in tails]
    together = chance_of_loss(tails, [], best, allowed)
    assert max(alone) - 1e-9 <= together <= sum(alone) + 1e-9


@given(RUNS, RUNS)
def test_what_is_left_only_helps(stopped: Runs, left: Runs) -> None:
    gone = [evenly(low, low + width) for low, width in stopped]
    rivals = [evenly(low, low + width) for low, width in left]
    # The grid of scores differs with the rivals.
    assert chance_of_loss(gone, rivals, -3.0, 0.1) <= chance_of_loss(gone, rivals[1:], -3.0, 0.1) + 0.02

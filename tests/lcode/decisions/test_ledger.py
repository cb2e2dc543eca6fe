from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions.ledger import Stopped, expected_regret

SCORES = np.random.default_rng(0).permutation(np.linspace(0.001, 0.999, 512))


def stopped(low: float, high: float) -> Stopped:
    """A run whose score was expected evenly between two values."""
    return Stopped.of(low + (high - low) * SCORES)


def test_of_one_run_it_is_its_expected_improvement() -> None:
    # Between 0 and 1, over an incumbent of 0.8: half of 0.2 squared.
    assert expected_regret([stopped(0, 1)], 0.8) == pytest.approx(0.02, rel=0.1)
    assert expected_regret([stopped(0, 1)], 1.0) == 0
    assert expected_regret([], 0.0) == 0


def test_a_better_incumbent_makes_what_was_stopped_before_cheaper() -> None:
    runs = [stopped(0, 1), stopped(0.5, 0.9)]
    costs = [expected_regret(runs, best) for best in (0.6, 0.7, 0.8, 0.9, 1.1)]
    assert costs == sorted(costs, reverse=True) and costs[-1] == 0


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 3)), min_size=1, max_size=8), st.floats(-3, 3))
def test_it_lies_between_the_dearest_run_and_the_sum_of_all(runs, best) -> None:
    tails = [stopped(low, low + width) for low, width in runs]
    alone = [expected_regret([tail], best) for tail in tails]
    together = expected_regret(tails, best)
    assert max(alone) * 0.97 - 1e-9 <= together <= sum(alone) * 1.03 + 1e-9


def test_it_survives_a_file() -> None:
    run = stopped(0, 1)
    assert Stopped.from_json(json.loads(json.dumps(run.to_json()))) == run
    assert run.expected == pytest.approx(0.5, abs=0.01)

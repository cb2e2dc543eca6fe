from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.decisions.price import looks_ahead, price

COIN = np.array([-1.0] * 50 + [1.0] * 50)
"""The incumbent, at 0, is beaten by 1 with probability one half."""


def test_looks_are_doubled_up_to_the_end_and_wait_for_an_evaluation() -> None:
    assert looks_ahead(50).tolist() == [1, 2, 4, 8, 16, 32, 50]
    assert looks_ahead(1).tolist() == [1] and looks_ahead(8).tolist() == [1, 2, 4, 8]
    assert looks_ahead(50, every=10).tolist() == [10, 20, 40, 50] and looks_ahead(3, every=10).tolist() == [3]


def test_what_is_certain_is_worth_its_gain_per_epoch() -> None:
    cost, epochs = price(np.full(64, 2.0), 1.0, 10, persistence=0.9)
    assert cost == pytest.approx(0.1) and epochs == 10


def test_with_a_single_epoch_to_come_it_is_the_expected_improvement() -> None:
    assert price(COIN, 0.0, 1, persistence=0.9) == (pytest.approx(0.5, abs=0.02), 1)


def test_a_look_that_shows_everything_is_paid_for_at_once() -> None:
    # λ = max over c of E[max(gain − λ(H − c), 0)]/c: half of the time 1 − 9λ, for 1 epoch: (1 − 9λ)/2 = λ.
    cost, epochs = price(COIN, 0.0, 10, persistence=1.0)
    assert cost == pytest.approx(1 / 11, rel=0.05) and epochs == 1


def test_where_epochs_show_nothing_there_is_no_look() -> None:
    cost, epochs = price(COIN, 0.0, 10, persistence=1e-3)
    assert cost == pytest.approx(0.05, rel=0.05) and epochs == 10


def test_what_cannot_win_is_worth_nothing() -> None:
    assert price(np.array([-1.0, -0.5, -np.inf]), 0.0, 10, persistence=0.9) == (0.0, 10)


def test_an_infeasible_end_is_no_gain() -> None:
    bounded = np.where(np.arange(100) % 2, COIN, -np.inf)
    assert price(bounded, 0.0, 1, persistence=0.9)[0] == pytest.approx(0.25, abs=0.02)


def test_a_long_shot_is_worth_what_it_wins_when_it_wins() -> None:
    one_of_many = np.r_[np.full(255, -1.0), 10.0]
    assert price(one_of_many, 0.0, 1, persistence=0.9)[0] == pytest.approx(10 / 256, rel=0.1)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 1), st.floats(0.01, 3), st.integers(1, 300), st.floats(0.05, 0.99))
def test_the_option_to_give_up_is_worth_something(mean: float, width: float, to_come: int, persistence: float) -> None:
    samples = mean + width * np.random.default_rng(0).standard_normal(256)
    cost, epochs = price(samples, 0.0, to_come, persistence)
    gain = np.maximum(samples, 0).mean()
    # The levels that are looked at are 32: the mean over them is near that of all samples.
    assert gain / to_come * 0.9 - 1e-3 <= cost <= np.maximum(samples, 0).max()
    assert 1 <= epochs <= to_come
    assert price(samples, 0.5, to_come, persistence)[0] <= cost + 1e-12

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.table import Schedule

breaks = st.dictionaries(st.integers(0, 60), st.floats(0.001, 10), min_size=1, max_size=8).map(
    lambda found: Schedule(np.array(sorted(found)), np.array([found[epoch] for epoch in sorted(found)]))
)


@given(breaks)
def test_break_points_stand_for_a_rate_at_every_epoch(plan: Schedule) -> None:
    if plan.last == 0:
        assert not plan.usable
        return
    last = plan.last
    dense = Schedule.of(plan.at(np.arange(1, last + 1)))
    at = np.linspace(0, last + 2, 41)
    if plan.epochs[0] > 0:  # a rate at epoch 0 bends the line before epoch 1
        np.testing.assert_allclose(plan.at(at), dense.at(at))
    np.testing.assert_allclose(plan.done(at), dense.done(at), atol=1e-12)
    sums = np.cumsum(dense.rates)
    np.testing.assert_allclose(dense.done(np.arange(last + 1)), np.r_[0, sums] / sums[-1])


@given(breaks, st.integers(1, 7))
def test_epochs_may_be_joined_and_split(plan: Schedule, step: int) -> None:
    several = np.arange(1, max(plan.last // step, 1) + 1)
    if plan.last >= step:
        np.testing.assert_allclose(plan.every(step).at(several), plan.at(several * step))
    np.testing.assert_allclose(plan.finer(step).at(several * step), plan.at(several))


def test_a_far_plan_is_small() -> None:
    plan = Schedule(np.array([1, 10**9]), np.array([0.2, 0.0]))
    assert plan.done([0, 5e8, 1e9, 2e9]) == pytest.approx([0, 0.75, 1, 1])
    assert len(plan.every(3).epochs) == 2 and plan.at(10**8) == pytest.approx(0.18)
    assert not Schedule.of([]).usable and not Schedule.of([0.0, 0.0]).usable and plan.usable


def test_it_survives_as_json_also_that_of_version_0_1() -> None:
    plan = Schedule.of([0.3, 0.2, 0.1])
    again = Schedule.from_json(plan.to_json())
    assert again.epochs.tolist() == [1, 2, 3] and again.rates.tolist() == [0.3, 0.2, 0.1]
    assert Schedule.from_json([0.3, 0.2, 0.1]).to_json() == plan.to_json()

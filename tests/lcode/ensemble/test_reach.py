from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.curves.batch import RunTensors
from lcode.ensemble.names import PRETRAINED
from lcode.ensemble.networks import AnyMetrics
from lcode.ensemble.reach import Reach, within
from lcode.forecast import LEVELS, Q05
from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster
from lcode.network.loop import FitSettings
from lcode.table import RunTable

LAST, VALUES = np.zeros((4, 1)), np.array([-1.0, -2, -3, -4]).reshape(4, 1, 1)
"""Four runs that stood at 0 and went to -1 … -4."""


def ends(low: float, high: float, below: float = 1.0, above: float = 1.0) -> np.ndarray:
    """The ends of one run, metric and query."""
    return np.array([low, low - below, high, high + above]).reshape(1, 1, 1, 4)


def drawn(values: list[float], at: np.ndarray, **options: object) -> np.ndarray:
    """One part with these values at the levels."""
    return within(np.array(values).reshape(1, 1, 1, 1, -1), at, **{"runs": 9, **options})[0, 0, 0, 0]  # type: ignore[arg-type]


def test_the_ends_lie_a_gap_beyond_where_the_furthest_of_the_others_came_to() -> None:
    found = Reach.of(LAST, VALUES).ends(np.zeros((1, 1)))[0, 0, 0]
    # The two furthest lie 2 and 1 from the third: 1.5. A run may also stay where it is, at 0.
    np.testing.assert_allclose(found, [-5.5, -7, 1.5, 3])


def test_changes_count_as_far_as_last_values_last() -> None:
    last, noise = np.array([0.0, 2, 4, 6]), np.array([-0.1, 0.1, 0.1, -0.1])
    lasting = Reach.of(last[:, None], (last + noise - 3)[:, None, None])
    assert lasting.ends(np.array([[1.0], [5.0]]))[:, 0, 0, 0] == pytest.approx([-2.3, 1.7])
    forgotten = Reach.of(last[:, None], (noise - 3)[:, None, None])
    assert forgotten.ends(np.array([[1.0], [5.0]]))[:, 0, 0, 0] == pytest.approx([-3.3, -3.3])


def test_a_run_ahead_of_all_stays_ahead_and_may_go_further() -> None:
    reach = Reach.of(np.linspace(0, 3, 4)[:, None], VALUES)
    first, ahead = reach.ends(np.array([[0.0], [-5.0]]))[:, 0, 0]
    assert first[0] - ahead[0] == pytest.approx(5 + 5)  # further down, and it may go further by as much
    assert (ahead[0] - ahead[1]) - (first[0] - first[1]) == pytest.approx(5)


def test_of_a_metric_that_hardly_a_run_has_no_end_is_known() -> None:
    for known in (0, 1):
        values = np.where(np.arange(4)[:, None, None] < known, VALUES, np.nan)
        found = Reach.of(LAST, values).ends(np.ones((2, 1)))
        assert np.isnan(found[..., [0, 2]]).all()
    assert drawn([-1e9, 0, 1e9], np.full((1, 1, 1, 4), np.nan)).tolist() == [-1e9, 0, 1e9]


def test_beyond_an_end_distance_counts_by_its_logarithm() -> None:
    e = np.e - 1
    assert drawn([-2 - 2 * e, -2, 0.5, 1, 1 + e], ends(-2, 1, below=2)) == pytest.approx([-4, -2, 0.5, 1, 2])


def test_the_pretrained_model_counts_as_one_more_run() -> None:
    prior = np.linspace(-12, 3, len(LEVELS)).reshape(1, 1, 1, -1)
    prior[..., Q05], prior[..., -2] = -12, 3
    e = np.e - 1  # with nine runs: a tenth of the 10 that it goes further down, of the 2 further up
    assert drawn([-2 - 2 * e, 1 + 1.2 * e], ends(-2, 1), prior=prior) == pytest.approx([-4, 2.2])


@given(st.lists(st.floats(-1e6, 1e6), min_size=21, max_size=21), st.floats(-5, 0), st.floats(0, 5), st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_quantiles_stay_in_order_and_where_they_are_plausible(
    values: list[float], low: float, high: float, gap: float
) -> None:
    values = sorted(values)
    found = drawn(values, ends(low, high, gap, gap))
    assert (np.diff(found) >= 0).all()
    inside = (np.array(values) >= low) & (np.array(values) <= high)
    np.testing.assert_array_equal(found[inside], np.array(values)[inside])
    assert (np.abs(found) <= np.abs(values) + 1e-9).all()


def test_a_part_that_knows_no_other_run_is_kept_to_what_they_did(
    family: Callable[..., RunTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, seen = family(14, seed=5), family(6, seed=6, prefix="n").prefix(2)

    def anything(_: AnyMetrics, runs: RunTensors, cutoffs: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return np.broadcast_to(4 * norm.ppf(LEVELS), (*asked.shape, 2, len(LEVELS))).swapaxes(1, 2)

    monkeypatch.setattr(AnyMetrics, "quantiles", anything)
    model = LCGODEForecaster(settings=FitSettings(steps=6, batch=8), pretrained=SHIPPED, parts=[PRETRAINED])
    lowest = finished.points["value"][finished.points["metric"] == "seg/err"].min()
    bounded = model.fit(finished).predict(seen).quantiles[:, 0, 0, Q05]
    monkeypatch.setattr("lcode.ensemble.at_cutoff.within", lambda parts, *_: parts)
    free = model.predict(seen).quantiles[:, 0, 0, Q05]
    assert (free < lowest).all()
    assert (lowest - bounded < 0.5 * (lowest - free)).all()

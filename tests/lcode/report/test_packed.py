from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lcode.report.packed import packed, packed_curves, page_epochs, thinned


def unpacked(low: float, high: float, text: str, log: bool = False) -> NDArray[np.float64]:
    """As the page's script reads it."""
    steps = np.frombuffer(base64.b64decode(text), dtype="<u2").astype(float)
    values = np.where(steps == 65_535, np.nan, low + steps / 65_534 * (high - low))
    return 10**values if log else values


@given(st.lists(st.floats(-1e300, 1e300) | st.just(np.nan), min_size=1, max_size=30))
def test_values_come_back_within_a_step(values: list[float]) -> None:
    given_values = np.array(values)
    back = unpacked(*packed([given_values], [False])[0])
    known = given_values[np.isfinite(given_values)]
    np.testing.assert_array_equal(np.isnan(back), np.isnan(given_values))
    if len(known):
        # A step, and the seven digits that the ends are written with.
        room = np.ptp(known) / 65_534 + 2e-6 * np.abs(known).max()
        assert np.nanmax(np.abs(back - given_values), initial=0) <= room


def test_a_logarithmic_axis_resolves_decades_and_leaves_out_what_it_cannot_show() -> None:
    values = np.array([1e-6, 3e-3, 0.0, -1.0, 50.0])
    back = unpacked(*packed([values], [True])[0], log=True)
    np.testing.assert_allclose(back[[0, 1, 4]], values[[0, 1, 4]], rtol=1e-3)
    assert np.isnan(back[[2, 3]]).all()


def test_each_curve_has_a_range_of_its_own() -> None:
    curves = [np.array([0.0, 1.0]), np.array([np.nan]), np.array([5.0]), np.array([1e3, 10.0])]
    (a, b, c, d) = packed(curves, [False, False, False, True])
    assert (a[:2], b[:2], c[:2], d[:2]) == ((0, 1), (0, 0), (5, 5), (1, 3))
    assert np.isnan(unpacked(*b)) and unpacked(*c) == 5
    np.testing.assert_allclose(unpacked(*d, log=True), [1e3, 10])
    assert packed([], []) == []


@given(st.integers(0, 500), st.integers(2, 50))
def test_thinned_places_are_few_ascending_and_keep_the_ends(count: int, most: int) -> None:
    places = thinned(count, most)
    assert len(places) == min(count, most) and (np.diff(places) > 0).all()
    if count:
        assert places[0] == 0 and places[-1] == count - 1


def test_a_curve_has_what_was_seen_what_is_forecast_and_what_came(sweep: Any) -> None:
    i = sweep.forecast.run_ids.index("run-40")
    data = packed_curves(sweep.forecast, sweep.table, [i], [False, False], sweep.truth)
    low, high, text, seen, ahead, later, diverged = data["curves"][0][1]
    axes, values = data["axes"], unpacked(low, high, text)
    assert axes[seen] == [1, 2, 3, 4, 5] and axes[ahead] == list(range(6, 21)) and axes[later] == list(range(5, 21))
    assert diverged is None
    room = (high - low) / 65_000
    true = sweep.truth.curve("run-40", "depth/abs_err").values
    np.testing.assert_allclose(values[:5], true[:5], atol=room)
    np.testing.assert_allclose(values[5 + 2 * 15 : 5 + 3 * 15], sweep.forecast.quantile(0.5)[i, 1], atol=room)
    np.testing.assert_allclose(values[5 + 5 * 15 :], true[4:], atol=room)


def test_what_explodes_takes_no_steps_from_the_rest(sweep: Any) -> None:
    points = sweep.table.points.copy()
    wild = (points["run"] == "run-00") & (points["metric"] == "seg/miou") & (points["epoch"] == 9)
    points.loc[wild, "value"] = 1e9

    table = dataclasses.replace(sweep.table, points=points)
    i = sweep.forecast.run_ids.index("run-00")
    low, high, text, *_ = packed_curves(sweep.forecast, table, [i], [False, False])["curves"][0][0]
    assert high < 10 and np.flatnonzero(np.isnan(unpacked(low, high, text))).tolist() == [8]


def test_epochs_to_forecast_for_a_page(sweep: Any) -> None:
    asked = page_epochs(sweep.table)
    assert asked["run-40"].tolist() == list(range(6, 21)) and asked["run-00"].tolist() == [20]
    long = page_epochs(sweep.table.with_horizon(100_000))["run-40"]
    assert long[0] == 6 and long[-1] == 100_000 and len(long) < 100 and np.diff(long)[0] < np.diff(long)[-1]


def test_the_steep_beginning_of_a_curve_is_kept(sweep: Any) -> None:
    values = np.array([1.5, 0.5, *np.linspace(0.2, 0.1, 18)])  # quartiles 0.12 and 0.18
    points = sweep.table.points.copy()
    falling = (points["run"] == "run-00") & (points["metric"] == "depth/abs_err")
    points.loc[falling, "value"] = values
    table = dataclasses.replace(sweep.table, points=points)
    low, high, *_ = packed_curves(sweep.forecast, table, [0], [False, False])["curves"][0][1]
    assert (low, high) == (0.1, 1.5)
    points.loc[falling & (points["epoch"] == 20), "value"] = 1.5
    points.loc[falling & (points["epoch"] == 1), "value"] = 0.2
    table = dataclasses.replace(sweep.table, points=points)
    low, high, *_ = packed_curves(sweep.forecast, table, [0], [False, False])["curves"][0][1]
    assert high < 1  # the same value at the end is that of a run which diverges

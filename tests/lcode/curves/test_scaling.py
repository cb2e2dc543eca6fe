from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.arrays import curve_arrays
from lcode.curves.scaling import BEST, WORST, MetricScale, ValueScaler
from lcode.table import Direction, Metric, RunTable

GENERATOR = np.random.default_rng(0)
SCALES = {
    "log": MetricScale.fit(Metric("a", "loss", "min"), np.exp(GENERATOR.standard_normal(400))),
    "log of an error rate": MetricScale.fit(Metric("a", "err", "min"), GENERATOR.uniform(0.02, 0.9, 400)),
    "logit": MetricScale.fit(Metric("a", "miou", "max"), GENERATOR.uniform(0.1, 0.9, 400)),
    "per cent": MetricScale.fit(Metric("a", "acc", "max"), GENERATOR.uniform(10, 90, 400)),
    "linear": MetricScale.fit(Metric("a", "score", "max"), 5 * GENERATOR.standard_normal(400) - 3),
    "plateau": MetricScale.fit(
        Metric("a", "loss", "min"), np.r_[2.3 + 1e-3 * GENERATOR.standard_normal(380), GENERATOR.uniform(0.1, 2, 20)]
    ),
    "relative": MetricScale.relative(Metric("a", "loss", "min"), np.array([2.0, 4.0, 8.0])),
    "constant": MetricScale.fit(Metric("a", "loss", "min"), np.full(9, 0.3)),
}


def test_the_space_follows_from_name_and_values() -> None:
    assert {name: scale.space for name, scale in SCALES.items()} == {
        "log": "log", "log of an error rate": "log", "logit": "logit", "per cent": "logit", "linear": "linear",
        "plateau": "log", "relative": "log", "constant": "log",
    }  # fmt: skip
    assert SCALES["per cent"].unit == 100 and SCALES["logit"].unit == 1
    # An accuracy that is given in no known unit is not squeezed into 0..1.
    assert MetricScale.fit(Metric("a", "acc", "max"), np.array([300.0, 500])).space == "log"


@settings(max_examples=40)
@given(st.sampled_from(sorted(SCALES)), st.floats(BEST, WORST))
def test_back_and_forth(name: str, scaled: float) -> None:
    scale = SCALES[name]
    value = scale.unscale(np.array([scaled]))
    again = scale.unscale(scale.scale(value))
    np.testing.assert_allclose(again, value, rtol=1e-6, atol=1e-6 * scale.unit)


@settings(max_examples=40)
@given(st.sampled_from(sorted(SCALES)), st.floats(0.02, 0.98))
def test_forth_and_back(name: str, share: float) -> None:
    scale = SCALES[name]
    value = np.array(
        [{"linear": 30 * share - 20, "log": 5 * share, "plateau": 2.5 * share}.get(name, share * scale.unit)]
    )
    scaled = scale.scale(value)
    assert BEST <= scaled <= WORST
    if BEST < scaled < WORST:
        np.testing.assert_allclose(scale.unscale(scaled), value, rtol=1e-6)


@settings(max_examples=40)
@given(st.sampled_from(sorted(SCALES)), st.floats(0, 1), st.floats(0, 1))
def test_better_is_lower_in_model_space(name: str, one: float, other: float) -> None:
    scale = SCALES[name]
    low, high = sorted((one * scale.unit, other * scale.unit))
    a, b = scale.scale(np.array([low, high]))
    assert scale.sign * (b - a) >= 0
    x, y = scale.unscale(BEST + (WORST - BEST) * np.array([low, high]) / scale.unit)
    assert scale.sign * (y - x) >= 0


def test_a_run_that_learns_is_still_read_where_no_known_run_did() -> None:
    """On a plateau of width 0.001 one of half its height is hundreds of deviations away."""
    plateau = MetricScale.fit(Metric("a", "loss", "min"), 2.3 + 1e-3 * GENERATOR.standard_normal(400))
    learning = np.array([2.2, 2.0, 1.6, 1.2])
    scaled = plateau.scale(learning)
    assert (np.diff(scaled) < -3).all() and (scaled > BEST).all()
    np.testing.assert_allclose(plateau.unscale(scaled), learning)
    assert plateau.scale(np.array([50.0])) == WORST  # one that explodes is not read any further


def test_an_accuracy_and_its_error_rate_move_alike() -> None:
    accuracy = np.array([0.1, 0.5, 0.8, 0.9])
    up = MetricScale.relative(Metric("a", "acc", "max"), accuracy[:1])
    down = MetricScale.relative(Metric("a", "top1_acc_loss", "min"), 1 - accuracy[:1])
    steps = np.diff(up.scale(accuracy))
    assert (steps < 0).all() and (np.diff(down.scale(1 - accuracy)) < 0).all()


def test_forecasts_cannot_leave_the_metrics_range() -> None:
    far = np.array([-50.0, 50.0])
    np.testing.assert_array_equal(np.sort(SCALES["per cent"].unscale(far)), [0, 100])
    np.testing.assert_array_equal(np.sort(SCALES["logit"].unscale(far)), [0, 1])
    low, high = SCALES["log of an error rate"].unscale(far)
    assert low == 0 and high == 1
    low, high = SCALES["log"].unscale(far)
    assert low == 0 and np.isfinite(high) and high > 5


def test_per_cent_is_scaled_as_the_share_it_is() -> None:
    values = np.linspace(0.1, 0.9, 50)
    share = MetricScale.fit(Metric("a", "acc", "max"), values)
    cent = MetricScale.fit(Metric("a", "acc", "max"), 100 * values)
    np.testing.assert_allclose(cent.scale(100 * values), share.scale(values), atol=1e-9)


def test_training_values_are_about_standard_and_one_explosion_does_not_matter() -> None:
    values = np.exp(GENERATOR.standard_normal(1000))
    scaled = MetricScale.fit(Metric("a", "loss", "min"), values).scale(values)
    assert abs(scaled.mean()) < 0.1 and scaled.std() == pytest.approx(1, abs=0.15)
    exploded = MetricScale.fit(Metric("a", "loss", "min"), np.r_[values, 1e30])
    np.testing.assert_allclose(exploded.scale(values), scaled, atol=0.1)
    assert exploded.scale(np.array([1e30]))[0] == WORST


def test_the_warp_spreads_a_plateau() -> None:
    plateau = 2.3 + 1e-3 * np.linspace(-1, 1, 9)
    scaled = SCALES["plateau"].scale(plateau)
    assert scaled.max() - scaled.min() > 0.5


def test_missing_values_stay_missing() -> None:
    for scale in SCALES.values():
        assert np.isnan(scale.scale(np.array([np.nan])))[0] and np.isnan(scale.unscale(np.array([np.nan])))[0]


def test_without_training_runs_a_unit_is_a_factor_e() -> None:
    scale = SCALES["relative"]
    np.testing.assert_allclose(scale.scale(np.array([4.0])), 0, atol=1e-7)
    assert scale.deviation == 1 and scale.knots == ()
    assert scale.scale(np.array([4.0]) * np.e)[0] == pytest.approx(1, abs=1e-6)
    signed = MetricScale.relative(Metric("a", "reward", "max"), np.array([-4.0, 0.0, 8.0]))
    assert signed.space == "linear" and signed.deviation == 4


def test_losses_are_resolved_at_their_present_level() -> None:
    """A loss of a physics-informed network that fell by six decades and goes on falling."""
    scale = MetricScale.relative(Metric("a", "loss", "min"), np.array([90.0, 1.0, 1e-2, 1e-4]))
    later = np.array([1e-4, 1e-5, 1e-6])
    np.testing.assert_allclose(np.diff(scale.scale(later)), -np.log(10), rtol=0.02)
    np.testing.assert_allclose(scale.unscale(scale.scale(later)), later, rtol=1e-6)
    assert scale.scale(np.array([1e9]))[0] > 10  # nor is anything cut off above


@pytest.mark.parametrize(
    ("name", "seen", "unit", "space", "bounds"),
    [
        ("mAP50", [0.0, 0.0, 0.2], 1, "logit", (0, 1)),
        ("precision", [0.0, 0.0], 1, "logit", (0, 1)),
        ("bleu", [0.0, 19.7, 23.5, 25.9], 100, "logit", (0, 1)),  # it began at 0, but is in per cent
        ("accuracy", [300.0, 500.0], 1, "log", (0, np.inf)),
        ("wer", [1.4, 0.3], 1, "log", (0, np.inf)),
        ("reward", [0.3, 85.0], 1, "linear", (-np.inf, np.inf)),  # 0.3 is not a share of 1, and may fall below 0
        ("pearson", [0.1, 0.5], 1, "linear", (-1, 1)),
        ("r2", [-3.0, 0.5], 1, "linear", (-np.inf, 1)),
        ("val_error", [0.4, 0.2], 1, "log", (0, 1)),
        ("loss", [0.0, 0.0], 1, "linear", (0, np.inf)),
        ("loss", [-0.5, 0.3], 1, "linear", (-np.inf, np.inf)),
    ],
)
def test_space_and_bounds_come_from_all_that_was_seen(
    name: str, seen: list[float], unit: float, space: str, bounds: tuple[float, float]
) -> None:
    direction: Direction = "min" if name in ("wer", "val_error", "loss") else "max"
    scale, values = MetricScale.relative(Metric("a", name, direction), np.array(seen)), np.array(seen)
    assert (scale.unit, scale.space, (scale.lower, scale.upper)) == (unit, space, bounds)
    np.testing.assert_allclose(scale.unscale(scale.scale(values)), values, rtol=1e-6, atol=1e-9)


def test_without_a_value_there_is_still_a_scale() -> None:
    for metric in (Metric("a", "loss", "min"), Metric("a", "acc", "max")):
        for scale in (MetricScale.fit(metric, np.array([np.nan])), MetricScale.relative(metric, np.array([]))):
            assert np.isfinite(scale.unscale(scale.scale(np.array([0.5])))).all()


def test_a_scaler_has_a_scale_per_metric_and_survives_json(history: RunTable) -> None:
    arrays = curve_arrays(history)
    scaler = ValueScaler.fit(arrays)
    scaled = scaler.scale(arrays.values)
    assert scaled.shape == arrays.values.shape
    np.testing.assert_allclose(scaler.unscale(scaled), arrays.values, atol=2e-3)
    again = ValueScaler.from_json(json.loads(json.dumps(scaler.to_json())))
    assert again == scaler
    np.testing.assert_array_equal(again.scale(arrays.values), scaled)


def test_a_run_that_has_left_the_bounds_of_all_others_goes_on_from_where_it_stands() -> None:
    scaler = ValueScaler((SCALES["log"],))
    scaled = np.linspace(-2, 1, 21)[None, None, None]
    plain = scaler.bounded(scaled)
    for last in (0.0, 0.5, 3.0, np.nan):  # within them nothing is moved
        known = scaler.bounded(scaled, np.array([[last]]))
        np.testing.assert_array_equal(known, plain)
    below = scaler.bounded(scaled, np.array([[-5.0]]))
    np.testing.assert_allclose(below, plain - 5)
    floor = scaler.bounded(np.full_like(scaled, BEST), np.array([[-5.0]]))
    np.testing.assert_allclose(floor, -5)

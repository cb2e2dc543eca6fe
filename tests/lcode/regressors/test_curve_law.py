import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lcode.regressors.curve_law import CurveLaw, Curves, Falls, Shape

Array = NDArray[np.float64]

EPOCHS = np.arange(1, 41, dtype=float)


def no_falls(runs: int) -> Falls:
    return Falls(np.zeros((runs, 1)), np.zeros((runs, 1)), np.zeros((runs, 1)))


def sweep(runs: int, seed: int = 0, noise: float = 0.01) -> Curves:
    """Curves whose end is the configuration's first column and their own, learned at speeds that its second says."""
    rng = np.random.default_rng(seed)
    side = rng.normal(size=(runs, 2))
    left = (1 + EPOCHS[None]) ** -np.exp(0.3 * side[:, 1:])
    ends = side[:, :1] + 0.4 * rng.normal(size=(runs, 1))
    values = ends + 3 * left + noise * rng.normal(size=(runs, len(EPOCHS)))
    return Curves(np.tile(EPOCHS, (runs, 1)), values, no_falls(runs), side)


def cut(curves: Curves, seen: int) -> Curves:
    return curves._replace(passed=curves.passed[:, :seen], values=curves.values[:, :seen])


def end(law: CurveLaw, curves: Curves) -> tuple[Array, Array]:
    mean, variance = law.predict(curves, curves.passed[:, :1] * 0 + EPOCHS[-1])
    return mean[:, 0], variance[:, 0]


def test_a_candidate_is_forecast_from_its_configuration() -> None:
    law, new = CurveLaw(sweep(40), 1.0), sweep(20, seed=1)
    nothing = new._replace(passed=new.passed[:, :0], values=new.values[:, :0])
    mean, _ = law.predict(nothing, np.full((20, 1), EPOCHS[-1]))
    error = np.abs(mean[:, 0] - new.values[:, -1]).mean()
    assert error < 0.5 * np.abs(new.values[:, -1] - new.values[:, -1].mean()).mean()


def test_the_more_was_seen_the_nearer_and_the_narrower() -> None:
    law, new = CurveLaw(sweep(40), 1.0), sweep(20, seed=1)
    errors, widths = [], []
    for seen in (1, 5, 20):
        mean, variance = end(law, cut(new, seen))
        errors.append(np.abs(mean - new.values[:, -1]).mean())
        widths.append(variance.mean())
    assert errors[0] > errors[1] > errors[2]
    assert widths[0] > widths[1] > widths[2]


def test_intervals_cover() -> None:
    law, new = CurveLaw(sweep(60), 1.0), sweep(200, seed=2)
    mean, variance = end(law, cut(new, 5))
    covered = np.abs(mean - new.values[:, -1]) < 1.645 * np.sqrt(variance)
    assert covered.mean() > 0.8


def test_what_a_fall_of_the_rate_gains_is_learned_from_runs_that_had_one() -> None:
    """Half of the finished runs drop at 20; of a new one that will, only the time before is seen."""
    rng = np.random.default_rng(0)
    shape = Shape((0.3, 1.2), 100.0, 1.0, 40.0)

    def runs(count: int, drops: NDArray[np.bool_]) -> Curves:
        falls = Falls(np.where(drops, 0.9, 0.0)[:, None], np.where(drops, 0.1, 1.0)[:, None], np.full((count, 1), 20.0))
        passed = np.tile(EPOCHS, (count, 1))
        passed = np.where(drops[:, None] & (passed > 20), 20 + (passed - 20) * 0.1, passed)
        own = np.column_stack([rng.normal(size=count), np.full(count, 1.0), np.full(count, 1.0), np.full(count, 2.0)])
        values = (shape.terms(falls, passed) @ own[..., None])[..., 0] + 0.01 * rng.normal(size=(count, len(EPOCHS)))
        return Curves(passed, values, falls, np.zeros((count, 0)))

    law = CurveLaw(runs(20, np.arange(20) % 2 == 0), 1.0)
    new = runs(10, np.ones(10, dtype=bool))
    mean, _ = law.predict(cut(new, 18), new.passed[:, -1:])
    gained = new.values[:, 17] - new.values[:, -1]
    assert gained.min() > 0.5
    np.testing.assert_allclose(mean[:, 0], new.values[:, -1], atol=0.25)


@pytest.mark.parametrize(("passed", "expected"), [(0.0, 1.0), (99.0, 0.0)])
def test_what_is_left_falls_from_one_to_nothing(passed: float, expected: float) -> None:
    terms = Shape((0.3, 1.2), 0.0, 1.0, 99.0).terms(no_falls(1), np.array([[passed]]))
    np.testing.assert_allclose(terms[0, 0], [1.0, expected, expected], atol=1e-12)


def test_the_gain_of_a_fall_has_its_formula() -> None:
    falls = Falls(np.array([[0.75]]), np.array([[0.25]]), np.array([[10.0]]))
    terms = Shape((0.3, 1.2), 100.0, 1.0, 40.0).terms(falls, np.array([[10.0, 14.0]]))
    # Four epochs are a tenth of the training; 100 · 0.25^-0.5 · 0.1 = 20, and 1 - 21^-0.5.
    np.testing.assert_allclose(terms[0, :, 3], [0.0, -0.75 * (1 - 21**-0.5)])


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-50, 50))
def test_a_shift_of_all_values_shifts_the_forecast(shift: float) -> None:
    curves, new = sweep(8), sweep(3, seed=1)
    mean, variance = end(CurveLaw(curves, 1.0), cut(new, 4))
    moved = CurveLaw(curves._replace(values=curves.values + shift), 1.0)
    other, wide = end(moved, cut(new._replace(values=new.values + shift), 4))
    np.testing.assert_allclose(other - shift, mean, atol=1e-6)
    np.testing.assert_allclose(wide, variance, rtol=1e-6)


def test_missing_points_are_no_points() -> None:
    curves, new = sweep(12), cut(sweep(3, seed=1), 6)
    gaps = new.values.copy()
    gaps[:, 3:] = np.nan
    law = CurveLaw(curves, 1.0)
    np.testing.assert_allclose(end(law, new._replace(values=gaps))[0], end(law, cut(new, 3))[0], rtol=1e-9)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lcode.fitting.novelty import MOST, novelty_score, ripeness, scarcity, traits
from lcode.table import Metric, RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays
from lcode.tensors.scaling import ValueScaler

SEEN = 8


def curves(values: NDArray[np.float64]) -> CurveArrays:
    """Arrays of curves [R, S] of one error."""
    rows = [(f"r{i}", e, "a/err", v) for i, curve in enumerate(values) for e, v in enumerate(curve, start=1)]
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    return curve_arrays(RunTable.from_points(points, [Metric("a", "err", "min")]))


@pytest.fixture(scope="module")
def finished() -> CurveArrays:
    """Thirty runs that all learn."""
    draw = np.random.default_rng(0)
    speed, floor = draw.uniform(0.1, 0.4, (30, 1)), draw.uniform(0.1, 0.5, (30, 1))
    return curves(floor + 0.5 * np.exp(-speed * np.arange(20)) + 0.005 * draw.standard_normal((30, 20)))


@pytest.fixture(scope="module")
def scaler(finished: CurveArrays) -> ValueScaler:
    return ValueScaler.fit(finished)


def judged(runs: CurveArrays, finished: CurveArrays, scaler: ValueScaler) -> NDArray[np.float64]:
    return novelty_score(traits(runs, SEEN, scaler), traits(finished, SEEN, scaler))[:, 0]


def test_a_run_that_stands_still_is_unlike_runs_that_all_learn(finished: CurveArrays, scaler: ValueScaler) -> None:
    still = curves(np.full((1, 20), 0.9) + 1e-4 * np.arange(20))
    assert judged(still, finished, scaler) == pytest.approx(MOST)


def test_finished_runs_themselves_are_alike(finished: CurveArrays, scaler: ValueScaler) -> None:
    apart = ~np.eye(30, dtype=bool)
    seen = traits(finished, SEEN, scaler)
    against_others = novelty_score(seen, seen, apart)
    assert (against_others > 0).mean() <= 0.1 and novelty_score(seen, seen).max() == 0


def test_a_run_ahead_of_all_is_left_to_what_was_learned(finished: CurveArrays, scaler: ValueScaler) -> None:
    ahead = curves(0.01 * np.exp(-0.5 * np.arange(20))[None])
    assert judged(ahead, finished, scaler) == 0


def test_what_comes_after_the_cutoff_has_no_say(finished: CurveArrays, scaler: ValueScaler) -> None:
    values = np.full((2, 20), 0.9)
    values[1, SEEN:] = 0.1
    one, other = judged(curves(values), finished, scaler)
    assert one == other


def test_without_a_value_nothing_is_said(finished: CurveArrays, scaler: ValueScaler) -> None:
    values = np.full((2, 20), 0.9)
    values[0] = np.nan
    unknown, still = judged(curves(values), finished, scaler)
    assert unknown == 0 and still > 0


def test_finished_runs_without_a_value_do_not_hide_the_others(finished: CurveArrays, scaler: ValueScaler) -> None:
    seen, still = (traits(part, SEEN, scaler) for part in (finished, curves(np.full((1, 20), 0.9))))
    some, none = seen.copy(), np.full_like(seen, np.nan)
    some[:10] = np.nan
    assert novelty_score(still, some)[0, 0] > 0.5
    assert novelty_score(still, none)[0, 0] == 0


def test_after_one_epoch_the_value_alone_counts(finished: CurveArrays, scaler: ValueScaler) -> None:
    first = traits(finished, 1, scaler)
    assert np.isnan(first[..., 1]).all() and np.isfinite(first[..., 0]).all()
    far = traits(curves(np.full((1, 20), 5.0)), 1, scaler)
    assert novelty_score(far, first)[0, 0] == pytest.approx(MOST)


def test_few_is_up_to_thirty_and_late_from_a_tenth() -> None:
    assert [scarcity(runs) for runs in (4, 30, 60, 120, 500)] == [1, 1, 0.5, 0, 0]
    np.testing.assert_allclose(ripeness(np.array([0.0, 0.05, 0.1, 0.5])), [0, 0.5, 1, 1])

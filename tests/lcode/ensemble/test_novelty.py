from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import lcode
from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import Known, PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.novelty import Leaning, Novelty
from lcode.ensemble.settings import SETTINGS
from lcode.forecast import LEVELS
from lcode.table import Metric, RunTable
from lcode.table.metric import MAIN_TASK

CUTOFF = 6
LOSS = Metric(MAIN_TASK, "loss", "min")
SLOPE = np.array([0.5, 0.5])


@pytest.fixture(scope="module")
def finished(family: Callable[..., RunTable]) -> RunTable:
    """Thirty runs that all learn."""
    return family(30)


@pytest.fixture(scope="module")
def read(finished: RunTable) -> Callable[[RunTable], Known]:
    """What is known of runs at the cutoff."""
    reader = PrefixReader(finished, ValueScaler.fit(curve_arrays(finished)))
    return lambda table: reader.at(table, curve_arrays(table), CUTOFF)


@pytest.fixture(scope="module")
def novelty(finished: RunTable, read: Callable[[RunTable], Known]) -> Novelty:
    return Novelty(read(finished), np.arange(30) % 5, SLOPE)


def standing_at(table: RunTable, error: float, share: float) -> RunTable:
    """One run that stands still at these values of both metrics."""
    one = table.select(table.run_ids[:1])
    values = np.where(one.points["metric"] == "seg/err", error, share)
    return RunTable(**{**vars(one), "points": one.points.assign(value=values)})


def test_a_run_that_stands_still_is_unlike_runs_that_all_learn(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    assert novelty.of(read(standing_at(finished, 0.99, 0.01))) == pytest.approx(SETTINGS.yields)


def test_a_run_ahead_of_all_goes_on_as_the_others(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    assert novelty.of(read(standing_at(finished, 1e-3, 0.999))).max() == 0


def test_finished_runs_are_alike(finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty) -> None:
    assert novelty.of(read(finished)).max() == 0
    assert (novelty.out_of_fold() > 0).mean() < 0.25


def test_a_finished_run_is_not_compared_with_itself(finished: RunTable, read: Callable[[RunTable], Known]) -> None:
    others = finished.select(finished.run_ids[1:])
    known = read(others.concat(standing_at(finished, 0.99, 0.01)))
    assert Novelty(known, np.arange(30) % 5, SLOPE).out_of_fold()[-1] == pytest.approx(SETTINGS.yields)


def test_where_nothing_was_observed_no_run_is_unlike(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    nothing = read(finished.prefix(0))
    assert novelty.of(nothing).max() == 0
    assert Novelty(nothing, np.arange(30) % 5, SLOPE).of(read(finished)).max() == 0


def test_what_sets_a_run_apart_lasts_as_the_slope_says_unless_it_lies_far_beyond(
    finished: RunTable, read: Callable[[RunTable], Known]
) -> None:
    novelty = Novelty(read(finished), np.arange(30) % 5, np.array([0.9, 0.0]))
    np.testing.assert_allclose(novelty.stays(read(finished.select(finished.run_ids[:3]))), [[0.9, 0.0]] * 3)
    beyond = novelty.stays(read(standing_at(finished, 1e6, 1e-9)))[0]
    assert 0.5 < beyond[0] < 0.6 and 0.3 < beyond[1] < 0.5


def forecasts(centre: float) -> np.ndarray:
    return np.broadcast_to(centre + norm.ppf(LEVELS), (4, 1, 2, len(LEVELS)))


TOWARDS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
SOME = np.array([[0.9], [0.0], [0.5], [0.9]])
UNDECIDED = np.full((4, 1), 0.5)


def learned(plain: float, lasts: float, ends: float, truth: float = 0.0, unlike: np.ndarray = SOME) -> Leaning:
    """Learned where all runs end at the truth and the three ways of forecasting say so much."""

    def mix(rows: np.ndarray, moved: np.ndarray | None) -> np.ndarray:
        return forecasts(plain if moved is None else lasts if moved[..., 0].any() else ends)[rows]

    return Leaning.learned(TOWARDS, unlike, mix, np.full((4, 1, 2), truth))


def test_without_evidence_the_ways_have_their_prior_probabilities() -> None:
    for leaning in (learned(0, 0, 0), learned(0, 5, 5, truth=np.nan), learned(0, 5, 5, unlike=np.zeros((4, 1)))):
        moved = leaning.moved(SOME, np.full((4, 1), 0.8))
        assert moved is not None
        np.testing.assert_allclose(moved, SOME[..., None] * SETTINGS.belief * np.array([0.8, 0.2, 0.0]))


def test_left_out_runs_say_which_way_is_right() -> None:
    shares = [learned(*centres).moved(SOME, UNDECIDED) for centres in ((0, 5, 5), (5, 0, 5), (5, 5, 0))]
    stacked, lasts, ends = (share[0, 0] / 0.9 for share in shares if share is not None)
    assert stacked.sum() < 0.05
    assert lasts[0] > 0.9 and ends[1] > 0.9
    assert stacked[2] == lasts[2] == ends[2] == 0


def test_nothing_moves_where_no_run_is_unlike_or_there_is_nowhere_to_go() -> None:
    assert learned(0, 0, 0).moved(np.zeros((4, 1)), UNDECIDED) is None
    assert Leaning(np.zeros((2, 3)), np.ones(2)).moved(SOME, UNDECIDED) is None


def test_a_way_that_is_not_there_gets_nothing() -> None:
    moved = Leaning(TOWARDS * [[0.0], [1.0]], np.ones(2)).moved(SOME, UNDECIDED)
    assert moved is not None and moved[..., 0].max() == 0 and moved[0, 0, 1] > 0.5


def curves(starts: np.ndarray) -> RunTable:
    """Runs that stand still until they start to learn, and end near 0.3 whenever that is."""
    noise = 0.002 * np.random.default_rng(0).standard_normal((len(starts), 30))
    epochs = np.arange(1, 31)
    values = 0.3 + 0.9 * np.exp(-np.maximum(epochs - starts[:, None], 0)) + noise
    rows = [
        {"run": f"r{run}", "epoch": epoch, "metric": LOSS.key, "value": values[run, epoch - 1]}
        for run, epoch in np.ndindex(values.shape[0], 31)
        if epoch
    ]
    return RunTable.from_points(pd.DataFrame(rows), [LOSS])


def test_a_straggler_among_runs_that_all_end_alike_is_expected_to_end_alike() -> None:
    straggler = curves(np.array([12.0])).prefix(5)
    forecast = lcode.load().in_context(curves(np.linspace(0, 2, 12))).predict(straggler)
    assert straggler.points["value"].iloc[-1] > 1.1
    assert forecast.quantile(0.5)[0, 0, -1] < 0.5
